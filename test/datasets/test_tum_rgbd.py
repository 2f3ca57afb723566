import numpy as np
import pytest

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.errors import SequenceError
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
