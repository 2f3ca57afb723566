from collections import Counter

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.camera_info import write_camera_info
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import pose_error


@pytest.fixture(scope="module")
def fr1(shared_data):
    return open_sequence(str(shared_data / "fr1_rpy"))


def test_frames_have_camera_depth_and_pose(fr1):
    assert len(fr1) == 241
    frame = fr1[40]
    assert frame.camera.distortion == (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)
    assert 0.3 < np.median(frame.depth_HW[frame.depth_HW > 0]) < 4
    assert frame.map_T_camera[3].tolist() == [0, 0, 0, 1]


def test_poses_are_interpolated_between_neighbours(fr1, shared_data):
    rows = np.loadtxt(shared_data / "fr1_rpy" / "groundtruth.txt")
    frame = fr1[40]
    nearest = np.abs(rows[:, 0] - frame.stamp_ns / 1e9).argmin()
    assert np.linalg.norm(frame.map_T_camera[:3, 3] - rows[nearest, 1:4]) < 0.02


def test_consecutive_frames_are_near(fr1):
    poses = [fr1[i].map_T_camera for i in (50, 51)]
    assert pose_error(*poses)[0] < 0.1


def test_unknown_cameras_ask_for_a_calibration(tmp_path):
    (tmp_path / "rgb.txt").write_text("1.0 rgb/1.png\n")
    with pytest.raises(SequenceError, match=r"camera_info\.yaml"):
        open_sequence(str(tmp_path))


@pytest.mark.parametrize("text", ["", "one two\n", "1.0\n"])
def test_malformed_lists_are_refused(tmp_path, text):
    folder = tmp_path / "fr1_x"
    folder.mkdir()
    (folder / "rgb.txt").write_text(text)
    with pytest.raises(SequenceError, match=r"rgb\.txt"):
        open_sequence(str(folder))


@pytest.fixture
def folder(tmp_path):
    """Four small frames, 0.05 s apart, with depth and ground truth."""
    write_camera_info(tmp_path, Camera(64, 48, 50.0, 50.0, 31.5, 23.5))
    for name in ("rgb", "depth"):
        (tmp_path / name).mkdir()
    for i in range(4):
        cv2.imwrite(str(tmp_path / f"rgb/{i}.png"), np.full((48, 64, 3), 40 * i, np.uint8))
        cv2.imwrite(str(tmp_path / f"depth/{i}.png"), np.full((48, 64), 5000, np.uint16))
    for name in ("rgb", "depth"):
        (tmp_path / f"{name}.txt").write_text("".join(f"{100 + i / 20} {name}/{i}.png\n" for i in range(4)))
    (tmp_path / "groundtruth.txt").write_text("".join(f"{100 + i / 20} {i} 0 0 0 0 0 1\n" for i in range(4)))
    return tmp_path


def missing_of(folder):
    sequence = open_sequence(str(folder))
    return Counter(lack for i in range(len(sequence)) for lack in sequence[i].missing)


def test_complete_frames_lack_nothing(folder):
    assert not missing_of(folder)
    frame = open_sequence(str(folder))[2]
    assert frame.stamp_ns == 100_100_000_000
    assert frame.depth_HW == pytest.approx(1.0)
    assert frame.map_T_camera[:3, 3].tolist() == [2, 0, 0]


def test_lost_poses_are_lacks_and_not_bridged(folder):
    (folder / "groundtruth.txt").write_text(f"99.99 0 0 0 0 0 0 1\n100.05 {'nan ' * 7}\n100.11 0 0 0 0 0 0 1\n")
    assert missing_of(folder)["no pose: tracking was lost (NaN, infinity or zeros)"] == 3
    assert open_sequence(str(folder)).header(3).missing == ("no pose: no ground truth at its timestamp",)


def test_ground_truth_of_another_time_is_told_with_its_distance(folder):
    (folder / "groundtruth.txt").write_text("10 0 0 0 0 0 0 1\n20 0 0 0 0 0 0 1\n")
    assert missing_of(folder) == {"no pose: no ground truth at its timestamp": 4}
    assert "ends 80.000 s before the first image" in open_sequence(str(folder)).describe().warnings[0]


def test_units_of_the_three_files_must_agree(folder):
    (folder / "groundtruth.txt").write_text("1305031102000000000 0 0 0 0 0 0 1\n")
    sequence = open_sequence(str(folder))
    with pytest.raises(SequenceError, match=r"rgb\.txt has timestamps in s and groundtruth\.txt in ns"):
        sequence.header(0)
    assert sequence.query(0).depth_HW is None


def test_depth_that_is_missing_late_damaged_or_no_depth_is_lacking(folder):
    (folder / "depth/0.png").unlink()
    cv2.imwrite(str(folder / "depth/1.png"), np.full((48, 64), 50, np.uint8))
    cv2.imwrite(str(folder / "depth/2.png"), np.full((48, 85), 5000, np.uint16))
    rows = (folder / "depth.txt").read_text().splitlines()[:3]
    (folder / "depth.txt").write_text("\n".join([*rows, "100.171 depth/3.png\n"]))
    assert missing_of(folder) == {
        "no depth: its depth image is missing": 1,
        "no depth: its depth image is uint8 with 1 channel instead of 16-bit grey": 1,
        "no depth: its depth image has 85x48 pixels, another aspect ratio than 64x48": 1,
        "no depth: no depth image within 20 ms": 1,
    }


def test_without_depth_and_ground_truth_images_are_left(folder):
    (folder / "depth.txt").unlink()
    (folder / "groundtruth.txt").unlink()
    assert missing_of(folder) == {"no depth: depth.txt does not exist": 4, "no pose: groundtruth.txt does not exist": 4}
    assert [part.source for part in open_sequence(str(folder)).describe().parts][2:] == ["", ""]


def test_missing_images_are_named(folder):
    (folder / "rgb/1.png").unlink()
    with pytest.raises(SequenceError, match=r"1\.png"):
        open_sequence(str(folder)).query(1)


def test_absolute_names_backslashes_and_further_columns(folder):
    names = [str(folder / "rgb/0.png"), "rgb\\1.png", f"../{folder.name}/rgb/2.png", "rgb/3.png 64 48"]
    (folder / "rgb.txt").write_text("".join(f"{100 + i / 20} {name}\n" for i, name in enumerate(names)))
    assert [int(open_sequence(str(folder))[i].image_HW3[0, 0, 0]) for i in range(4)] == [0, 40, 80, 120]


@pytest.mark.parametrize("name", ["fr12_lab", "myfr1", "freiburg10"])
def test_only_names_of_tum_tell_a_camera(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "rgb.txt").write_text("1.0 rgb/1.png\n")
    with pytest.raises(SequenceError, match="unknown camera"):
        open_sequence(str(tmp_path / name))


@given(
    st.sampled_from(["rgb.txt", "depth.txt", "groundtruth.txt"]),
    st.binary(max_size=50) | st.text("01.9 e-/\n#rgb\0", max_size=50).map(str.encode),
)
def test_any_bytes_in_a_list_are_read_or_refused_in_one_line(tmp_path_factory, name, data):
    folder = tmp_path_factory.mktemp("any")
    write_camera_info(folder, Camera(64, 48, 50.0, 50.0, 31.5, 23.5))
    (folder / "rgb.txt").write_text("1 rgb/1.png\n")
    (folder / name).write_bytes(data)
    missing, message = ("nothing was read",), ""
    try:
        sequence = open_sequence(str(folder))
        missing = sequence.header(0).missing
        sequence[0]
    except SequenceError as error:
        message = str(error)
    assert missing  # no depth image exists
    assert len(message.splitlines()) == 1
