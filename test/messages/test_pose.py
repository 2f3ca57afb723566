"""Poses and transforms of messages are rigid, or lost with a reason."""

import math

import numpy as np
import pytest
from geometry_msgs.msg import (
    Point,
    PoseStamped,
    PoseWithCovarianceStamped,
    Quaternion,
    Transform,
    TransformStamped,
    Vector3,
)
from hypothesis import example, given
from hypothesis import strategies as st
from nav_msgs.msg import Odometry

from dsm_ros.messages.pose import MAX_POSITION_M, pose_from_msg, stamp_ns_of, transform_from_msg

NAN, INF = math.nan, math.inf
UPRIGHT = (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))  # a quarter turn about z


def pose_stamped(position, quaternion):
    message = PoseStamped()
    message.pose.position, message.pose.orientation = Point(**dict(zip("xyz", position, strict=True))), turn(quaternion)
    return message


def with_covariance(position, quaternion, kind):
    message = kind()
    message.pose.pose = pose_stamped(position, quaternion).pose
    return message


def transform_stamped(position, quaternion):
    translation = Vector3(**dict(zip("xyz", position, strict=True)))
    return TransformStamped(transform=Transform(translation=translation, rotation=turn(quaternion)))


def turn(quaternion):
    return Quaternion(**dict(zip("xyzw", quaternion, strict=True)))


READERS = [
    lambda position, quaternion: pose_from_msg(pose_stamped(position, quaternion)),
    lambda position, quaternion: pose_from_msg(with_covariance(position, quaternion, PoseWithCovarianceStamped)),
    lambda position, quaternion: pose_from_msg(with_covariance(position, quaternion, Odometry)),
    lambda position, quaternion: transform_from_msg(transform_stamped(position, quaternion)),
]
readers = pytest.mark.parametrize("read", READERS, ids=["pose", "covariance", "odometry", "transform"])


@readers
def test_a_pose_worked(read):
    expected = [[0, -1, 0, 1], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]
    assert read((1.0, 2.0, 3.0), UPRIGHT) == pytest.approx(np.array(expected, float))


@readers
@pytest.mark.parametrize(
    ("position", "quaternion", "said"),
    [
        ((NAN, 0.0, 0.0), UPRIGHT, "its position is NaN or infinite"),
        ((0.0, 0.0, -INF), UPRIGHT, "its position is NaN or infinite"),
        ((0.0, 1e308, 0.0), UPRIGHT, "a coordinate of its position is 1e.308 m"),
        ((1.0, 2.0, 3.0), (NAN, 0.0, 0.0, 1.0), "its quaternion is NaN or infinite"),
        ((1.0, 2.0, 3.0), (0.0, 0.0, 0.0, INF), "its quaternion is NaN or infinite"),
        ((1.0, 2.0, 3.0), (0.0, 0.0, 0.0, 0.0), "its quaternion is zero"),
        ((1.0, 2.0, 3.0), (0.0, 0.0, 0.0, 0.5), "norm 0.5 instead of 1"),
    ],
)
def test_lost_poses_are_refused(read, position, quaternion, said):
    with pytest.raises(ValueError, match=said):
        read(position, quaternion)


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(st.sampled_from(READERS), st.tuples(*[numbers] * 3), st.tuples(*[numbers] * 4))
@example(READERS[0], (0.0, 0.0, 1e9), (0.0, 0.0, 0.0, 1.0))
@example(READERS[0], (0.0, 0.0, 1.1e9), (0.0, 0.0, 0.0, 1.0))
def test_any_numbers_give_a_rigid_pose_or_a_refusal(read, position, quaternion):
    try:
        pose = read(position, quaternion)
    except ValueError:
        is_near = np.isfinite(position).all() and max(map(abs, position)) <= MAX_POSITION_M
        assert not is_near or not np.isfinite(quaternion).all() or not 0.9 < math.hypot(*quaternion) < 1.1
    else:
        assert np.isfinite(pose).all()
        assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3), abs=1e-9)


def test_stamps_are_whole_nanoseconds():
    stamp = PoseStamped().header.stamp
    stamp.sec, stamp.nanosec = 1_700_000_000, 123_456_789
    assert stamp_ns_of(stamp) == 1_700_000_000_123_456_789
