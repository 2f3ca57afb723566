"""Transitions over real DDS, in any order and failing ones, leak nothing and end nothing."""

import os
import random
import time
from collections import deque
from pathlib import Path

import pytest
import rclpy
from dds_peer import TIMEOUT_S, Peer, run_node
from diagnostic_msgs.msg import DiagnosticStatus
from dsm_ros.srv import LoadMap
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.action import get_action_server_names_and_types_by_node
from rclpy.parameter import Parameter

from dsm_ros.node.outputs.diagnostics import TASKS

TRANSITIONS = 100
FAILED_CONFIGURES = 100
WAYS = {
    State.PRIMARY_STATE_UNCONFIGURED: [Transition.TRANSITION_CONFIGURE],
    State.PRIMARY_STATE_INACTIVE: [Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_CLEANUP],
    State.PRIMARY_STATE_ACTIVE: [Transition.TRANSITION_DEACTIVATE],
}
ALL = sorted({way for ways in WAYS.values() for way in ways})
# rclpy of Humble and Jazzy does not answer a request for a transition that the present state does not have.
ANSWERS_ALL = os.environ.get("ROS_DISTRO") not in ("humble", "jazzy")


class Manager:
    """Asks the node for transitions, as a lifecycle manager does."""

    def __init__(self, peer):
        self._peer = peer
        self._change = peer.node.create_client(ChangeState, "relocalizer/change_state")
        self._get = peer.node.create_client(GetState, "relocalizer/get_state")
        self._set = peer.node.create_client(SetParameters, "relocalizer/set_parameters")
        peer.wait(lambda: all(client.service_is_ready() for client in (self._change, self._get, self._set)))
        settled_endpoints(peer)  # an answer is lost where the node has not discovered this client yet

    def state(self):
        return self._ask(self._get, GetState.Request()).current_state.id

    def change(self, transition):
        return self._ask(self._change, ChangeState.Request(transition=Transition(id=transition))).success

    def set_map(self, map_uri):
        parameter = Parameter("map", value=map_uri).to_parameter_msg()
        request = SetParameters.Request(parameters=[parameter])
        return self._ask(self._set, request).results[0].successful

    def _ask(self, client, request):
        future = client.call_async(request)
        self._peer.wait(future.done)
        return future.result()


@pytest.fixture
def process(ros):
    running = run_node("autostart:=false")
    yield running
    running.terminate()
    assert running.wait(20) == 0


def threads_of(process):
    return len(list(Path(f"/proc/{process.pid}/task").iterdir()))


def memory_mb_of(process):
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def endpoints(peer):
    """How often the relocalizer publishes and subscribes to each topic, and its services and actions, over DDS."""
    node, counts = peer.node, {}
    if "relocalizer" not in node.get_node_names():
        return counts
    for topic, _ in node.get_topic_names_and_types():
        for kind, infos in (
            ("publisher", node.get_publishers_info_by_topic(topic)),
            ("subscription", node.get_subscriptions_info_by_topic(topic)),
        ):
            if count := sum(info.node_name == "relocalizer" for info in infos):
                counts[kind, topic] = count
    counts["services"] = sorted(name for name, _ in node.get_service_names_and_types_by_node("relocalizer", "/"))
    counts["actions"] = [name for name, _ in get_action_server_names_and_types_by_node(node, "relocalizer", "/")]
    return counts


def settled_endpoints(peer):
    """The endpoints once discovery has added none for a second."""
    history = deque(maxlen=20)

    def settled():
        history.append(endpoints(peer))
        complete = len(history) == history.maxlen and history[0].get("actions")  # the action exists as long as the node
        return complete and all(counts == history[0] for counts in history)

    peer.wait(settled)
    return history[0]


