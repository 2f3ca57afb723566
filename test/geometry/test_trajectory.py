"""Poses along time: worked values, and what holds whatever comes in whatever order."""

from math import inf

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.geometry.pose import interpolate, make_pose, pose_error
from dsm_ros.geometry.trajectory import Absence, Bridge, Missing, Timing, Trajectory

S = 1_000_000_000
ALWAYS = Timing()
NOW = 1_700_000_000 * S + 123_456_789
vectors = st.lists(st.floats(-3, 3), min_size=3, max_size=3).map(np.array)
poses = st.builds(lambda turn, t: make_pose(cv2.Rodrigues(turn)[0], t), vectors, vectors)
entries = st.dictionaries(st.integers(0, 50), st.none() | poses, min_size=1, max_size=12)
timings = st.builds(
    Timing,
    st.lists(st.builds(Bridge, st.integers(0, 20), st.floats(0, 8), st.floats(0, 180)), max_size=2).map(tuple),
    st.integers(0, 20),
)


def at(x, turn_deg=0.0):
    return make_pose(cv2.Rodrigues(np.radians([0, 0, turn_deg]))[0], [x, 0, 0])


def trajectory_of(entries, timing=ALWAYS):
    trajectory = Trajectory(timing, "odom -> base")
    for stamp_ns, pose in entries:
        trajectory.insert(stamp_ns, pose)
    return trajectory


def missing(answer):
    assert isinstance(answer, Missing), answer
    assert answer.where == "odom -> base"
    return answer.why, answer.reason


def same(one, other):
    """Whether two answers are equal: the same pose, or the same reason."""
    if isinstance(one, Missing) or isinstance(other, Missing):
        return isinstance(one, Missing) and one == other
    return np.array_equal(one, other)


def test_halfway_in_time_is_halfway_in_place_and_angle_at_times_of_today():
    trajectory = trajectory_of([(NOW, at(0)), (NOW + 2 * S, at(4, 80))])
    assert trajectory.at(NOW + S) == pytest.approx(at(2, 40))
    assert trajectory.at(NOW + 2 * S) == pytest.approx(at(4, 80))
    assert trajectory.at(NOW + 1)[0, 3] == pytest.approx(2e-9)


