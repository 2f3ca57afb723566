"""The tree of frames: worked values, every kind of missing pose, and random trees against plain matrices."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.geometry.pose import invert, make_pose
from dsm_ros.geometry.trajectory import Absence, Missing, Timing
from dsm_ros.geometry.transform_tree import TransformTree

S = 1_000_000_000
TIME = "the requested time"
vectors = st.lists(st.floats(-3, 3), min_size=3, max_size=3).map(np.array)
poses = st.builds(lambda turn, t: make_pose(cv2.Rodrigues(turn)[0], t), vectors, vectors)


def at(x, y=0.0, turn_deg=0.0):
    return make_pose(cv2.Rodrigues(np.radians([0, 0, turn_deg]))[0], [x, y, 0])


def robot():
    """map -> odom -> base -> (left, right): timed, timed, static."""
    tree = TransformTree()
    tree.add("map", "odom", S, at(10))
    tree.add("map", "odom", 3 * S, at(12))
    tree.add("odom", "base", 0, at(0, turn_deg=90))
    tree.add("odom", "base", 2 * S, at(4, turn_deg=90))
    tree.add("base", "left", None, at(0, 1))
    tree.add("base", "right", None, at(0, -1))
    return tree


def test_a_chain_of_timed_and_static_links_by_hand():
    assert robot().lookup("map", "left", S) == pytest.approx(at(10 + 2 - 1, 0, turn_deg=90))
    assert robot().lookup("left", "map", S) == pytest.approx(invert(at(11, 0, turn_deg=90)))


def test_siblings_meet_at_their_common_ancestor_at_any_time():
    assert robot().lookup("left", "right", 99 * S) == pytest.approx(at(0, -2))


def test_without_a_stamp_the_newest_common_time_is_taken():
    assert robot().lookup("map", "base", None) == pytest.approx(at(11 + 4, turn_deg=90))
    assert robot().lookup("base", "left", None) == pytest.approx(at(0, 1))


def test_the_path_is_told_up_to_the_common_ancestor_and_down():
    assert robot().path("map", "left") == ["left", "base", "odom", "map"]
    assert robot().path("right", "/left") == ["left", "base", "right"]
    assert robot().path("base", "base") == ["base"]
    assert robot().path("base", "lidar").why is Absence.UNKNOWN_FRAME


def test_the_ancestors_are_the_frames_above_nearest_first():
    assert robot().ancestors("/left") == ["base", "odom", "map"]
    assert robot().ancestors("map") == robot().ancestors("lidar") == []


def test_every_kind_of_missing_pose_says_where_and_why():
    tree = robot()
    tree.add("wall", "clock", None, at(0))
    tree.add("base", "arm", S, None)
    answers = {
        ("map", "base", 0): (
            Absence.BEFORE_FIRST,
            "map -> odom",
            "map -> odom begins 1.000 s after the requested time",
        ),
        ("left", "map", 3 * S): (
            Absence.AFTER_LAST,
            "odom -> base",
            "odom -> base ends 1.000 s before the requested time",
        ),
        ("base", "arm", S): (Absence.LOST, "base -> arm", "base -> arm is lost at the requested time"),
        ("base", "arm", None): (Absence.BEFORE_FIRST, "base -> arm", "base -> arm has no pose"),
        ("base", "clock", S): (
            Absence.NOT_CONNECTED,
            "base, clock",
            "frames 'base' and 'clock' are not connected; their roots are 'map' and 'wall'",
        ),
        ("base", "lidar", S): (
            Absence.UNKNOWN_FRAME,
            "lidar",
            "frame 'lidar' is not in the tree, which holds arm, base, clock, left, map, odom, right, wall",
        ),
    }
    assert {asked: tree.lookup(*asked) for asked in answers} == {
        asked: Missing(*told) for asked, told in answers.items()
    }


def test_of_many_frames_the_first_are_named_and_the_others_counted():
    tree = TransformTree()
    assert tree.lookup("a", "b", S).reason == "frame 'a' is not in the tree, which is empty"
    for i in range(20):
        tree.add("root", f"joint_{i:02}", None, at(i))
    assert tree.lookup("a", "root", S).reason.endswith("joint_10, joint_11 and 9 more")


def test_a_frame_is_known_to_itself_and_slashes_of_ros_1_are_removed():
    assert (TransformTree().lookup("base", "/base", S) == np.eye(4)).all()
    tree = TransformTree()
    tree.add("/odom", "//base", S, at(3))
    assert tree.frames == {"odom", "base"}
    assert tree.lookup("/odom", "base", S)[0, 3] == 3.0


def test_a_link_to_another_parent_replaces_the_old_one():
    tree = TransformTree()
    tree.add("floor_1", "odom", S, at(1))
    tree.add("floor_2", "odom", 2 * S, at(2))
    assert tree.lookup("floor_2", "odom", 2 * S)[0, 3] == 2.0
    assert tree.lookup("floor_1", "odom", S).why is Absence.UNKNOWN_FRAME


def test_a_link_of_the_other_kind_replaces_the_old_one():
    tree = TransformTree()
    tree.add("base", "camera", None, at(1))
    tree.add("base", "camera", S, at(2))
    assert tree.lookup("base", "camera", 2 * S).why is Absence.AFTER_LAST
    tree.add("base", "camera", None, at(3))
    assert tree.lookup("base", "camera", 2 * S)[0, 3] == 3.0


def test_a_static_link_that_was_no_pose_is_lost_at_all_times():
    tree = TransformTree()
    tree.add("base", "camera", None, None)
    assert tree.lookup("base", "camera", S) == Missing(
        Absence.LOST, "base -> camera", "base -> camera is static and was sent without a valid pose"
    )
    assert tree.lookup("base", "camera", None).why is Absence.LOST


def test_every_link_has_its_own_timing():
    tree = TransformTree(lambda parent, child: Timing(hold_ns=S if (parent, child) == ("map", "odom") else 0))
    tree.add("/map", "odom", S, at(1))
    tree.add("odom", "base", S, at(1))
    assert tree.lookup("map", "odom", 2 * S)[0, 3] == 1.0
    assert tree.lookup("odom", "base", 2 * S).why is Absence.AFTER_LAST


@pytest.mark.parametrize("stamp_ns", [None, S])
@pytest.mark.parametrize(
    ("parent", "child", "pose"),
    [
        ("a", "a", np.eye(4)),
        ("a", "/a", np.eye(4)),
        ("", "a", np.eye(4)),
        ("a", "/", np.eye(4)),
        ("a", "b", np.full((4, 4), np.nan)),
        ("a", "b", at(np.inf)),
    ],
)
def test_impossible_links_are_refused_and_change_nothing(parent, child, pose, stamp_ns):
    tree = TransformTree()
    tree.add("c", "b", None, at(1))
    with pytest.raises(ValueError, match=r"cannot be the parent|is not finite"):
        tree.add(parent, child, stamp_ns, pose)
    assert tree.frames == {"b", "c"}
    assert tree.lookup("c", "b", S)[0, 3] == 1.0


def test_forgetting_keeps_only_what_is_static():
    tree = robot()
    tree.forget_timed()
    assert tree.frames == {"base", "left", "right"}
    assert tree.lookup("left", "right", S)[1, 3] == -2.0


def test_links_in_a_loop_place_nothing_and_end_the_search():
    tree = TransformTree()
    for parent, child in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "left"), ("c", "right")):
        tree.add(parent, child, None, at(1, 2))
    tree.add("d", "e", None, at(0))
    assert tree.lookup("left", "right", S) == pytest.approx(np.eye(4))
    assert {tree.lookup(*asked, S).why for asked in [("a", "b"), ("b", "a"), ("a", "left")]} == {Absence.NOT_CONNECTED}
    assert tree.lookup("e", "left", S).reason.endswith("their roots are 'd' and 'c' (in a loop)")


@given(st.lists(st.tuples(st.integers(0, 100), poses, poses, st.booleans()), min_size=1, max_size=8), st.data())
def test_any_two_frames_of_any_tree_are_as_the_matrices_say(links, data):
    """Frame i+1 hangs below one of the frames 0..i; its pose in frame 0 is known at both ends of a timed link."""
    tree, root_T_frame = TransformTree(), [np.eye(4)]
    stamp_ns = data.draw(st.sampled_from([0, 4 * S]))
    for child, (draw, start, end, static) in enumerate(links, start=1):
        parent = draw % child
        tree.add(f"{parent}", f"{child}", None if static else 0, start)
        if not static:
            tree.add(f"{parent}", f"{child}", 4 * S, end)
        root_T_frame.append(root_T_frame[parent] @ (start if static or stamp_ns == 0 else end))
    one, other = (data.draw(st.integers(0, len(links))) for _ in range(2))
    expected = invert(root_T_frame[one]) @ root_T_frame[other]
    assert tree.lookup(f"{one}", f"{other}", stamp_ns) == pytest.approx(expected, abs=1e-9)
    path = tree.path(f"{one}", f"{other}")
    assert (path[0], path[-1], len(path)) == (f"{other}", f"{one}", len(set(path)))


@given(poses, poses, poses, st.integers(0, 4 * S))
def test_lookups_compose_and_invert_between_stamps(odom_T_base_1, odom_T_base_2, base_T_camera, stamp_ns):
    tree = TransformTree()
    tree.add("odom", "base", 0, odom_T_base_1)
    tree.add("odom", "base", 4 * S, odom_T_base_2)
    tree.add("base", "camera", None, base_T_camera)
    odom_T_camera = tree.lookup("odom", "camera", stamp_ns)
    composed = tree.lookup("odom", "base", stamp_ns) @ tree.lookup("base", "camera", stamp_ns)
    assert odom_T_camera == pytest.approx(composed, abs=1e-9)
    assert tree.lookup("camera", "odom", stamp_ns) @ odom_T_camera == pytest.approx(np.eye(4), abs=1e-9)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), max_size=12))
def test_no_set_of_links_makes_a_search_endless_or_two_ways_disagree(links):
    tree = TransformTree()
    for parent, child in links:
        if parent != child:
            tree.add(parent, child, None, at(ord(child) - ord(parent), 1))
    for one in tree.frames:
        for other in tree.frames:
            there, back = tree.lookup(one, other, S), tree.lookup(other, one, S)
            assert isinstance(there, Missing) == isinstance(back, Missing) == isinstance(tree.path(one, other), Missing)
            if not isinstance(there, Missing):
                assert there @ back == pytest.approx(np.eye(4))
