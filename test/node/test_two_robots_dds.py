"""Two robots on one network, each with a namespace and a TF tree of its own, over real DDS."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from dds_peer import FAKE, Peer, run_node
from tf2_msgs.msg import TFMessage

ROBOTS, S = ("/robot1", "/robot2"), 1_000_000_000
OWN_TF = ("/tf:=tf", "/tf_static:=tf_static")
LAUNCH_FILE = Path(__file__).resolve().parents[2] / "launch" / "robots.launch.py"
LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
file, *arguments = sys.argv[1:]
source = PythonLaunchDescriptionSource(file)
include = IncludeLaunchDescription(source, launch_arguments=[argument.split(":=") for argument in arguments])
service = LaunchService()
service.include_launch_description(LaunchDescription([include]))
sys.exit(service.run())
"""


class RobotPeer(Peer):
    """A peer in the namespace of one robot, which hears the TF tree of that robot."""

    def __init__(self, namespace):
        super().__init__(namespace=namespace)
        self.heard["own_tf"] = []
        self.listen(TFMessage, f"{namespace}/tf", "own_tf")


def nodes(folder):
    """Start a relocalizer for each robot."""
    return [run_node(namespace=namespace, remaps=OWN_TF) for namespace in ROBOTS]


def launched(folder):
    """Start the launch file of several robots, with a localizer that knows the answers."""
    pytest.importorskip("launch_ros")
    executable = folder / "lib" / "dsm_ros" / "relocalizer"
    marker = folder / "share" / "ament_index" / "resource_index" / "packages" / "dsm_ros"
    for path in (executable, marker):
        path.parent.mkdir(parents=True)
        path.touch(0o755)
    executable.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
    prefixes = f"{folder}:{os.environ['AMENT_PREFIX_PATH']}"
    robots = ",".join(namespace.strip("/") for namespace in ROBOTS)
    command = [sys.executable, "-c", LAUNCH, str(LAUNCH_FILE), f"robots:={robots}", "map:=fake"]
    return [subprocess.Popen(command, env={**os.environ, "AMENT_PREFIX_PATH": prefixes})]


@pytest.fixture(scope="module", params=[nodes, pytest.param(launched, marks=pytest.mark.full_ros)])
def peers(ros, request, tmp_path_factory):
    with ExitStack() as stack:
        for process in request.param(tmp_path_factory.mktemp("robots")):
            stack.callback(process.wait, 20)
            stack.callback(process.send_signal, signal.SIGINT)  # a launch that is terminated leaves its nodes behind
        peers = [RobotPeer(namespace) for namespace in ROBOTS]
        for peer in peers:
            stack.callback(peer.node.destroy_node)
            peer.connect()
        yield peers


def test_nothing_crosses_between_the_robots(peers):
    for peer, red in zip(peers, (10, 60), strict=True):
        stamps_ns = iter(range(S, 9 * S, S // 10))
        peer.wait(lambda peer=peer, red=red, stamps=stamps_ns: peer.ask(red, next(stamps)) and peer.heard["own_tf"])
    first, second = peers
    assert {message.pose.pose.position.x for message in first.heard["pose"]} == {0.1}
    assert {message.pose.pose.position.x for message in second.heard["pose"]} == {0.6}
    for peer, x_m in ((first, 0.1), (second, 0.6)):
        sent = [transform for message in peer.heard["own_tf"] for transform in message.transforms]
        assert {transform.transform.translation.x for transform in sent} == {x_m}
        assert peer.heard["tf"] == []


def test_the_diagnostics_of_the_robots_can_be_told_apart(peers):
    (peer, _), tasks = peers, {}

    def heard_of_both():
        tasks.update({s.name: s.hardware_id for message in peer.heard["diagnostics"] for s in message.status})
        return len(tasks) == 8

    peer.wait(heard_of_both)
    assert {name.split(": ")[0] for name in tasks} == {f"{robot}/relocalizer" for robot in ROBOTS}
    assert set(tasks.values()) == {f"{robot}/relocalizer" for robot in ROBOTS}
