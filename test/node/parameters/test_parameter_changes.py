"""Changes by `ros2 param set`, accepted and refused."""

import subprocess
import sys

import pytest
from rclpy.parameter import Parameter

from dsm_ros.node.parameters.parameter_changes import refusal
from dsm_ros.node.relocalizer_node import RelocalizerNode


@pytest.fixture
def loaded():
    """What the node has loaded, in order."""
    return []


@pytest.fixture
def node(ros, loaded):
    from fake_relocalizer import load

    def remember(values, map_uri, in_use):
        loaded.append(load(values, map_uri, in_use))
        return loaded[-1]

    node = RelocalizerNode(remember)
    node.set_parameters([Parameter("map", value="fake")])
    yield node
    node.release()
    node.destroy_node()


def change(node, name, value):
    result = node.set_parameters_atomically([Parameter(name, value=value)])  # as the node's services do
    return "" if result.successful else result.reason


def test_limits_of_the_localizer_change_at_once(node, loaded):
    node.trigger_configure()
    assert change(node, "min_inliers", 120) == ""
    assert change(node, "temporal", False) == ""
    assert (loaded[-1].localizer.config.min_inliers, loaded[-1].localizer.config.temporal) == (120, False)


def test_parameters_of_poses_and_rescues_change_at_once(node):
    node.trigger_configure()
    assert change(node, "transform_tolerance_s", 0.5) == ""
    assert change(node, "rescue_timeout_s", 7.0) == ""
    assert node.relocalizer.values.transform_tolerance_s == 0.5
    assert node.relocalizer.values.rescue_timeout_s == 7.0


def test_what_is_in_use_is_refused_until_the_node_is_cleaned_up(node, loaded):
    node.trigger_configure()
    assert change(node, "map", "other").startswith("map is in use: call ~/load_map, or deactivate and clean up")
    assert node.get_parameter("map").value == "fake"
    node.trigger_cleanup()
    assert change(node, "map", "other") == ""
    node.trigger_configure()
    assert loaded[-1].map_frame == "other_map"


def test_a_change_before_configuring_counts_from_then_on(node):
    assert change(node, "stale_after_s", 3.0) == ""
    node.trigger_configure()
    assert node.relocalizer.values.stale_after_s == 3.0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("min_inliers", 2, "out of range"),
        ("min_confidence", float("nan"), "out of range"),
        ("image_transport", "theora", "image_transport is 'theora'; use raw or compressed"),
        ("cameras", "front cam", "cameras: 'front cam' cannot be the prefix of a topic"),
        ("map_roots", "/maps,", "map_roots: one of the folders in '/maps,' is empty"),
        ("autostart", False, "read-only"),
        ("keyframes", "many", "keyframes must be of type integer"),
    ],
)
def test_impossible_values_are_refused_with_the_reason(node, name, value, words):
    before = node.get_parameter(name).value
    assert words in change(node, name, value)
    assert node.get_parameter(name).value == before


def test_several_at_once_change_together_or_not_at_all(node):
    node.trigger_configure()
    changes = [Parameter("min_inliers", value=50), Parameter("map", value="other")]
    assert not node.set_parameters_atomically(changes).successful
    assert node.relocalizer.values.min_inliers == 100


def test_misspelt_parameters_are_named_in_one_warning(ros, capfd):
    given = ["min_inlierz", "basse_frame", "min_inliers", "use_sim_time", "qos_overrides./image.subscription.depth"]
    values = [5, "base_link", 90, False, 7]
    overrides = [Parameter(name, value=value) for name, value in zip(given, values, strict=True)]
    RelocalizerNode(parameter_overrides=overrides).destroy_node()
    (line,) = capfd.readouterr().err.splitlines()
    assert "unknown parameters are ignored: basse_frame, min_inlierz; see" in line


def test_others_parameters_are_let_through():
    assert refusal("use_sim_time", True, configured=True) == ""


@pytest.mark.parametrize("given", ["stale_after_s:=3", "min_inliers:=2"])
def test_a_start_with_an_impossible_value_ends_with_one_line(given):
    command = [sys.executable, "-m", "dsm_ros.node", "--ros-args", "-p", given]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert given.split(":")[0] in done.stderr
    assert "Traceback" not in done.stderr
