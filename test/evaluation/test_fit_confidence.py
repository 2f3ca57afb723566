"""The script that fits the confidence of poses to their true errors."""

from argparse import Namespace

import numpy as np
import pytest

from dsm_ros.evaluation.pose_table import EstimateRow, write_poses


@pytest.fixture(scope="module")
def script(load_script):
    return load_script("fit_confidence")


def rows(seed, elsewhere=False):
    """Poses of which two thirds are right; cells and patches agree with the right ones."""
    rng = np.random.default_rng(seed)
    for frame in range(60):
        right = not elsewhere and frame % 3 > 0
        ratio = np.clip(rng.normal(0.7 if right else 0.2, 0.1), 0, 1)
        error_m = 0.02 if right else np.inf if elsewhere else 2.0
        ratios = ratio, ratio, 0.8 if right else 0.1
        yield EstimateRow("plain", "room", frame, error_m, 1.0, int(1000 * ratio), *ratios, 0.02 if right else 0.3)


def test_files_of_one_recording_are_one_set(script, tmp_path):
    for name in ("room_200", "desk.1", "desk.2", "office.1"):
        (tmp_path / f"{name}.csv").write_text("")
    sets = script.sets_of(tmp_path)
    assert list(sets) == ["rooms fitted", "rooms held out", "desk", "office"]
    assert [path.name for path in sets["desk"]] == ["desk.1.csv", "desk.2.csv"]


def test_fitted_weights_accept_right_poses_and_no_others(script, tmp_path, capsys):
    for seed in (*script.FITTED_ROOMS, *script.HELD_OUT_ROOMS):
        write_poses(rows(seed), tmp_path / f"room_{seed}.csv")
    write_poses(rows(9, elsewhere=True), tmp_path / "desk.1.csv")
    script.fit(Namespace(out=tmp_path, plot=tmp_path / "reliability.png"))
    weights, *table = capsys.readouterr().out.splitlines()
    assert all(float(each.split()[1]) > 0 for each in weights.split(", ")[1:])
    held_out, desk = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table[2:4])
    assert held_out[:2] == ["rooms held out", "240"]
    assert held_out[4:7] == ["160 of 160", "0", "0 of 80"]
    assert desk[4:7] == ["0 of 0", "0", "0 of 60"]
    assert (tmp_path / "reliability.png").stat().st_size > 1000
