"""Frames on a device that is not there: the host's poses, and few crossings between host and device."""

from copy import deepcopy
from dataclasses import replace

import cv2
import numpy as np
import pytest
from simulated_device import NAME, put, simulated_device

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.matching import Matcher
from dsm_ros.localization.view import View, single_view
from dsm_ros.network.recorded import Recorder
from dsm_ros.scene_map.scene_map import SceneMap

from .localizers import ALWAYS_GUIDED, needs_poselib

# The image, its descriptor and the result of the first match; the matrices of its scene; the poses of two views of
# surfaces, with the visible cells and the depths of the map.
FRAME = 8
# Its result; the matrices of its scene and of the choice of its keyframes, and what they show. Its cells need no depths
# of the map.
GUIDED = 3
FUSION = 1
# Maximum difference of poses, in m. Both devices add products in different orders, and the last step of PnP is up to
# 1e-5 m long. The difference is 1.3e-7 m with NumPy 2 and OpenCV 5, and 2.0e-5 m with NumPy 1.26 and OpenCV 4.6.
MAX_DIFFERENCE = 1e-4
NEVER_ALONE = 0.5  # alpha: the previous frame always counts


@pytest.fixture
def frames():
    room = open_rooms("rooms:7/walk=1")
    return [room[index] for index in (0, 1)]


@pytest.fixture
def on(room_map, network):
    """Make what localizes on a device: a network and the map, all of whose features are there already."""

    def build(device):
        scene_map = SceneMap.open(room_map, network.model_hash, device)
        scene_map.preload(len(scene_map.ids))
        return scene_map, network if device == "cpu" else put(deepcopy(network))

    return build


def poses(localizer, frames, crossings=None):
    """Localize frames and return poses and the crossings of each frame."""
    found, counts = [], []
    for frame in frames:
        before = crossings.total if crossings else 0
        found.append(localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns).map_T_camera)
        counts.append(crossings.total - before if crossings else 0)
    return np.array(found), counts


def fusing(scene_map, network):
    """Make a localizer that fuses the previous frame however confident the first match is."""
    return Localizer(scene_map, network, ALWAYS_GUIDED, Matcher(network, lambda confidence: NEVER_ALONE))


@pytest.mark.parametrize("keyframes", [4, 10])
@pytest.mark.parametrize(
    ("guided", "crossings_of_a_frame"), [(LocalizerConfig(), FRAME), (ALWAYS_GUIDED, FRAME + GUIDED)]
)
def test_single_images_cross_as_often_however_many_keyframes_there_are(
    on, frames, keyframes, guided, crossings_of_a_frame
):
    config = replace(guided.with_keyframes(keyframes), temporal=False, guided_keyframes=keyframes)
    wanted, _ = poses(Localizer(*on("cpu"), config), frames)
    with simulated_device() as crossings:
        found, counts = poses(Localizer(*on(NAME), config), frames, crossings)
    assert np.abs(found - wanted).max() < MAX_DIFFERENCE
    assert counts == [crossings_of_a_frame] * len(frames), f"\n{crossings}"


def test_a_video_crosses_once_more_for_the_expected_surface_and_once_for_the_previous_frame(on, frames):
    wanted, _ = poses(fusing(*on("cpu")), frames)
    with simulated_device() as crossings:
        found, counts = poses(fusing(*on(NAME)), frames, crossings)
    assert np.abs(found - wanted).max() < MAX_DIFFERENCE
    assert counts == [FRAME + GUIDED, FRAME + GUIDED + FUSION], f"\n{crossings}"


def test_functions_that_a_gpu_records_never_cross(on, frames, monkeypatch):
    call, crossed = Recorder.__call__, []

    def watched(recorder, *args):
        before = crossings.total
        result = call(recorder, *args)
        crossed.append(crossings.total - before)
        return result

    monkeypatch.setattr(Recorder, "__call__", watched)
    with simulated_device() as crossings:
        poses(Localizer(*on(NAME), ALWAYS_GUIDED), frames, crossings)
    assert len(crossed) >= 6 * len(frames)  # the encoder, two scenes, two matches, and the depths of keyframes between
    assert not any(crossed), f"\n{crossings}"


@needs_poselib
def test_a_rig_crosses_as_often_as_its_cameras_do(on, frames):
    turned = make_pose(cv2.Rodrigues(np.array([0.0, 0.02, 0.0]))[0], [0.02, 0.0, 0.0])
    views = [
        View(name, frame.image_HW3, frame.camera, pose)
        for name, frame, pose in zip(("a", "b"), frames, (np.eye(4), turned), strict=True)
    ]
    wanted = Localizer(*on("cpu"), ALWAYS_GUIDED).localize(views, 0).map_T_camera
    with simulated_device() as crossings:
        rig = Localizer(*on(NAME), ALWAYS_GUIDED)
        crossings.counts.clear()
        found = rig.localize(views, 0).map_T_camera
    assert np.abs(found - wanted).max() < MAX_DIFFERENCE
    assert crossings.total == len(views) * (FRAME + GUIDED), f"\n{crossings}"
