"""Many goals of ~/relocalize at once, and goals in every transition, over real DDS."""

import itertools
import math
import signal
import time

import pytest
from dds_peer import BUSY, LOST, Peer, run_node
from dsm_ros.action import Relocalize
from lifecycle_msgs.msg import Transition
from rcl_interfaces.srv import SetParameters
from rclpy.action import ActionClient
from rclpy.parameter import Parameter

from dsm_ros.node.interface import topics

GOALS, CLIENTS, ROUNDS = 40, 20, 25
SETTLE_S = 1.0
ABORTED, CANCELED = 6, 5
ROUND = (
    Transition.TRANSITION_DEACTIVATE,
    Transition.TRANSITION_CLEANUP,
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_ACTIVATE,
)


class GoalPeer(Peer):
    """A peer that sends many goals."""

    def __init__(self):
        super().__init__(namespace="/goals")
        names = ("goal", "result", "cancel")
        qos = {f"{name}_service_qos_profile": topics.GOALS for name in names}
        self.client = ActionClient(self.node, Relocalize, "relocalizer/relocalize", **qos)
        self.wait(self.client.server_is_ready)
        self.answer_to(lambda: self.client.send_goal_async(Relocalize.Goal(timeout_s=0.1)))

    def goals(self, count, **goal):
        return self.results([self.client.send_goal_async(Relocalize.Goal(**goal)) for _ in range(count)])

    def results(self, futures):
        self.wait(lambda: all(future.done() for future in futures))
        return [future.result() for future in futures]


@pytest.fixture(scope="module")
def process(ros):
    running = run_node(namespace="/goals")
    yield running
    running.terminate()
    assert running.wait(20) == 0


@pytest.fixture(scope="module")
def peer(process):
    peer = GoalPeer()
    yield peer
    peer.node.destroy_node()


def settle(peer):
    deadline_s = time.monotonic() + SETTLE_S
    peer.wait(lambda: time.monotonic() > deadline_s)


def test_forty_goals_hold_nothing_up(peer):
    peer.connect()
    handles = peer.goals(GOALS, timeout_s=60.0)
    results = [handle.get_result_async() for handle in handles]
    stamps_ns = itertools.count(1_000_000_000, 100_000_000)
    assert peer.ask(LOST, next(stamps_ns)).reason == "too_few_inliers"
    request = SetParameters.Request(parameters=[Parameter("min_inliers", value=90).to_parameter_msg()])
    assert peer.call(SetParameters, "relocalizer/set_parameters", request).results[0].successful
    peer.heard["diagnostics"].clear()
    peer.wait(lambda: peer.heard["diagnostics"])
    canceled_s = time.monotonic()
    canceled = [handle.cancel_goal_async() for handle in handles[::2]]
    assert {result.status for result in peer.results(results[::2])} == {CANCELED}
    assert time.monotonic() - canceled_s < 1.0
    peer.results(canceled)
    assert not any(result.done() for result in results[1::2])
    assert peer.change(Transition.TRANSITION_DEACTIVATE)
    ended = peer.results(results[1::2])
    assert {(result.status, result.result.reason) for result in ended} == {(ABORTED, "inactive")}
    assert "deactivated" in ended[0].result.detail
    assert peer.change(Transition.TRANSITION_ACTIVATE)


def test_many_ordinary_clients_get_answers_and_results_that_are_due_together(peer):
    clients = [ActionClient(peer.node, Relocalize, "relocalizer/relocalize") for _ in range(CLIENTS)]
    peer.wait(lambda: all(client.server_is_ready() for client in clients))
    settle(peer)  # an answer is lost where the node has not discovered its client yet
    handles = peer.results([client.send_goal_async(Relocalize.Goal(timeout_s=60.0)) for client in clients])
    results = [handle.get_result_async() for handle in handles]
    assert peer.change(Transition.TRANSITION_DEACTIVATE)
    assert {result.result.reason for result in peer.results(results)} == {"inactive"}
    for client in clients:
        client.destroy()
    assert peer.change(Transition.TRANSITION_ACTIVATE)


@pytest.mark.parametrize("timeout_s", [math.inf, math.nan, -1.0, 1e9])
def test_impossible_timeouts_are_rejected(peer, timeout_s):
    (handle,) = peer.goals(1, timeout_s=timeout_s)
    assert not handle.accepted


def test_every_goal_has_a_result_whatever_the_node_does(peer):
    results = []
    for _ in range(ROUNDS):
        handles = [handle for handle in peer.goals(3, timeout_s=60.0) if handle.accepted]
        assert handles
        results += [handle.get_result_async() for handle in handles]
        assert all(peer.change(transition) for transition in ROUND)
    ended = peer.results(results)
    assert {(result.status, result.result.reason) for result in ended} == {(ABORTED, "inactive")}


def test_a_goal_ends_with_the_reason_when_the_node_is_interrupted(peer, process):
    peer.connect()
    (handle,) = peer.goals(1, timeout_s=60.0)
    result = handle.get_result_async()
    peer.ask(LOST, 100_000_000_000)
    peer.send(BUSY, 100_100_000_000)
    process.send_signal(signal.SIGINT)
    (ended,) = peer.results([result])
    assert (ended.result.reason, ended.result.detail) == ("inactive", "the node was shut down")
    assert process.wait(20) == 0
