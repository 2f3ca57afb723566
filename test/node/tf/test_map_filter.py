import cv2
import numpy as np
import pytest

from dsm_ros.geometry.pose import make_pose, pose_error
from dsm_ros.geometry.pose_covariance import UncertainPose
from dsm_ros.node.tf.map_filter import MapEstimate, fused

NOISE, FIXES, PERIOD_NS = 0.02, 200, 100_000_000
SIGMA_6 = np.array([0.05, 0.05, 0.05, 0.02, 0.02, 0.02])


def at(x, y=0.0, turn=0.0):
    return make_pose(cv2.Rodrigues(np.array([0.0, 0.0, turn]))[0], [x, y, 0])


def measured(pose, rng):
    error_6 = rng.normal(size=6) * SIGMA_6
    noisy = make_pose(cv2.Rodrigues(error_6[3:])[0] @ pose[:3, :3], pose[:3, 3] + error_6[:3])
    return UncertainPose(noisy, np.diag(SIGMA_6**2))


def drive(noise, rng):
    """The distance of the estimate from the truth, m, and its deviation by the filter, after each fix of a drive."""
    estimate, rows, truth_T_odom = None, [], at(1.0, -2.0, 0.3)
    for i in range(FIXES):
        odom_T_b = at(0.02 * i, 0.5 * np.sin(0.05 * i), 0.01 * i)
        fix = measured(truth_T_odom @ odom_T_b, rng)
        stamp_ns = i * PERIOD_NS
        last, estimate = estimate, MapEstimate(fix, odom_T_b, stamp_ns)
        if last:
            estimate, _ = last.corrected(fix, odom_T_b, stamp_ns, noise)
        error_m, _ = pose_error(estimate.pose.a_T_b, truth_T_odom @ odom_T_b)
        rows.append((error_m, np.sqrt(np.trace(estimate.pose.covariance_66[:3, :3]))))
    return np.array(rows[FIXES // 4 :])


def test_averaging_makes_the_error_smaller_and_the_covariance_says_so():
    errors_m, sigmas_m = drive(NOISE, np.random.default_rng(0)).T
    raw_m, _ = drive(0.0, np.random.default_rng(0)).T
    assert np.median(errors_m) < 0.5 * np.median(raw_m)
    assert (errors_m < 2.5 * sigmas_m).mean() > 0.9


def stand(estimate, truth, count, rng):
    """The estimate, and its distance from the truth (m), after each fix of a robot whose odometry stands still."""
    errors_m = []
    for _ in range(count):
        stamp_ns = estimate.stamp_ns + PERIOD_NS
        estimate, _ = estimate.corrected(measured(truth, rng), at(0), stamp_ns, NOISE)
        errors_m.append(pose_error(estimate.pose.a_T_b, truth)[0])
    return estimate, np.array(errors_m)


def test_a_robot_that_is_pushed_after_a_long_rest_is_followed_within_seconds():
    rng = np.random.default_rng(1)
    estimate, errors_m = stand(MapEstimate(measured(at(0), rng), at(0), 0), at(0), 1000, rng)
    assert np.median(errors_m[100:]) < 0.3 * np.sqrt((SIGMA_6[:3] ** 2).sum())
    _, errors_m = stand(estimate, at(0.15), 100, rng)
    assert errors_m[0] > 0.1
    assert errors_m[-10:].max() < 0.05


def test_without_noise_each_pose_replaces_the_last():
    before = MapEstimate(UncertainPose(at(0), np.eye(6)), at(0), 0)
    fix = UncertainPose(at(3, 1), np.eye(6))
    after, jump = before.corrected(fix, at(2), 0, 0.0)
    assert after.pose is fix
    assert jump.distance_m == pytest.approx(np.hypot(1, 1))
    assert after.map_T_odom == pytest.approx(at(1, 1))


def test_a_pose_that_contradicts_the_estimate_replaces_it():
    before = MapEstimate(UncertainPose(at(0), np.eye(6) * 1e-4), at(0), 0)
    near, far = (UncertainPose(at(x), np.eye(6) * 1e-4) for x in (0.02, 5.0))
    assert before.corrected(near, at(0), 0, NOISE)[0].pose.a_T_b == pytest.approx(at(0.01))
    after, jump = before.corrected(far, at(0), 0, NOISE)
    assert (after.pose.a_T_b == far.a_T_b).all()
    assert jump.distance_m == pytest.approx(5.0)


def test_a_certain_pose_weighs_more_in_each_direction():
    predicted = UncertainPose(at(0), np.diag([1e-4, 1e-2, 1e-4, 1e-4, 1e-4, 1e-4]))
    fix = UncertainPose(at(0.01, 0.1), np.diag([1e-2, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4]))
    x, y, _ = fused(predicted, fix).a_T_b[:3, 3]
    assert (x, y) == (pytest.approx(0.01 / 101), pytest.approx(0.1 * 100 / 101))


def test_the_uncertainty_grows_with_the_motion_of_the_odometry():
    estimate = MapEstimate(UncertainPose(at(0), np.zeros((6, 6))), at(0), 0)
    assert np.diag(estimate.predicted(at(4.0), 0, NOISE).covariance_66)[:3] == pytest.approx(4 * NOISE**2)
    assert np.diag(estimate.predicted(at(0, turn=2.0), 0, NOISE).covariance_66)[3:] == pytest.approx(2 * NOISE**2)
    steps = estimate.pose
    for i in range(4):
        steps = MapEstimate(steps, at(float(i)), 0).predicted(at(i + 1.0), 0, NOISE)
    assert steps.covariance_66[0, 0] == pytest.approx(4 * NOISE**2)


def test_in_a_plane_the_estimate_stays_level_and_at_its_height():
    rng, height_m = np.random.default_rng(2), 0.1
    estimate = MapEstimate(measured(at(0), rng).in_plane(height_m), at(0), 0)
    for i in range(50):
        odom_T_b = at(0.1 * i, 0, 0.02 * i)
        estimate, _ = estimate.corrected(measured(odom_T_b, rng).in_plane(height_m), odom_T_b, i * PERIOD_NS, NOISE)
    assert estimate.map_T_odom[2] == pytest.approx([0, 0, 1, height_m], abs=1e-12)
