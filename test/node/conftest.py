"""Node tests need rclpy and the generated messages; they run over real DDS on a domain of their own."""

import importlib.util
import os

import pytest

from dsm_ros.node.child_process import prepare_ros

if importlib.util.find_spec("rclpy") is None:
    collect_ignore_glob = ["test_*.py"]

os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
prepare_ros()  # now, for Fast DDS reads its profiles once, when the first test starts ROS


@pytest.fixture(scope="session")
def ros():
    import rclpy

    rclpy.init()
    yield
    rclpy.try_shutdown()
