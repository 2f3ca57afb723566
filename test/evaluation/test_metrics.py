import numpy as np
import pytest

from dsm_ros.datasets.frame import Frame
from dsm_ros.evaluation.metrics import (
    FrameScore,
    area_under_roc,
    coordinate_errors_m,
    mahalanobis_squared,
    score_frame,
    summarise,
)
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.result import Localized, NotLocalized, Reason, SceneCoordinates, StageTimes, Support


def score(translation_m, rotation_deg, errors=(), confidences=(), squared=np.inf):
    estimate = np.eye(4) if np.isfinite(translation_m) else None
    cells = np.array(errors), np.array(confidences)
    return FrameScore(0, translation_m, rotation_deg, *cells, StageTimes(), estimate, np.eye(4), squared)


def test_recall_counts_all_frames_and_medians_only_localized_ones():
    scores = [score(0.01, 0.5), score(0.04, 1.0), score(0.7, 3.0), score(np.inf, np.inf)]
    figures = summarise(scores)
    assert figures["n"] == 4
    assert figures["n_localized"] == 3
    assert figures["median_translation_m"] == 0.04
    assert figures["recall_5cm_5deg"] == 0.5
    assert figures["recall_2cm_2deg"] == 0.25
    assert figures["false_accepts_over_50cm"] == 1


def test_limits_are_strict():
    assert summarise([score(0.05, 1.0)])["recall_5cm_5deg"] == 0


def test_nothing_localized_has_no_median():
    figures = summarise([score(np.inf, np.inf)])
    assert figures["median_translation_m"] is None
    assert figures["coordinate_within_10cm"] is None


def test_an_error_is_measured_in_units_of_its_covariance_in_ros_order():
    turn = 0.02
    truth = make_pose([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], [5.0, 2.0, 1.0])
    about_z = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    estimate = make_pose(about_z @ truth[:3, :3], truth[:3, 3] + [0.03, 0, 0])
    deviations = np.array([0.01, 1, 1, 1, 1, 0.01])  # metres along x, radians about z; the rest would not notice
    assert mahalanobis_squared(estimate, truth, np.diag(deviations**2)) == pytest.approx(3**2 + 2**2)


def test_coverage_is_the_share_of_poses_inside_their_ellipsoid():
    inside, outside = score(0.01, 0.5, squared=12.5), score(0.01, 0.5, squared=12.7)
    assert summarise([inside, inside, outside, score(np.inf, np.inf)])["covariance_coverage_95"] == pytest.approx(2 / 3)
    assert summarise([score(np.inf, np.inf)])["covariance_coverage_95"] is None


def test_a_scored_answer_carries_its_error_by_its_own_covariance():
    truth = np.eye(4)
    frame = Frame("f", 0, np.zeros((2, 4, 3), np.uint8), Camera(4, 2, 2.0, 2.0, 1.5, 0.5), None, truth)
    result = Localized(make_pose(np.eye(3), [0.0, 0.2, 0.0]), 0.01 * np.eye(6), Support(), None)
    assert score_frame(frame, truth, result).mahalanobis_squared == pytest.approx(4)
    lost = NotLocalized(Reason.NO_POSE, "")
    assert score_frame(frame, truth, lost).mahalanobis_squared == np.inf


@pytest.mark.parametrize(
    ("scores", "positive", "expected"),
    [([0.9, 0.8, 0.1], [1, 1, 0], 1.0), ([0.1, 0.9], [1, 0], 0.0), ([0.5, 0.5], [1, 0], 0.5), ([0.5], [1], None)],
)
def test_area_under_roc(scores, positive, expected):
    assert area_under_roc(np.array(scores), np.array(positive, bool)) == expected


def test_coordinate_errors_of_worked_cells():
    camera = Camera(4, 2, 2.0, 2.0, 1.5, 0.5)
    depth = np.array([[2, 2, 2, 0], [2, 2, 2, 2]], np.float32)
    frame = Frame("f", 0, np.zeros((2, 4, 3), np.uint8), camera, depth, np.eye(4))
    pixels = np.array([[[0, 0], [3, 0], [1, 1]]], np.float32)
    coords = np.array([[[-1.5, -0.5, 2.3], [0, 0, 0], [9, 9, 9]]])
    confidence = np.array([[0.8, 0.9, 0.0]], np.float32)
    cells = SceneCoordinates(coords, confidence, pixels, np.zeros((1, 3, 3), np.uint8))
    errors, confidences = coordinate_errors_m(frame, np.eye(4), cells)
    assert errors == pytest.approx([0.3, np.inf])
    assert confidences == pytest.approx([0.8, 0.0])
