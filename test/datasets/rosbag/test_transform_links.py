"""Poses of one link of a bag's transform tree."""

import numpy as np

from dsm_ros.datasets.rosbag.transform_links import Link


def test_a_correction_whose_messages_are_all_lost_has_no_pose():
    link = Link()
    link.add(0, None)
    link.add(10, None)
    assert list(link.poses(is_correction=True)) == [(0, None), (10, None)]
    assert list(link.poses(is_correction=False)) == [(0, None), (10, None)]


def test_the_longest_part_of_a_correction_without_a_jump_is_kept():
    link, moved = Link(), np.eye(4)
    moved[0, 3] = 2
    for stamp_ns, pose in ((0, np.eye(4)), (10, moved), (30, moved)):
        link.add(stamp_ns, pose)
    assert [(stamp_ns, pose is None) for stamp_ns, pose in link.poses(is_correction=True)] == [
        (0, True),
        (10, False),
        (30, False),
    ]
