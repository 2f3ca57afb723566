import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.text_file import parse_number
from dsm_ros.datasets.tum.stamped_rows import read_file_list, read_poses
from dsm_ros.errors import SequenceError

POSE = "1 2 3 0 0 0 1"


@pytest.fixture
def write(tmp_path):
    def write_bytes(data):
        path = tmp_path / "rows.txt"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write_bytes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_line_ends_and_comments(write, encoding, end):
    lines = ["# für", "", "  # indented", "1.5\trgb/a b.png", "   ", "0.5 rgb/c.png # blurred", "# end", ""]
    rows = read_file_list(write(end.join(lines).encode(encoding)))
    assert rows.stamps_ns == [500_000_000, 1_500_000_000]
    assert rows.values == ["rgb/c.png", "rgb/a b.png"]
    assert rows.warnings == ()


@pytest.mark.parametrize(
    ("text", "unit"),
    [("1305031102", "s"), ("1305031102000", "ms"), ("1305031102000000", "us"), ("1305031102" + "0" * 9, "ns")],
)
def test_the_unit_of_stamps_is_that_of_their_size(write, text, unit):
    rows = read_file_list(write(f"{text} a.png\n"))
    assert rows.stamps_ns == [1305031102 * 10**9]
    assert rows.unit == unit
    assert len(rows.warnings) == (unit != "s")


def test_of_a_repeated_stamp_the_last_row_counts(write):
    rows = read_file_list(write("2 a\n1 b\n2 c\n"))
    assert rows.values == ["b", "c"]
    assert "repeat" in rows.warnings[0]


@pytest.mark.parametrize(
    "word", ["nan", "NaN", "-nan", "nan(ind)", "-nan(ind)", "inf", "-inf", "1.#QNAN", "-1.#IND", "-1.#INF", "1.#INF00"]
)
def test_poses_that_are_not_finite_are_lost(write, word):
    rows = read_poses(write(f"1 {word} 0 0 0 0 0 1\n2 {POSE}\n3 0 0 0 0 0 {word} 1\n4 1 1 1 0 0 0 0\n"))
    assert [row.map_T_camera is None for row in rows.values] == [True, False, True, True]
    assert rows.values[1].map_T_camera[:3, 3].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "line",
    [
        f"inf {POSE}", f"nan {POSE}", f"-1 {POSE}", f"1e99 {POSE}", f"1_0 {POSE}", "timestamp tx ty tz qx qy qz qw",
        "1.0,1,2,3,0,0,0,1",
        "2", "2 1 2 3", f"2 {POSE} 0 0 0 0", "2 x y z 0 0 0 1", "2 1 2 3 0 0 0 0.5", "2 1,5 2 3 0 0 0 1",
        "2 1e30 0 0 0 0 0 1",
    ],
)  # fmt: skip
def test_what_is_no_pose_is_named_by_file_and_line(write, line):
    with pytest.raises(SequenceError, match=r"rows\.txt, line 2: "):
        read_poses(write(f"1 {POSE}\n{line}\n3 {POSE}\n"))


@pytest.mark.parametrize("end", ["0.1 0.2", "1 2 3 0 0 0.6 0.", "1 2 3 0 0 0.70710678 0.7"])
def test_a_last_row_that_was_cut_is_left_out_and_told(write, end):
    rows = read_poses(write(f"1 {POSE}\n2 {end}"))
    assert rows.stamps_ns == [10**9]
    assert "last row" in rows.warnings[0]


def test_a_whole_last_row_without_a_line_end_is_read(write):
    assert len(read_poses(write(f"1 {POSE}\n2 {POSE}")).values) == 2


def test_units_within_a_file_must_agree(write):
    with pytest.raises(SequenceError, match="unit"):
        read_file_list(write("1.5 a\n1305031102000000000 b\n"))


@given(st.binary(max_size=60) | st.text("0123456789.eE+-# \t\n\rnaif,", max_size=60).map(str.encode))
def test_any_bytes_are_rows_or_one_line(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "rows.txt"
    path.write_bytes(data)
    for read in (read_file_list, read_poses):
        stamps_ns, message = [], ""
        try:
            stamps_ns = read(path).stamps_ns
        except SequenceError as error:
            message = str(error)
        assert stamps_ns == sorted(set(stamps_ns))
        assert all(0 <= stamp_ns < 2**63 for stamp_ns in stamps_ns)
        assert len(message.splitlines()) <= 1


@given(st.floats())
def test_numbers_are_read_as_python_prints_them(number):
    assert parse_number(repr(number)) == pytest.approx(number, rel=0, nan_ok=True)
    assert np.isnan(number) or parse_number(repr(number)) == number
