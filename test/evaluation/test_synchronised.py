"""Calls that wait for the device return what those that do not wait return."""

import math

import torch

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.evaluation.synchronised import SynchronisedNetwork, synchronised
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Localized
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.scene_map import SceneMap


def test_each_call_waits_once_and_the_pose_stays(network, room_map):
    waits, always_guided = [], LocalizerConfig(guided_confidence=math.inf)
    waiting = SynchronisedNetwork(network, lambda: waits.append(1))
    frame, scene_map = open_rooms("rooms:7")[5], SceneMap.open(room_map, network.model_hash)
    wanted, found = (
        Localizer(scene_map, net, always_guided).localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
        for net in (network, waiting)
    )
    assert isinstance(found, Localized)
    assert (found.map_T_camera == wanted.map_T_camera).all()
    assert len(waits) == 3  # encode, match, match around the pose
    assert waiting.name == network.name
    assert not waiting.training


def test_nothing_waits_on_a_cpu(network):
    assert synchronised(network) is network
    assert network.device == torch.device("cpu")
