"""SIFT as a peer: it localizes a rendered room, and knows when it sees nothing."""

import numpy as np
import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.evaluation.peers.peer import KeypointPeer
from dsm_ros.evaluation.peers.sift import Sift
from dsm_ros.geometry.pose import pose_error
from dsm_ros.scene_map.keyframe import compress


class RecordingSift(Sift):
    """SIFT that records the shapes of the images it is given."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def describe(self, image_HW3):
        self.shapes.append(image_HW3.shape)
        return super().describe(image_HW3)


@pytest.fixture(scope="module")
def room():
    return open_rooms("rooms:3/size=320x240")


@pytest.fixture(scope="module")
def peer(room):
    peer = KeypointPeer(Sift(), 8 / 320)
    for i in (0, 6):
        peer.prepare(compress(room[i], i, "s"))
    return peer


def test_an_image_between_two_keyframes_is_localized(room, peer):
    pose = peer.localize(room[3].image_HW3, room[3].camera, [0, 6])
    translation_m, rotation_deg = pose_error(pose, room[3].map_T_camera)
    assert translation_m < 0.03
    assert rotation_deg < 1


def test_a_blank_image_or_no_keyframe_gives_no_pose(room, peer):
    assert peer.localize(np.full_like(room[3].image_HW3, 128), room[3].camera, [0, 6]) is None
    assert peer.localize(room[3].image_HW3, room[3].camera, []) is None


def test_a_larger_image_is_seen_at_its_own_size():
    large = open_rooms("rooms:3/size=640x480")
    method = RecordingSift()
    peer = KeypointPeer(method, 8 / 320)
    peer.prepare(compress(large[0], 0, "s"))
    assert peer.localize(large[3].image_HW3, large[3].camera, [0]) is not None
    assert method.shapes[-1] == (480, 640, 3)
