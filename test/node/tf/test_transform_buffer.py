import importlib.util
import threading
import time

import numpy as np
import pytest

from dsm_ros.geometry.pose import invert, make_pose
from dsm_ros.geometry.trajectory import Absence, Missing
from dsm_ros.node.tf.transform_buffer import TransformBuffer

S = 1_000_000_000
TF2 = pytest.param(
    "tf2",
    marks=[
        pytest.mark.full_ros,
        pytest.mark.skipif(importlib.util.find_spec("tf2_ros") is None, reason="tf2_ros is not installed"),
    ],
)


def at(x, y=0.0, turn_deg=0.0):
    turn = np.radians(turn_deg)
    rotation = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    return make_pose(rotation, [x, y, 0])


@pytest.fixture(params=["ours", TF2])
def buffer(request):
    """The contract is one for both buffers."""
    if request.param == "ours":
        return TransformBuffer()
    from dsm_ros.node.tf.tf2_buffer import Tf2Buffer

    return Tf2Buffer()


def reason(answer):
    assert isinstance(answer, Missing), answer
    return answer.reason


def test_a_chain_of_static_and_dynamic_edges_by_hand(buffer):
    buffer.add("odom", "base", 5 * S, at(1, 2, turn_deg=90))
    buffer.add("base", "camera", None, at(0.5))
    odom_T_camera = buffer.lookup("odom", "camera", 5 * S)
    assert odom_T_camera == pytest.approx(at(1, 2.5, turn_deg=90))
    assert buffer.lookup("camera", "odom", 5 * S) == pytest.approx(invert(at(1, 2.5, turn_deg=90)))


def test_siblings_meet_at_their_common_parent_whatever_is_above_it(buffer):
    buffer.add("map", "base", 1 * S, at(9))  # too old to be asked at 5 s, and not needed
    buffer.add("base", "left", None, at(0, 1))
    buffer.add("base", "right", None, at(0, -1))
    assert buffer.lookup("left", "right", 5 * S) == pytest.approx(at(0, -2))


def test_halfway_in_time_is_halfway_in_place_and_angle(buffer):
    buffer.add("odom", "base", 10 * S, at(0, turn_deg=0))
    buffer.add("odom", "base", 12 * S, at(4, turn_deg=80))
    assert buffer.lookup("odom", "base", 11 * S) == pytest.approx(at(2, turn_deg=40))
    assert buffer.lookup("odom", "base", 12 * S) == pytest.approx(at(4, turn_deg=80))