def test_outside_of_its_poses_it_says_by_how_much():
    trajectory = trajectory_of([(10 * S, at(0)), (11 * S, at(1))])
    after, before = trajectory.at(11 * S + S // 4), trajectory.at(0)
    assert missing(after) == (Absence.AFTER_LAST, "odom -> base ends 0.250 s before the requested time")
    assert missing(before) == (Absence.BEFORE_FIRST, "odom -> base begins 10.000 s after the requested time")


def test_the_last_pose_holds_as_long_as_stated_and_the_first_not_before_its_own():
    trajectory = trajectory_of([(10 * S, at(1)), (11 * S, at(2))], Timing(hold_ns=S))
    assert trajectory.at(12 * S)[0, 3] == 2.0
    assert missing(trajectory.at(12 * S + 1))[0] is Absence.AFTER_LAST
    assert missing(trajectory.at(10 * S - 1))[0] is Absence.BEFORE_FIRST


def test_a_loss_ends_the_hold_and_splits_the_poses():
    entries = [(0, at(0)), (2 * S, at(2)), (3 * S, None), (5 * S, at(5)), (6 * S, at(6))]
    trajectory = trajectory_of(entries, Timing(hold_ns=S // 2))
    assert trajectory.at(2 * S + S // 2)[0, 3] == 2.0
    lost = {t: missing(trajectory.at(t)) for t in (2 * S + 3 * S // 4, 3 * S, 4 * S)}
    assert lost == {
        2 * S + 3 * S // 4: (Absence.LOST, "odom -> base is lost 0.250 s after the requested time"),
        3 * S: (Absence.LOST, "odom -> base is lost at the requested time"),
        4 * S: (Absence.LOST, "odom -> base is lost 1.000 s before the requested time"),
    }
    assert trajectory.at(5 * S + S // 2)[0, 3] == 5.5
    assert (trajectory.stamps_ns, len(trajectory), trajectory.newest_ns) == ([0, 2 * S, 5 * S, 6 * S], 4, 6 * S)


def test_after_a_loss_that_nothing_follows_it_stays_lost():
    trajectory = trajectory_of([(0, at(0)), (S, None)], Timing(hold_ns=10 * S))
    assert trajectory.at(S - 1)[0, 3] == 0.0
    assert missing(trajectory.at(2 * S))[0] is Absence.LOST
    assert trajectory.newest_ns == 0


def test_a_trajectory_that_was_never_there():
    empty, lost = trajectory_of([]), trajectory_of([(S, None)])
    assert missing(empty.at(S)) == (Absence.BEFORE_FIRST, "odom -> base has no pose")
    assert [missing(lost.at(t))[0] for t in (0, S, 2 * S)] == [Absence.BEFORE_FIRST, Absence.LOST, Absence.LOST]
    assert (len(lost), lost.stamps_ns, lost.newest_ns) == (0, [], None)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_pose_that_is_not_finite_is_a_loss(value):
    trajectory = trajectory_of([(0, at(0)), (S, at(value)), (2 * S, at(2))])
    assert [missing(trajectory.at(t))[0] for t in (S // 2, S, S + 1)] == [Absence.LOST] * 3


def test_of_one_stamp_the_last_counts_be_it_a_pose_or_a_loss():
    found = trajectory_of([(0, at(0)), (S, None), (2 * S, at(4)), (S, at(1)), (2 * S, at(2))])
    assert [found.at(t)[0, 3] for t in (S // 2, S, 2 * S)] == [0.5, 1.0, 2.0]
    lost = trajectory_of([(0, at(0)), (S, at(1)), (2 * S, at(2)), (S, None)])
    assert [missing(lost.at(t))[0] for t in (S // 2, S, S + 1)] == [Absence.LOST] * 3


@pytest.mark.parametrize(
    ("gap_ns", "stop", "bridged"),
    [
        (S, at(100, 90), True),  # short: any motion is believed
        (S + 1, at(0.3, 10), True),  # long, and nearly parked
        (S + 1, at(0.31, 10), False),
        (S + 1, at(0.3, 11), False),
        (60 * S + 1, at(0), False),  # too long even when parked
    ],
)
def test_a_gap_is_bridged_when_any_one_bridge_allows_all_of_it(gap_ns, stop, bridged):
    short, parked = Bridge(max_gap_ns=S), Bridge(max_gap_ns=60 * S, max_move_m=0.3001, max_turn_deg=10.001)
    trajectory = trajectory_of([(NOW, at(0)), (NOW + gap_ns, stop)], Timing(bridges=(short, parked)))
    answer = trajectory.at(NOW + gap_ns // 2)
    assert bridged == (not isinstance(answer, Missing))
    if not bridged:
        assert missing(answer)[0] is Absence.GAP
    assert same(trajectory.at(NOW + gap_ns), stop)


def test_a_gap_says_what_is_too_much():
    trajectory = trajectory_of([(0, at(0)), (2 * S, at(1.5, 40))], Timing(bridges=(Bridge(max_gap_ns=S),)))
    reason = "odom -> base has a gap of 2.000 s, 1.500 m and 40.0 degrees around the requested time"
    assert missing(trajectory.at(S)) == (Absence.GAP, reason)
    assert missing(trajectory_of([(0, at(0)), (2, at(1))], Timing(bridges=())).at(1))[0] is Absence.GAP


def test_history_drops_what_is_old_and_a_restart_of_time_begins_anew():
    trajectory = trajectory_of([(NOW + i * S, at(i)) for i in range(31)], Timing(history_ns=10 * S))
    assert trajectory.stamps_ns == [NOW + i * S for i in range(20, 31)]
    trajectory.insert(NOW + 20 * S, at(7))
    assert len(trajectory) == 11
    trajectory.insert(NOW + 20 * S - 1, at(7))
    assert trajectory.stamps_ns == [NOW + 20 * S - 1]


@given(entries, timings, st.randoms(use_true_random=False), st.integers(-5, 80))
def test_the_order_of_insertions_does_not_matter(entries, timing, random, stamp_ns):
    shuffled = list(entries.items())
    random.shuffle(shuffled)
    in_order = [(t, entries[t]) for t in sorted(entries)]
    one, other = trajectory_of(in_order, timing), trajectory_of(shuffled, timing)
    assert same(one.at(stamp_ns), other.at(stamp_ns))
    assert one.stamps_ns == other.stamps_ns == sorted(t for t, pose in entries.items() if pose is not None)


@given(poses, poses, st.floats(0.01, 0.99))
def test_between_two_poses_the_way_is_shared_as_the_time_is(start, end, fraction):
    between = trajectory_of([(0, start), (S, end)]).at(round(fraction * S))
    (to_start_m, to_start_deg), (all_m, all_deg) = pose_error(between, start), pose_error(end, start)
    assert to_start_m == pytest.approx(fraction * all_m, abs=1e-6)
    assert to_start_deg == pytest.approx(fraction * all_deg, abs=1e-4)


@given(entries, timings, st.integers(-5, 80))
def test_every_answer_follows_from_the_two_entries_around_it(entries, timing, stamp_ns):
    """The rules once more, in the plainest words: what stands before, what stands after."""
    before = max((t for t in entries if t <= stamp_ns), default=None)
    after = min((t for t in entries if t >= stamp_ns), default=None)
    answer = trajectory_of(entries.items(), timing).at(stamp_ns)
    if before is None:
        assert missing(answer)[0] is Absence.BEFORE_FIRST
    elif entries[before] is None:
        assert missing(answer)[0] is Absence.LOST
    elif before == stamp_ns:
        assert same(answer, entries[before])
    elif after is None or entries[after] is None:
        if stamp_ns - before <= timing.hold_ns:
            assert same(answer, entries[before])
        else:
            assert missing(answer)[0] is (Absence.AFTER_LAST if after is None else Absence.LOST)
    else:
        move_m, turn_deg = pose_error(entries[before], entries[after])
        if any(
            after - before <= bridge.max_gap_ns and move_m <= bridge.max_move_m and turn_deg <= bridge.max_turn_deg
            for bridge in timing.bridges
        ):
            fraction = (stamp_ns - before) / (after - before)
            assert answer == pytest.approx(interpolate(entries[before], entries[after], fraction), abs=1e-9)
        else:
            assert missing(answer)[0] is Absence.GAP


@given(st.lists(st.integers(0, 100), min_size=1, max_size=30), st.integers(0, 40))
def test_history_spans_no_more_than_stated(stamps_ns, history_ns):
    trajectory = trajectory_of([(t, at(t)) for t in stamps_ns], Timing(history_ns=history_ns))
    kept = trajectory.stamps_ns
    assert stamps_ns[-1] in kept
    assert kept[-1] - kept[0] <= history_ns
    everything = trajectory_of([(t, at(t)) for t in stamps_ns], Timing(history_ns=inf))
    assert everything.stamps_ns == sorted(set(stamps_ns))
