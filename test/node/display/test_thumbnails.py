import numpy as np
import pytest

from dsm_ros.datasets.frame import Frame
from dsm_ros.errors import MapError
from dsm_ros.geometry.camera import Camera
from dsm_ros.node.display.thumbnails import Thumbnails
from dsm_ros.scene_map.keyframe import compress

CAMERA = Camera(320, 240, 300.0, 300.0, 160.0, 120.0)
COLORS = {3: (250, 10, 10), 8: (10, 10, 250)}


class CountingMap:
    def __init__(self):
        self.reads = []

    def keyframes(self, ids):
        self.reads.append(ids)
        return [self._keyframe(keyframe_id) for keyframe_id in ids]

    def _keyframe(self, keyframe_id):
        if keyframe_id not in COLORS:
            raise MapError(f"the map has no keyframe {keyframe_id}")
        image = np.full((240, 320, 3), COLORS[keyframe_id], np.uint8)
        depth = np.ones((240, 320), np.float32)
        frame = Frame(name="", image_HW3=image, depth_HW=depth, camera=CAMERA, map_T_camera=np.eye(4), stamp_ns=0)
        return compress(frame, keyframe_id, "test")


def test_pictures_come_small_in_color_and_in_order():
    red, blue = Thumbnails(CountingMap()).of([3, 8])
    assert red.shape == blue.shape == (60, 80, 3)
    assert np.abs(red.astype(int) - COLORS[3]).max() < 12
    assert np.abs(blue.astype(int) - COLORS[8]).max() < 12


def test_each_keyframe_is_read_once():
    scene_map = CountingMap()
    thumbnails = Thumbnails(scene_map)
    thumbnails.of([3])
    thumbnails.of([8, 3])
    thumbnails.of([3, 8])
    assert scene_map.reads == [[3], [8]]


def test_the_oldest_are_forgotten(monkeypatch):
    monkeypatch.setattr("dsm_ros.node.display.thumbnails.REMEMBERED", 1)
    scene_map = CountingMap()
    thumbnails = Thumbnails(scene_map)
    assert len(thumbnails.of([3, 8])) == 2
    thumbnails.of([8])
    thumbnails.of([3])
    assert scene_map.reads == [[3, 8], [3]]


def test_a_keyframe_that_is_gone_is_an_error():
    with pytest.raises(MapError):
        Thumbnails(CountingMap()).of([99])
