"""Poses on a CUDA device beside those of the CPU."""

from copy import deepcopy

import pytest
import torch

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.geometry.pose import pose_error
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.scene_map import SceneMap

DEVICE = "cuda"
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


def test_a_video_has_the_poses_of_the_cpu(room_map, network):
    room = open_rooms("rooms:7/walk=1")
    frames = [room[index] for index in range(0, 200, 20)]
    found = {}
    for device, net in (("cpu", network), (DEVICE, deepcopy(network).to(DEVICE))):
        localizer = Localizer(SceneMap.open(room_map, network.model_hash, device), net)
        found[device] = [
            localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns) for frame in frames
        ]
    for here, there in zip(found["cpu"], found[DEVICE], strict=True):
        assert type(there) is type(here)
        away_m, away_deg = pose_error(there.map_T_camera, here.map_T_camera)
        assert away_m < 0.005
        assert away_deg < 0.2
        assert there.support.confidence == pytest.approx(here.support.confidence, abs=0.05)


def test_features_are_those_of_the_cpu(network):
    frame = open_rooms("rooms:7/walk=1")[0]
    wanted = network.encode(frame.image_HW3, frame.camera)
    found = deepcopy(network).to(DEVICE).encode(frame.image_HW3, frame.camera)
    for a, b in zip(wanted.levels, found.levels, strict=True):
        assert (a * b.cpu()).sum(0).min() > 0.999
