import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.geometry import pose as p

vectors = st.lists(st.floats(-3, 3), min_size=3, max_size=3).map(np.array)


def pose_of(rotation_vector, translation):
    return p.make_pose(cv2.Rodrigues(np.asarray(rotation_vector, dtype=float))[0], translation)


@given(vectors, vectors)
def test_inverse_and_quaternion_round_trip(rotation, translation):
    pose = pose_of(rotation, translation)
    assert p.invert(pose) @ pose == pytest.approx(np.eye(4), abs=1e-9)
    again = p.pose_from_quaternion(pose[:3, 3], p.quaternion_xyzw(pose))
    assert again == pytest.approx(pose, abs=1e-9)


def test_quaternion_of_a_quarter_turn_about_z():
    quarter = pose_of([0, 0, np.pi / 2], [0, 0, 0])
    assert p.quaternion_xyzw(quarter) == pytest.approx([0, 0, np.sqrt(0.5), np.sqrt(0.5)])
    assert p.transform(quarter, [1.0, 0, 0]) == pytest.approx([0, 1, 0])


@pytest.mark.parametrize("degrees", [0.0, 1e-4, 1.0, 90.0, 179.9, 180.0])
def test_rotation_angle_at_both_ends(degrees):
    pose = pose_of([np.radians(degrees), 0, 0], [0, 0, 0])
    assert p.rotation_angle_deg(pose) == pytest.approx(degrees, abs=1e-5)


def test_pose_error_in_metres_and_degrees():
    truth = pose_of([0.1, 0.2, 0.3], [1, 2, 3])
    estimate = truth @ pose_of([0, np.radians(2), 0], [0.03, 0, 0.04])
    assert p.pose_error(estimate, truth) == pytest.approx((0.05, 2.0))


def test_nearest_rotation_is_a_rotation_and_refuses_others():
    skewed = cv2.Rodrigues(np.array([0.3, -0.2, 0.1]))[0] * 0.9999 + 1e-4
    nearest = p.nearest_rotation(skewed)
    assert nearest @ nearest.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(nearest) == pytest.approx(1)
    for wrong in (np.zeros((3, 3)), 2 * np.eye(3), np.full((3, 3), np.nan)):
        with pytest.raises((ValueError, np.linalg.LinAlgError)):
            p.nearest_rotation(wrong)


@given(vectors, vectors, st.floats(0, 1))
def test_interpolation_moves_evenly(rotation, translation, fraction):
    start, stop = np.eye(4), pose_of(0.5 * rotation / max(1, np.linalg.norm(rotation)), translation)
    middle = p.interpolate(start, stop, fraction)
    assert middle[:3, 3] == pytest.approx(fraction * translation, abs=1e-9)
    assert p.rotation_angle_deg(middle) == pytest.approx(fraction * p.rotation_angle_deg(stop), abs=1e-4)


def test_quaternion_far_from_unit_is_refused():
    with pytest.raises(ValueError, match="norm"):
        p.pose_from_quaternion([0, 0, 0], [0, 0, 0, 0])
