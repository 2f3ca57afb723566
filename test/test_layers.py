"""Folders import in one direction, and only node/ knows ROS."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "dsm_ros"
LAYERS = [
    "geometry",
    "datasets",
    "network",
    "scene_map",
    "localization",
    "evaluation",
    "training",
    "cli",
    "node",
]
ROS = {"rclpy", "std_msgs", "sensor_msgs", "geometry_msgs", "tf2_msgs", "tf2_ros", "diagnostic_msgs", "rcl_interfaces"}


def imported_modules(source: str) -> set[str]:
    """Names of all imported modules, those inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.ImportFrom):
            names.add("relative import")
    return names


def violations(layer: str, source: str) -> set[str]:
    """Imports that a file of a layer must not have."""
    allowed = set(LAYERS[: LAYERS.index(layer) + 1]) - ({"cli"} if layer == "node" else set())
    wrong = set()
    for name in imported_modules(source):
        parts = name.split(".")
        if parts[0] == "dsm_ros" and len(parts) > 1 and parts[1] in LAYERS and parts[1] not in allowed:
            wrong.add(name)
        if name == "relative import" or (layer != "node" and (parts[0] in ROS or name.startswith("dsm_ros.msg"))):
            wrong.add(name)
    return wrong


def test_every_file_imports_upwards_only():
    found = {}
    for layer in LAYERS:
        for path in (PACKAGE / layer).rglob("*.py"):
            if wrong := violations(layer, path.read_text()):
                found[str(path.relative_to(PACKAGE))] = wrong
    assert not found


def test_every_folder_is_a_layer():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(LAYERS)


def test_planted_violations_are_seen():
    assert violations("network", "from dsm_ros.localization import localizer")
    assert violations("geometry", "def f():\n    import rclpy")
    assert violations("node", "from dsm_ros.cli.main import app")
    assert violations("cli", "from dsm_ros.node import demo")
    assert violations("datasets", "from . import frame")
    assert not violations("node", "import rclpy\nfrom dsm_ros.localization.result import Result")
