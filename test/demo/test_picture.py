from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from dsm_ros.datasets.frame import Frame
from dsm_ros.datasets.rooms.walk import look_rotation
from dsm_ros.demo.animation import save_animation
from dsm_ros.demo.picture import CAMERA_COLOR, picture_of, save_picture, title_of
from dsm_ros.demo.report import Summary
from dsm_ros.evaluation.metrics import FrameScore
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.result import SceneCoordinates, StageTimes

POSES = np.stack([make_pose(look_rotation(yaw, 0.0, 0.0), [2.0 + 0.1 * yaw, 2.0, 1.5]) for yaw in range(5)])


class OnePointMap:
    """A map of a floor."""

    poses_N44, ids = POSES, range(5)

    def points(self, count):
        grid = np.stack(np.meshgrid(np.linspace(0, 4, 30), np.linspace(0, 4, 30), [0.0]), -1).reshape(-1, 3)
        return grid, np.full((len(grid), 3), 90, np.uint8)


class FixedCoordinates:
    """A localizer that answers with the same scene coordinates."""

    def localize(self, view, stamp_ns):
        known, color = np.full((6, 8), 0.9, np.float32), np.full((6, 8, 3), 200, np.uint8)
        coords = SceneCoordinates(np.ones((6, 8, 3)), known, np.zeros((6, 8, 2), np.float32), color)
        return SimpleNamespace(coordinates=coords)


def frame(index):
    camera = Camera(64, 48, 50, 50, 31.5, 23.5)
    return Frame(str(index), index, np.full((48, 64, 3), 40 * index, np.uint8), camera, None, POSES[index])


@pytest.fixture
def summary():
    none = np.empty(0)
    scored = [
        (FrameScore(i, 0.01, 0.1, none, none, StageTimes(), POSES[i] if i else None, POSES[i]), i) for i in range(5)
    ]
    return Summary(scored, POSES[:, :3, 3], {"localized": 4, "frames_processed": 5, "median_translation_m": 0.01})


def test_the_title_counts_images(summary):
    assert title_of(summary, OnePointMap()) == "5 keyframes; 4 of 5 images localized, median error 1.0 cm"


def test_the_camera_is_drawn_only_where_there_is_a_pose(summary):
    picture, pink = picture_of(OnePointMap()), tuple(bytes.fromhex(CAMERA_COLOR[1:]))
    scores = [score for score, _ in summary.scored]
    with_pose, without = (picture.with_paths(picture.points, summary.truth_P3, scores, scores[i]) for i in (2, 0))
    assert (with_pose == pink).all(2).any()
    assert not (without == pink).all(2).any()


def test_picture_and_animation_are_written(summary, tmp_path):
    frames = [frame(i) for i in range(5)]
    save_picture(summary, OnePointMap(), FixedCoordinates(), frames, tmp_path / "demo.png")
    assert cv2.imread(str(tmp_path / "demo.png")).shape == (1056, 1760, 3)
    steps = []
    path = tmp_path / "demo.webp"
    save_animation(summary, OnePointMap(), FixedCoordinates(), frames, path, lambda done, total: steps.append(done))
    assert steps == [1, 2, 3, 4]  # the frames with a pose
    with Image.open(path) as animation:
        assert (animation.n_frames, animation.size) == (4, (880, 528))


def test_nothing_is_drawn_without_frames(tmp_path):
    save_picture(Summary([], np.empty((0, 3)), {}), OnePointMap(), FixedCoordinates(), [], tmp_path / "demo.png")
    assert not (tmp_path / "demo.png").exists()