def test_samples_out_of_order_are_put_in_order(buffer):
    for second in (12, 10, 11):
        buffer.add("odom", "base", second * S, at(second**2))
    assert buffer.lookup("odom", "base", 10 * S + S // 2)[0, 3] == pytest.approx(110.5)


def test_of_two_samples_with_one_stamp_the_last_counts(buffer):
    buffer.add("odom", "base", S, at(1))
    buffer.add("odom", "base", S, at(2))
    assert buffer.lookup("odom", "base", S)[0, 3] == 2.0
    buffer.add("odom", "base", 3 * S, at(4))
    buffer.add("odom", "base", 3 * S, at(6))
    assert buffer.lookup("odom", "base", 3 * S)[0, 3] == 6.0


def test_what_is_missing_is_told_by_kind_with_a_reason(buffer):
    buffer.add("odom", "base", 10 * S, at(0))
    buffer.add("odom", "base", 11 * S, at(1))
    buffer.add("mount", "camera", None, at(0))
    answers = {
        ("odom", "base", 0): Absence.BEFORE_FIRST,
        ("odom", "base", 10 * S - 1): Absence.BEFORE_FIRST,
        ("base", "odom", 11 * S + 1): Absence.AFTER_LAST,
        ("odom", "camera", 10 * S): Absence.NOT_CONNECTED,
        ("odom", "lidar", 10 * S): Absence.UNKNOWN_FRAME,
    }
    found = {asked: buffer.lookup(*asked) for asked in answers}
    assert {asked: missing.why for asked, missing in found.items()} == answers
    assert all(missing.reason and not missing.reason.endswith(".") for missing in found.values())


def test_without_a_stamp_the_newest_common_time_is_taken(buffer):
    for second in (1, 2, 3):
        buffer.add("odom", "base", second * S, at(second))
    buffer.add("base", "head", 1 * S, at(0, 1))
    buffer.add("base", "head", 2 * S, at(0, 2))
    assert buffer.lookup("odom", "head", None) == pytest.approx(at(2, 2))
    buffer.add("base", "camera", None, at(5))
    assert buffer.lookup("base", "camera", None) == pytest.approx(at(5))


def test_a_frame_is_known_to_itself_and_old_style_names_are_understood(buffer):
    assert (buffer.lookup("base", "/base", S) == np.eye(4)).all()
    buffer.add("/odom", "/base", S, at(3))
    assert buffer.lookup("odom", "base", S)[0, 3] == 3.0


def test_ten_seconds_are_kept_and_a_restart_of_time_begins_anew():
    buffer = TransformBuffer()
    for second in range(100, 131):
        buffer.add("odom", "base", second * S, at(second))
    assert buffer.lookup("odom", "base", 120 * S)[0, 3] == 120.0
    assert "begins 1.000 s after" in reason(buffer.lookup("odom", "base", 119 * S))
    buffer.add("odom", "base", 50 * S, at(7))
    assert buffer.lookup("odom", "base", 50 * S)[0, 3] == 7.0
    assert isinstance(buffer.lookup("odom", "base", 130 * S), Missing)


def test_clear_keeps_only_what_is_static(buffer):
    buffer.add("odom", "base", S, at(1))
    buffer.add("base", "camera", None, at(2))
    buffer.clear()
    assert isinstance(buffer.lookup("odom", "base", S), Missing)
    assert buffer.lookup("base", "camera", S)[0, 3] == 2.0


@pytest.mark.parametrize(
    ("parent", "child", "pose"),
    [("a", "a", np.eye(4)), ("", "a", np.eye(4)), ("a", "", np.eye(4)), ("a", "b", np.full((4, 4), np.nan))],
)
def test_impossible_transforms_are_refused_and_change_nothing(buffer, parent, child, pose):
    with pytest.raises(ValueError):
        buffer.add(parent, child, S, pose)
    assert isinstance(buffer.lookup("a", "b", S), Missing)


def later(seconds, call):
    timer = threading.Timer(seconds, call)
    timer.start()
    return timer


def test_waiting_ends_as_soon_as_the_sample_is_there(buffer):
    buffer.add("odom", "base", 1 * S, at(1))
    timer = later(0.1, lambda: buffer.add("odom", "base", 3 * S, at(3)))
    started_s = time.monotonic()
    assert buffer.wait("odom", "base", 2 * S, timeout_s=20)[0, 3] == pytest.approx(2.0)
    assert 0.05 < time.monotonic() - started_s < 5
    timer.join()


def test_other_news_does_not_end_the_waiting_and_the_timeout_does(buffer):
    timer = later(0.05, lambda: buffer.add("base", "camera", None, at(1)))
    started_s = time.monotonic()
    assert isinstance(buffer.wait("odom", "base", S, timeout_s=0.2), Missing)
    assert 0.2 <= time.monotonic() - started_s < 2
    timer.join()


def test_many_threads_may_add_and_look_up_at_once():
    buffer = TransformBuffer()
    buffer.add("odom", "base", 0, at(0))
    failures = []

    def look():
        for stamp_ns in range(0, 2000, 7):
            answer = buffer.wait("odom", "base", stamp_ns * 1000, timeout_s=20)
            if isinstance(answer, Missing) or abs(answer[0, 3] - stamp_ns) > 1e-6:
                failures.append(answer)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for x in range(1, 2001):
        buffer.add("odom", "base", x * 1000, at(x))
    for thread in threads:
        thread.join()
    assert not failures
