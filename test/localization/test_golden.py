"""Results stay what they were: poses, covariances, confidences, reasons and coordinates of recorded cases.

After a change that is meant to change results, write them anew and commit them with it:
pytest test/localization/test_golden.py --write-golden -m "slow or not slow"
"""

import json

import pytest

from .golden_cases import (
    LARGE,
    OTHER_ARITHMETIC,
    ROOM,
    SAME_ARITHMETIC,
    SMALL,
    differences,
    make_map,
    read,
    record_of,
    results_of,
    tolerance_of,
    write,
)

CASES = [*SMALL, *(pytest.param(case, marks=pytest.mark.slow) for case in LARGE)]


@pytest.fixture(scope="module")
def map_of(tmp_path_factory, network, room_map):
    """Makes the map of a case once."""
    made = {ROOM: room_map}

    def make(case, data):
        key = case.map_of, case.map_frames
        if key not in made:
            made[key] = str(tmp_path_factory.mktemp("golden") / "map")
            make_map(case, made[key], network, data)
        return made[key]

    return make


@pytest.fixture
def records(request, case, map_of, network):
    """The results of a case, localized here and now."""
    data = request.getfixturevalue("shared_data") if case.needs else None
    if case.needs and not (data / case.needs).is_dir():
        pytest.skip(f"no {case.needs} in {data}")
    return [record_of(result) for result in results_of(case, map_of(case, data), network, data)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_results_are_the_golden_ones(case, records, request):
    if request.config.getoption("write_golden"):
        write(case, records)
    golden, made_with = read(case)
    tolerance = tolerance_of(made_with)
    assert len(records) == len(golden) == len(case.frames)
    assert not {
        index: lines
        for index, found, wanted in zip(case.frames, records, golden, strict=True)
        if (lines := differences(json.loads(json.dumps(found)), wanted, tolerance))
    }


def test_cases_include_every_kind_of_result():
    results = [record for case in SMALL for record in read(case)[0]]
    reasons = {record["reason"] for record in results}
    assert reasons >= {"", "too_few_inliers", "low_confidence"}


@pytest.mark.parametrize(
    ("name", "change"),
    [("pose", 2e-5), ("confidence", 2e-6), ("covariance", 1e-3), ("coordinates", 2e-4)],
)
def test_a_change_beyond_the_tolerance_is_seen(name, change):
    golden = read(SMALL[0])[0][0]
    changed = json.loads(json.dumps(golden))
    if name == "confidence":
        changed[name] += change
    elif name == "coordinates":
        changed[name][0][0][0] += change
    else:
        changed[name][0][0] += change
    (line,) = differences(changed, golden, SAME_ARITHMETIC)
    assert line.startswith(name)
    assert not differences(golden, golden, SAME_ARITHMETIC)


def test_another_reason_is_seen():
    golden = read(SMALL[0])[0][0]
    assert differences({**golden, "reason": "no_pose"}, golden, OTHER_ARITHMETIC) == ["no_pose, not localized"]
