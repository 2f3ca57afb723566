"""Bags of a robot with different sources of poses, and the errors of the poses."""

import bag_parts
from robot_bag import BASE_T_CAMERA, OPTICAL, Robot, pose_stamped, stamp, tf

from dsm_ros.geometry.pose import invert, pose_error

ROBOT = Robot(images=6)


def opened(tmp_path, messages, **options):
    """Open a bag of messages as a sequence."""
    return bag_parts.opened(tmp_path, *messages, **options)


def worst_error_m(sequence, robot=ROBOT):
    """Return the largest error of the poses, m; every frame must have one."""
    headers = [sequence.header(i) for i in range(len(sequence))]
    assert all(h.map_T_camera is not None for h in headers), headers[0].missing
    return max(pose_error(h.map_T_camera, robot.truth(h.stamp_ns))[0] for h in headers)


def missing(sequence):
    return [sequence.header(i).missing for i in range(len(sequence))]


def map_T_base(second):
    return ROBOT.map_T_camera(second) @ invert(BASE_T_CAMERA)


def camera_tf(frame="map", child=OPTICAL, robot=ROBOT):
    return [(stamp(s), "/tf", tf(stamp(s), frame, child, robot.map_T_camera(s))) for s in robot.image_seconds()]


def pictures(robot=ROBOT):
    return [*robot.colour(), *robot.aligned_depth()]


def stamped(topic, pose_of, frame="map"):
    return [(stamp(s), topic, pose_stamped(stamp(s), frame, pose_of(s))) for s in ROBOT.image_seconds()]