def differences(peer, before):
    """Endpoints that differ from those before, as soon as there are none, or at last."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while True:
        now = endpoints(peer)
        found = {key: (before.get(key), now.get(key)) for key in before.keys() | now if before.get(key) != now.get(key)}
        if not found or time.monotonic() > deadline_s:
            return found
        rclpy.spin_once(peer.node, timeout_sec=0.05)


def test_a_hundred_failed_configures_leave_the_process_as_it_was(process):
    peer = Peer()
    manager = Manager(peer)
    assert manager.set_map("undisplayable")  # it fails once everything else has been made
    before, threads = settled_endpoints(peer), []
    assert ("publisher", "/relocalizer/pose") not in before
    for _ in range(FAILED_CONFIGURES):
        assert not manager.change(Transition.TRANSITION_CONFIGURE)
        threads.append(threads_of(process))
    assert differences(peer, before) == {}
    assert threads[-1] == threads[0]
    assert manager.set_map("fake")
    assert manager.change(Transition.TRANSITION_CONFIGURE)
    peer.wait(lambda: endpoints(peer)["actions"] == ["/relocalizer/relocalize"])
    peer.wait(lambda: endpoints(peer).get(("publisher", "/relocalizer/pose")) == 1)
    assert "/relocalizer/load_map" in endpoints(peer)["services"]
    assert manager.change(Transition.TRANSITION_CLEANUP)
    assert differences(peer, before) == {}
    peer.node.destroy_node()


def test_transitions_in_any_order_leak_nothing(process):
    peer = Peer()
    manager, choose = Manager(peer), random.Random(0)
    before = None
    for i in range(TRANSITIONS):
        state = manager.state()
        asked = choose.choice(ALL if ANSWERS_ALL else WAYS[state])
        assert manager.change(asked) == (asked in WAYS[state])
        if i == TRANSITIONS // 4:
            before = threads_of(process), memory_mb_of(process)
    while manager.state() != State.PRIMARY_STATE_UNCONFIGURED:
        manager.change(WAYS[manager.state()][-1])
    assert threads_of(process) <= before[0]
    assert memory_mb_of(process) - before[1] < 20
    assert manager.change(Transition.TRANSITION_CONFIGURE)
    assert manager.change(Transition.TRANSITION_ACTIVATE)
    peer.connect()
    peer.ask(10, 1_000_000_000)
    assert peer.ask(10, 1_100_000_000).state == 2
    peer.node.destroy_node()


def test_diagnostics_name_the_state_of_a_node_that_is_not_active(process):
    def messages():
        peer.heard["diagnostics"].clear()
        peer.wait(lambda: len(peer.heard["diagnostics"]) == 2)  # the first may have been sent before
        tasks = peer.heard["diagnostics"][-1].status
        assert [task.name for task in tasks] == [f"/relocalizer: {task}" for task in TASKS]
        return {(task.level, task.message) for task in tasks}

    peer = Peer()
    manager = Manager(peer)
    assert messages() == {(DiagnosticStatus.WARN, "the node is not configured")}
    assert manager.change(Transition.TRANSITION_CONFIGURE)
    assert messages() == {(DiagnosticStatus.WARN, "the node is inactive")}
    assert manager.change(Transition.TRANSITION_ACTIVATE)
    assert (DiagnosticStatus.OK, "2 keyframes") in messages()
    assert manager.change(Transition.TRANSITION_DEACTIVATE)
    assert messages() == {(DiagnosticStatus.WARN, "the node is inactive")}
    assert manager.change(Transition.TRANSITION_CLEANUP)
    assert messages() == {(DiagnosticStatus.WARN, "the node is not configured")}
    peer.node.destroy_node()


@pytest.mark.parametrize(
    ("before", "shutdown"),
    [
        ([], Transition.TRANSITION_UNCONFIGURED_SHUTDOWN),
        ([Transition.TRANSITION_CONFIGURE], Transition.TRANSITION_INACTIVE_SHUTDOWN),
        ([Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE], Transition.TRANSITION_ACTIVE_SHUTDOWN),
    ],
)
def test_a_finalized_node_says_that_only_a_restart_helps(process, before, shutdown):
    peer = Peer()
    manager = Manager(peer)
    assert all(manager.change(transition) for transition in [*before, shutdown])
    assert manager.state() == State.PRIMARY_STATE_FINALIZED
    answer = peer.call(LoadMap, "relocalizer/load_map", LoadMap.Request(map="fake"))
    assert (answer.success, answer.message) == (False, "the node is finalized; restart the node, then load the map")
    peer.heard["diagnostics"].clear()
    peer.wait(lambda: peer.heard["diagnostics"])
    assert peer.heard["diagnostics"][-1].status[0].message == "the node is finalized"
    assert process.poll() is None
    peer.node.destroy_node()
