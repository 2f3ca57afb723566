"""With continuous: false, the node receives images and transforms only while a request is open, over real DDS."""

import itertools

import pytest
from dds_peer import LOST, Peer, run_node
from dsm_ros.action import Relocalize
from rcl_interfaces.srv import SetParameters
from rclpy.action import ActionClient
from rclpy.parameter import Parameter


@pytest.fixture(scope="module")
def peer(ros):
    process = run_node("continuous:=false", namespace="/idle")
    peer = Peer(namespace="/idle")
    yield peer
    peer.node.destroy_node()
    process.terminate()
    assert process.wait(20) == 0


def heard_by_the_node(peer):
    """How many of image, camera_info and /tf the node subscribes to."""
    topics = ("/idle/image", "/idle/camera_info", "/tf")
    infos = [info for topic in topics for info in peer.node.get_subscriptions_info_by_topic(topic)]
    return sum(info.node_namespace == "/idle" and info.node_name == "relocalizer" for info in infos)


def test_images_and_transforms_are_received_only_while_a_goal_is_open(peer):
    client = ActionClient(peer.node, Relocalize, "relocalizer/relocalize")
    peer.wait(client.server_is_ready)
    assert heard_by_the_node(peer) == 0
    handle = peer.answer_to(lambda: client.send_goal_async(Relocalize.Goal(timeout_s=60.0)))
    peer.wait(lambda: heard_by_the_node(peer) == 3)
    peer.connect()
    stamps_ns = itertools.count(1_000_000_000, 100_000_000)
    assert peer.ask(LOST, next(stamps_ns)).reason == "too_few_inliers"
    peer.ask(30, next(stamps_ns))
    assert peer.result_of(handle.get_result_async()).result.success
    peer.wait(lambda: heard_by_the_node(peer) == 0)


def test_a_change_of_the_parameter_counts_at_once(peer):
    for continuous, subscriptions in ((True, 3), (False, 0)):
        request = SetParameters.Request(parameters=[Parameter("continuous", value=continuous).to_parameter_msg()])
        assert peer.call(SetParameters, "relocalizer/set_parameters", request).results[0].successful
        peer.wait(lambda wanted=subscriptions: heard_by_the_node(peer) == wanted)
