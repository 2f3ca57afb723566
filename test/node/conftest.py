"""The node in a process of its own, and a peer that talks to it over DDS."""

import gc

import pytest
from dds_peer import Peer, run_node


@pytest.fixture(scope="module", autouse=True)
def no_destroyed_nodes():
    """Remove destroyed lifecycle nodes from the ROS graph; each one is part of a reference cycle in rclpy."""
    gc.collect()


@pytest.fixture(scope="module")
def node_process(ros):
    process = run_node()
    yield process
    process.terminate()
    assert process.wait(20) == 0


@pytest.fixture
def peer(node_process):
    peer = Peer()
    peer.connect()
    yield peer
    peer.node.destroy_node()
