import shutil

import numpy as np
import pytest

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.datasets.seven_scenes import write_sequence
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import invert, transform


def warped_depth_error_m(one, other):
    v, u = np.nonzero(one.depth_HW)
    points = one.camera.unproject(np.stack([u, v], 1)) * one.depth_HW[v, u, None]
    seen = transform(invert(other.map_T_camera) @ one.map_T_camera, points)
    u, v = np.rint(np.nan_to_num(other.camera.project(seen), nan=-1)).astype(int).T
    inside = (u >= 0) & (u < 640) & (v >= 0) & (v < 480)
    there = other.depth_HW[v[inside], u[inside]]
    return float(np.median(np.abs(there - seen[inside, 2])[there > 0]))


def test_kitchen_frames_agree_with_each_other(kitchen):
    assert len(kitchen) == 500
    frame = kitchen[100]
    assert frame.image_HW3.shape == (480, 640, 3)
    assert frame.camera.fx == 525
    rotation = frame.map_T_camera[:3, :3]
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-12)
    assert warped_depth_error_m(frame, kitchen[105]) < 0.010


def test_depth_is_registered_to_the_colour_camera(kitchen, shared_data):
    import cv2

    raw = cv2.imread(str(shared_data / "kitchen/seq-01/frame-000100.depth.png"), cv2.IMREAD_UNCHANGED) / 1000
    v, u = 200, 300
    x = (u - 320) / 585 * raw[v, u] - 0.025
    y = (v - 240) / 585 * raw[v, u]
    column, row = round(x / raw[v, u] * 525 + 323), round(y / raw[v, u] * 525 + 237)
    assert kitchen[100].depth_HW[row, column] == pytest.approx(raw[v, u], abs=0.02)


def test_written_rooms_read_back(tmp_path):
    room = open_rooms("rooms:3/frames=3,size=64x48")
    write_sequence(room, tmp_path / "room", lambda done, total: None)
    again = open_sequence(str(tmp_path / "room"))
    assert len(again) == 3
    for written, read in zip(room, again, strict=True):
        assert (written.image_HW3 == read.image_HW3).all()
        assert read.depth_HW == pytest.approx(written.depth_HW, abs=6e-4)
        assert read.map_T_camera == pytest.approx(written.map_T_camera, abs=1e-6)
        assert read.camera == written.camera


def test_damaged_files_are_named(tmp_path, shared_data):
    source = shared_data / "kitchen" / "seq-01"
    for name in ("frame-000000.color.jpg", "frame-000000.depth.png", "frame-000000.pose.txt"):
        shutil.copy(source / name, tmp_path)
    depth = tmp_path / "frame-000000.depth.png"
    depth.write_bytes(depth.read_bytes()[:100])
    with pytest.raises(SequenceError, match=r"frame-000000\.depth\.png"):
        open_sequence(str(tmp_path))[0]
    (tmp_path / "frame-000000.pose.txt").write_text("1 2 3")
    depth.unlink()
    with pytest.raises(SequenceError, match="pose"):
        open_sequence(str(tmp_path))[0]


def test_frames_without_depth_or_tracked_pose(tmp_path, shared_data):
    shutil.copy(shared_data / "kitchen/seq-01/frame-000000.color.jpg", tmp_path)
    (tmp_path / "frame-000000.pose.txt").write_text("nan " * 16)
    frame = open_sequence(str(tmp_path))[0]
    assert frame.depth_HW is None
    assert frame.map_T_camera is None


def test_unknown_layouts_and_missing_paths(tmp_path):
    with pytest.raises(SequenceError, match="no known layout"):
        open_sequence(str(tmp_path))
    with pytest.raises(SequenceError, match="no sequence at"):
        open_sequence(str(tmp_path / "missing"))


def test_camera_info_yaml_must_be_one(tmp_path, shared_data):
    shutil.copy(shared_data / "kitchen/seq-01/frame-000000.color.jpg", tmp_path)
    (tmp_path / "camera_info.yaml").write_text("image_width: many")
    with pytest.raises(SequenceError, match=r"camera_info\.yaml"):
        open_sequence(str(tmp_path))
