"""~/load_map and ~/reset over real DDS, with the node in another process."""

import itertools
import os
import time

import pytest
from dds_peer import node_and_peer
from dsm_ros.srv import LoadMap
from lifecycle_msgs.msg import Transition
from std_srvs.srv import Trigger

SECOND = 1_000_000_000
STARTS_NS = itertools.count(1000 * SECOND, 1000 * SECOND)
CLEANED_UP = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
CONFIGURED_AGAIN = (*CLEANED_UP, Transition.TRANSITION_CONFIGURE)


@pytest.fixture
def stamps():
    """Stamps 100 ms apart; each test starts 1000 s after the last one, so that the tracker starts over."""
    return itertools.count(next(STARTS_NS), SECOND // 10)


def test_reset_searches_from_scratch(peer, stamps):
    peer.ask(10, next(stamps))
    assert peer.call(Trigger, "relocalizer/reset", Trigger.Request()).success
    assert peer.ask(160, next(stamps)).state == 2


def test_a_map_is_replaced_or_kept(peer, stamps):
    refused = peer.call(LoadMap, "relocalizer/load_map", LoadMap.Request(map="broken"))
    assert not refused.success
    assert "no map at broken" in refused.message
    peer.ask(10, next(stamps))
    peer.wait(lambda: peer.heard["pose"])
    assert peer.heard["pose"][-1].header.frame_id == "map"
    loaded = peer.call(LoadMap, "relocalizer/load_map", LoadMap.Request(map="other"))
    assert loaded.success
    assert loaded.keyframes == 3
    peer.ask(160, next(stamps))
    peer.wait(lambda: peer.heard["pose"][-1].header.frame_id == "other_map")
    assert peer.call(LoadMap, "relocalizer/load_map", LoadMap.Request(map="fake")).success


def test_other_services_answer_while_a_map_is_loaded(peer, stamps):
    client = peer.node.create_client(LoadMap, "relocalizer/load_map")
    peer.wait(client.service_is_ready)
    loading = client.call_async(LoadMap.Request(map="slow"))
    time.sleep(0.2)
    assert peer.call(Trigger, "relocalizer/reset", Trigger.Request()).success
    peer.ask(10, next(stamps))
    peer.heard["diagnostics"].clear()
    peer.wait(lambda: peer.heard["diagnostics"])
    assert not loading.done()
    assert peer.result_of(loading).success


def test_a_map_outside_the_roots_is_refused(peer):
    refused = peer.call(LoadMap, "relocalizer/load_map", LoadMap.Request(map="/etc"))
    assert not refused.success
    assert "map_roots" in refused.message


def test_without_a_map_the_node_says_so_and_takes_one(ros):
    with node_and_peer("/bare", "map:=''", f"map_roots:={os.getcwd()}") as (_, peer):
        peer.connect()
        status = peer.ask(10, SECOND)
        assert status.reason == "no_map"
        assert "set map_roots" in status.detail
        assert peer.call(LoadMap, "relocalizer/load_map", LoadMap.Request(map="fake")).success
        peer.ask(10, 2 * SECOND)  # the first camera_info may come after its image
        assert peer.ask(10, 3 * SECOND).state == 2


@pytest.mark.parametrize("transitions", [CLEANED_UP, CONFIGURED_AGAIN, (Transition.TRANSITION_ACTIVE_SHUTDOWN,), ()])
def test_a_map_that_is_being_loaded_when_the_node_ends_gets_an_answer(ros, transitions):
    with node_and_peer("/ends") as (process, peer):
        peer.connect()
        client = peer.node.create_client(LoadMap, "relocalizer/load_map")
        peer.wait(client.service_is_ready)
        assert not peer.call(LoadMap, "relocalizer/load_map", LoadMap.Request(map="broken")).success
        loading = client.call_async(LoadMap.Request(map="slow"))
        peer.call(Trigger, "relocalizer/reset", Trigger.Request())
        assert all(peer.change(transition) for transition in transitions)
        if not transitions:
            process.terminate()
        answer = peer.result_of(loading)
        assert not answer.success
        assert "cleaned up or shut down" in answer.message


def test_an_unconfigured_node_loads_no_map_and_says_why(ros):
    with node_and_peer("/early", "autostart:=false") as (_, peer):
        answer = peer.call(LoadMap, "relocalizer/load_map", LoadMap.Request(map="other"))
        assert not answer.success
        assert "not configured" in answer.message
