"""Transitions in any order, over real DDS, leak nothing and end nothing."""

import random
from pathlib import Path

import pytest
from dds_peer import Peer, run_node
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

TRANSITIONS = 100
WAYS = {
    State.PRIMARY_STATE_UNCONFIGURED: [Transition.TRANSITION_CONFIGURE],
    State.PRIMARY_STATE_INACTIVE: [Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_CLEANUP],
    State.PRIMARY_STATE_ACTIVE: [Transition.TRANSITION_DEACTIVATE],
}
ALL = sorted({way for ways in WAYS.values() for way in ways})


class Manager:
    """Asks the node for transitions, as a lifecycle manager does."""

    def __init__(self, peer):
        self._peer = peer
        self._change = peer.node.create_client(ChangeState, "relocalizer/change_state")
        self._get = peer.node.create_client(GetState, "relocalizer/get_state")
        peer.wait(lambda: self._change.service_is_ready() and self._get.service_is_ready())

    def state(self):
        return self._ask(self._get, GetState.Request()).current_state.id

    def change(self, transition):
        return self._ask(self._change, ChangeState.Request(transition=Transition(id=transition))).success

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


def test_transitions_in_any_order_leak_nothing(process):
    peer = Peer()
    manager, choose = Manager(peer), random.Random(0)
    before = None
    for i in range(TRANSITIONS):
        state, asked = manager.state(), choose.choice(ALL)
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
