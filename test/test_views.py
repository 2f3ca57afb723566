"""RViz and Foxglove show what the node publishes: topics, durability, message fields."""

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
NODE = "/relocalizer"
INPUTS = {"/image", "/initialpose"}
CAMERA = {"/camera_info", "/image/compressed"}
TITLES = {"foxglovePanelTitle", "lichtblickPanelTitle"}
LATCHED = {f"{NODE}/map_points", f"{NODE}/keyframes"}
SHOWN = {f"{NODE}/{name}" for name in ("map_points", "keyframes", "scene_coordinates", "pose", "debug_image")}


def published():
    """Return the full names of the topics that the node publishes, from the page that is generated from the code."""
    page = (ROOT / "docs" / "topics.md").read_text()
    table = page.partition("## Published topics")[2].partition("\n## ")[0]
    return {name.replace("~", NODE) for name in re.findall(r"^\| `([~/][^`]*)`", table, re.MULTILINE)}


@pytest.fixture(scope="module")
def rviz():
    return YAML(typ="safe").load(ROOT / "config" / "dsm.rviz")["Visualization Manager"]


@pytest.fixture(scope="module")
def foxglove():
    return json.loads((ROOT / "config" / "foxglove.json").read_text())


def values(tree):
    """Everything that stands in a JSON tree: keys and leaves."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from values(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from values(value)
    else:
        yield tree


def topics_in(foxglove):
    """Topics that a panel subscribes to; what a panel could publish is not among them."""
    panels = [{k: v for k, v in panel.items() if k != "publish"} for panel in foxglove["configById"].values()]
    names = {value for value in values(panels) if isinstance(value, str)}
    return {re.split(r"\.", name)[0] for name in names if name.startswith("/")}


def panels_in(layout):
    return {layout} if isinstance(layout, str) else panels_in(layout["first"]) | panels_in(layout["second"])


def test_rviz_names_only_topics_that_exist(rviz):
    topics = {display["Topic"]["Value"] for display in rviz["Displays"] if "Topic" in display}
    assert topics <= published() | INPUTS
    assert topics >= SHOWN
    assert {tool["Topic"]["Value"] for tool in rviz["Tools"] if "Topic" in tool} <= INPUTS


def test_rviz_asks_for_the_durability_that_the_node_offers(rviz):
    policies = {d["Topic"]["Value"]: d["Topic"]["Durability Policy"] for d in rviz["Displays"] if "Topic" in d}
    assert {topic for topic, policy in policies.items() if policy == "Transient Local"} == LATCHED


def test_rviz_colors_the_dense_cloud_by_a_field_that_it_has(rviz):
    (cloud,) = [d for d in rviz["Displays"] if d["Name"] == "Scene coordinates"]
    assert cloud["Color Transformer"] == "Intensity"
    conversions = ROOT / "dsm_ros" / "node" / "interface" / "conversions.py"
    assert f'"{cloud["Channel Name"]}"' in conversions.read_text()


def test_foxglove_names_only_topics_that_exist(foxglove):
    assert topics_in(foxglove) <= published() | CAMERA
    assert topics_in(foxglove) >= SHOWN | {f"{NODE}/status", "/diagnostics"}


def test_foxglove_plots_fields_that_the_status_has(foxglove):
    fields = re.findall(r"^\S+ (\w+)(?:\s|$)", (ROOT / "msg" / "RelocalizationStatus.msg").read_text(), re.MULTILINE)
    paths = [value for value in values(foxglove) if isinstance(value, str) and value.startswith(f"{NODE}/status.")]
    assert len(paths) >= 6
    assert {path.split(".")[1] for path in paths} <= set(fields)


def test_foxglove_shows_the_camera_image_where_the_camera_is(foxglove):
    topics = foxglove["configById"]["3D!scene"]["topics"]
    image, info = topics["/image/compressed"], topics["/camera_info"]
    assert image["cameraInfoTopic"] == "/camera_info"
    assert image["distance"] == info["distance"]


def test_panel_titles_are_the_same_in_foxglove_and_lichtblick(foxglove):
    titles = [{panel.get(key) for key in TITLES} for panel in foxglove["configById"].values()]
    assert all(len(title) == 1 for title in titles)
    assert sum(title != {None} for title in titles) == 6  # diagnostics have a filter there


def test_every_foxglove_panel_is_placed_once_and_configured(foxglove):
    assert panels_in(foxglove["layout"]) == set(foxglove["configById"])
    kinds = {name.split("!")[0] for name in foxglove["configById"]}
    assert kinds == {"3D", "Image", "Plot", "StateTransitions", "DiagnosticSummary"}
