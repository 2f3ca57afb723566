import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.geometry.pose import invert, make_pose, pose_error
from dsm_ros.localization.motion import Fix, Motion


def turned(angle_deg, x=0.0):
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return make_pose([[c, -s, 0], [s, c, 0], [0, 0, 1]], [x, 0, 0])


def after(*fixes, max_gap_s=1.0):
    motion = Motion(max_gap_s)
    for stamp_ms, pose, *odometry in fixes:
        motion.add(Fix(stamp_ms * 1_000_000, pose, *odometry))
    return motion


def test_nothing_is_predicted_before_the_first_fix():
    assert Motion(1.0).predict(5) is None


def test_one_fix_predicts_itself_for_a_while():
    motion = after((100, turned(10, 1.0)))
    assert motion.predict(600_000_000).map_T_camera == pytest.approx(turned(10, 1.0))
    assert motion.predict(600_000_000).extrapolated_s == pytest.approx(0.5)
    assert motion.predict(1_200_000_000) is None
    assert motion.predict(99_000_000) is None


def test_the_prediction_for_the_stamp_of_the_last_fix_is_that_fix():
    assert after((100, turned(10, 1.0))).predict(100_000_000).map_T_camera == pytest.approx(turned(10, 1.0))
    prediction = after((0, turned(0, 0.0)), (100, turned(5, 0.1))).predict(100_000_000)
    assert prediction.map_T_camera == pytest.approx(turned(5, 0.1))
    assert prediction.extrapolated_s == 0


def test_two_fixes_predict_by_constant_velocity():
    motion = after((0, turned(0, 0.0)), (100, turned(5, 0.1)))
    assert motion.predict(200_000_000).map_T_camera == pytest.approx(turned(10, 0.2), abs=1e-9)
    assert motion.predict(250_000_000).map_T_camera == pytest.approx(turned(12.5, 0.25), abs=1e-9)


def test_an_old_fix_says_nothing_about_velocity():
    motion = after((0, turned(0, 0.0)), (5000, turned(5, 0.1)))
    assert motion.predict(5_100_000_000).map_T_camera == pytest.approx(turned(5, 0.1))


@given(st.floats(-170, 170), st.floats(-3, 3), st.floats(-170, 170))
def test_odometry_predicts_exactly_wherever_its_origin_is(turn_deg, step_m, origin_deg):
    odom_T_map = turned(origin_deg, 7.0)
    first, second = turned(20, 1.0), turned(20 + turn_deg, 1.0 + step_m)
    motion = after((100, first, odom_T_map @ first))
    prediction = motion.predict(200_000_000, odom_T_map @ second)
    assert prediction.extrapolated_s == 0
    predicted = prediction.map_T_camera
    assert pose_error(predicted, second) == pytest.approx((0, 0), abs=1e-5)
    assert pose_error(predicted @ invert(second), np.eye(4))[0] < 1e-6
