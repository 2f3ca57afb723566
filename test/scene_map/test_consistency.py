"""Correct recordings pass; wrong recordings are refused with the right cause."""

from dataclasses import replace
from functools import cache, lru_cache

import numpy as np
import pytest

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import invert, make_pose
from dsm_ros.scene_map.consistency import Consistency
from dsm_ros.scene_map.likely_causes import BASE_R_OPTICAL
from dsm_ros.scene_map.overlap import make_view, overlap, relative_pose

ROOM = "rooms:7/size=160x120"
SOUND = [
    "rooms:1/size=160x120",
    "rooms:4/size=160x120,blank=1",
    "rooms:6/size=160x120,repeat=1",
    "rooms:3/size=160x120,blur=1,noise=1,exposure=1",
    "rooms:2/size=128x96,frames=40",
]
opened = cache(open_sequence)


@lru_cache(maxsize=12)
def frames_of(sequence, step, count=16):
    return [sequence[i] for i in range(0, min(len(sequence), count * step), step)]


def judge(frames):
    consistency = Consistency()
    for frame in frames:
        consistency.add(make_view(frame.image_HW3, frame.depth_HW, frame.camera, frame.map_T_camera), "s")
    return consistency


@pytest.mark.parametrize("step", [1, 10])
@pytest.mark.parametrize("text", SOUND)
def test_sound_rooms_pass(text, step):
    assert judge(frames_of(opened(text), step)).contradiction() is None


@pytest.mark.parametrize("step", [1, 3, 8])
def test_sparse_walks_pass(step):
    assert judge(frames_of(opened("rooms:5/size=160x120,frames=24"), step)).contradiction() is None


@pytest.mark.parametrize("step", [1, 5, 20])
def test_the_kitchen_passes(kitchen, step):
    assert judge(frames_of(kitchen, step, 25)).contradiction() is None


@pytest.mark.parametrize("step", [1, 3])
def test_a_camera_that_turns_by_hand_passes(shared_data, step):
    frames = frames_of(open_sequence(str(shared_data / "fr1_rpy")), step, 25)
    assert judge([frame for frame in frames if frame.map_T_camera is not None]).contradiction() is None


def with_pose(change):
    return lambda frames: [replace(frame, map_T_camera=change(frame.map_T_camera)) for frame in frames]


def with_depth(factor):
    return lambda frames: [replace(frame, depth_HW=frame.depth_HW * np.float32(factor)) for frame in frames]


def with_focal(factor):
    def change(frame):
        camera = replace(frame.camera, fx=frame.camera.fx * factor, fy=frame.camera.fy * factor)
        return replace(frame, camera=camera)

    return lambda frames: [change(frame) for frame in frames]


def scaled(pose_44, factor):
    return make_pose(pose_44[:3, :3], pose_44[:3, 3] * factor)


MIRROR = np.diag([1.0, -1.0, 1.0, 1.0])
BASE_T_OPTICAL = make_pose(BASE_R_OPTICAL, [0.1, 0, 0.3])
SLOW_CAUSES = ("mirrored", "millimetres", "depth times 0.2", "one image")
WRONG = {
    "inverted": (with_pose(invert), "the poses are inverted"),
    "of the base": (with_pose(lambda pose: pose @ invert(BASE_T_OPTICAL)), "looks along x, as base_link does"),
    "as in OpenGL": (with_pose(lambda pose: pose @ np.diag([1.0, -1.0, -1.0, 1.0])), "as in OpenGL"),
    "mirrored": (with_pose(lambda pose: MIRROR @ pose @ MIRROR), "mirrored along y"),
    "millimetres": (with_pose(lambda pose: scaled(pose, 1000)), "multiply positions by 0.001 or depth by 1000"),
    "depth times 5": (with_depth(5), "multiply positions by 5 or depth by 0.2"),
    "depth times 0.2": (with_depth(0.2), "multiply positions by 0.2 or depth by 5"),
    "K of twice the size": (with_focal(2), "would fit when multiplied by 0.5"),
    "K of half the size": (with_focal(0.5), "would fit when multiplied by 2"),
    "one image": (
        lambda frames: [replace(frame, image_HW3=frames[0].image_HW3) for frame in frames],
        "images stay the same while poses move",
    ),
    "one pose": (
        lambda frames: [replace(frame, map_T_camera=frames[0].map_T_camera) for frame in frames],
        "check for two sources of one transform, poses of another robot or camera",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_room_is_named(name):
    change, told = WRONG[name]
    assert told in judge(change(frames_of(opened(ROOM), 5, 19))).contradiction()


def test_depth_of_other_stamps_is_told():
    frames = frames_of(opened("rooms:7/size=160x120,frames=24"), 1, 24)
    late = [replace(frame, depth_HW=frames[i - 22].depth_HW) for i, frame in enumerate(frames)]
    assert "the depth fits the images worse than a flat wall" in judge(late).contradiction()


@pytest.mark.parametrize(
    "name",
    [
        "inverted",
        "of the base",
        *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW_CAUSES),
    ],
)
def test_what_is_wrong_with_the_kitchen_is_named(kitchen, name):
    change, told = WRONG[name]
    assert told in judge(change(frames_of(kitchen, 5, 32))).contradiction()


def test_a_parked_camera_tells_nothing():
    frame = opened(ROOM)[0]
    rng = np.random.default_rng(0)
    noisy = [
        replace(
            frame, image_HW3=np.clip(frame.image_HW3 + rng.normal(0, 8, frame.image_HW3.shape), 0, 255).astype(np.uint8)
        )
        for _ in range(20)
    ]
    consistency = judge(noisy)
    assert consistency.contradiction() is None
    assert consistency.pairs == 0


def test_an_overlap_of_known_size():
    """A step of 0.5 m parallel to a wall at 2 m moves the image by a quarter of its width when f = width."""
    rng = np.random.default_rng(0)
    camera = replace(opened(ROOM).camera, fx=160.0, fy=160.0)
    wall_HW3 = np.repeat(np.repeat(rng.integers(0, 255, (60, 100, 1), np.uint8), 2, 0), 2, 1).repeat(3, 2)
    depth_HW = np.full((120, 160), 2.0, np.float32)
    one = make_view(wall_HW3[:, :160], depth_HW, camera, np.eye(4))
    other = make_view(wall_HW3[:, 40:200], depth_HW, camera, make_pose(np.eye(3), [0.5, 0, 0]))
    fit = overlap(one, other, relative_pose(one, other))
    assert fit.shared == pytest.approx(0.75, abs=0.01)
    assert fit.moved == pytest.approx(0.25, abs=0.01)
    assert fit.in_front == 0
    assert fit.agreeing == fit.shared
    assert fit.correlation > 0.9
    behind = overlap(one, other, make_pose(np.eye(3), [-0.5, 0, -1.0]))
    assert behind.in_front == 1
    assert not behind.meets


def test_a_build_of_inverted_poses_ends_before_anything_is_written(tmp_path):
    from dsm_ros.scene_map.builder import build_map

    class Inverted:
        name = "inverted"
        sequence = opened(ROOM)

        def __getitem__(self, index):
            frame = self.sequence[index]
            return replace(frame, map_T_camera=invert(frame.map_T_camera))

    with pytest.raises(SequenceError, match=r"inverted: .* contradict each other.*the poses are inverted"):
        build_map(Inverted(), range(0, 300, 5), str(tmp_path / "m"), None, "s", False, lambda done, total: None)
    assert not (tmp_path / "m").exists()
