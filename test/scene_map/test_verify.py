"""Problems that ``verify`` finds in damaged maps."""

from dataclasses import replace

import numpy as np
import pytest
from map_helpers import Listed, quiet

from dsm_ros.datasets.frame import Frame
from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.errors import MapError, SequenceError
from dsm_ros.geometry.pose import make_pose
from dsm_ros.scene_map.builder import build_map
from dsm_ros.scene_map.frame_checks import rejection_reasons
from dsm_ros.scene_map.keyframe import compress
from dsm_ros.scene_map.location import connect
from dsm_ros.scene_map.store import create_store
from dsm_ros.scene_map.verify import find_problems


@pytest.fixture(scope="module")
def frames():
    room = open_rooms("rooms:2/size=128x96,frames=40")
    return [room[i] for i in range(40)]


def verify(tmp_path, frames, change=lambda keyframe: keyframe):
    uri = str(tmp_path / "m")
    store = create_store(uri, "test")
    store.add([change(compress(frame, i, "s")) for i, frame in enumerate(frames)])
    return find_problems(uri, quiet)


NO_FEATURES = "have no features; compute the features with: dsm map build --refresh"


def test_keyframes_without_features_are_no_sound_map(tmp_path, frames):
    (problem,) = verify(tmp_path, frames[:6]).problems
    assert problem.startswith("6 keyframes")
    assert NO_FEATURES in problem


@pytest.mark.parametrize(
    ("pose_44", "told"),
    [
        (make_pose(np.eye(3), [np.inf, 0, 0]), "keyframe 2: its pose is not finite"),
        (make_pose(np.diag([1, 1, -1]), [0, 0, 0]), "keyframe 2: its pose is not rigid"),
        (make_pose(np.eye(3) * 1.01, [0, 0, 0]), "keyframe 2: its pose is not rigid"),
    ],
)
def test_a_matrix_that_is_no_pose_is_found(tmp_path, frames, pose_44, told):
    def change(keyframe):
        return replace(keyframe, map_T_camera=pose_44) if keyframe.id == 2 else keyframe

    problems = verify(tmp_path, frames[:6], change).problems
    assert [problem for problem in problems if problem.startswith(told)]
    assert len(problems) == 2  # the other problem is missing features


def test_a_damaged_image_is_found(tmp_path, frames):
    def change(keyframe):
        return replace(keyframe, image_jpeg=keyframe.image_jpeg[:50]) if keyframe.id == 3 else keyframe

    problems = verify(tmp_path, frames[:6], change).problems
    assert "keyframe 3: its image is damaged; build the map again" in problems
    assert not [problem for problem in problems if "prune" in problem]


def test_inverted_poses_are_found(tmp_path, frames):
    problems = verify(tmp_path, frames, lambda k: replace(k, map_T_camera=np.linalg.inv(k.map_T_camera))).problems
    assert "the poses are inverted" in problems[-1]


def test_a_sparse_map_is_sound_with_a_remark(tmp_path, frames):
    findings = verify(tmp_path, frames[::8])
    assert [problem for problem in findings.problems if NO_FEATURES not in problem] == []
    assert verify(tmp_path / "dense", frames[:10]).remarks == ()


def test_a_single_keyframe_has_no_neighbours_to_miss(tmp_path, frames):
    assert verify(tmp_path, frames[:1]).remarks == ()


def test_keyframes_that_share_nothing_are_counted(tmp_path, frames):
    def change(keyframe):
        far = keyframe.map_T_camera.copy()
        far[0, 3] += 1000.0 * keyframe.id
        return replace(keyframe, map_T_camera=far) if keyframe.id < 2 else keyframe

    (remark,) = verify(tmp_path, frames[:10], change).remarks
    assert remark.startswith("1 of 10 keyframes share no pixels with a neighbour")


def test_rows_that_other_builders_added_are_kept_when_a_build_takes_back_its_own(tmp_path, frames):
    uri = str(tmp_path / "m")
    store = create_store(uri, "test")
    store.add([compress(frame, i, "s") for i, frame in enumerate(frames[:4])])
    store.remove([1, 2])
    assert connect(uri).open_table("keyframes").to_arrow()["id"].to_pylist() == [0, 3]


def test_why_no_frame_can_be_used_is_told_by_reason(tmp_path, frames):
    lacking = [replace(f, depth_HW=None, missing=("no depth image within 20 ms",)) for f in frames[:3]]
    lacking += [replace(f, map_T_camera=None, missing=("the pose is lost (NaN)",)) for f in frames[3:5]]
    lacking += [replace(frames[5], depth_HW=np.zeros_like(frames[5].depth_HW))]
    with pytest.raises(SequenceError) as told:
        build_map(Listed(lacking), range(6), str(tmp_path / "m"), None, "s", False, quiet)
    why = "3 no depth image within 20 ms; 2 the pose is lost (NaN); 1 its depth image has no pixel with known depth"
    assert str(told.value) == f"listed: 6 of 6 frames cannot be used: {why}; a map needs image, depth and pose"
    assert not (tmp_path / "m").exists()


def test_what_a_frame_lacks(frames):
    def reasons(**changes):
        return rejection_reasons(replace(frames[0], **changes))

    depth_HW = frames[0].depth_HW
    assert reasons() == ()
    assert reasons(depth_HW=None, map_T_camera=None) == ("no depth", "no pose")
    assert reasons(map_T_camera=np.full((4, 4), np.nan)) == ("its pose is not finite",)
    assert reasons(map_T_camera=np.diag([1.0, 1.0, -1.0, 1.0])) == ("its pose is not rigid",)
    assert reasons(depth_HW=np.full_like(depth_HW, np.nan)) == ("its depth image has no pixel with known depth",)
    assert reasons(depth_HW=np.full_like(depth_HW, 80.0)) == ("all of its depth is beyond 65.535 m",)
    for depth_m in (0.04, 101.0):
        with pytest.raises(SequenceError, match="units"):
            reasons(depth_HW=np.full_like(depth_HW, depth_m))


def test_a_frame_without_a_pose_is_never_compressed(frames):
    with pytest.raises(MapError, match="its pose is not finite; leave the frame out"):
        compress(replace(frames[0], map_T_camera=np.full((4, 4), np.inf)), 1, "s")


def test_depth_that_a_keyframe_cannot_hold_is_unknown(frames):
    frame: Frame = frames[0]
    depth_HW = np.full_like(frame.depth_HW, 70.0)
    depth_HW[:, 0], depth_HW[:, 1], depth_HW[:, 2] = np.nan, np.inf, 1.5
    assert np.unique(compress(replace(frame, depth_HW=depth_HW), 1, "s").depth_HW()) == pytest.approx([0, 1.5])
