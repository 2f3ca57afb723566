"""Folders import in one direction, and only node/ and demo/ know ROS."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "dsm_ros"
LAYERS = [
    "geometry",
    "messages",
    "datasets",
    "network",
    "scene_map",
    "localization",
    "evaluation",
    "training",
    "cli",
    "node",
    "demo",
]
NODE_FOLDERS = ["interface", "tf", "parameters", "display", "maps", "images", "outputs", "rescue"]
ROS_LAYERS = {"node", "demo"}
ROS = {"rclpy", "rcl_interfaces", "builtin_interfaces", "tf2_ros", "cv_bridge", "std_srvs", "launch", "launch_ros"}
BELOW_ALL = ["__init__.py", "errors.py", "paths.py", "process.py", "progress.py", "text_enum.py"]


def is_ros(name: str) -> bool:
    """Whether a module comes with ROS or from the message build."""
    top = name.split(".")[0]
    return top in ROS or top.endswith("_msgs") or top.startswith("ament_") or f"{name}.".startswith("dsm_ros.msg.")


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
    allowed = set(LAYERS[: LAYERS.index(layer) + 1]) - ({"cli"} if layer in ROS_LAYERS else set())
    wrong = set()
    for name in imported_modules(source):
        parts = name.split(".")
        if parts[0] == "dsm_ros" and len(parts) > 1 and parts[1] in LAYERS and parts[1] not in allowed:
            wrong.add(name)
        if name == "relative import" or (layer not in ROS_LAYERS and is_ros(name)):
            wrong.add(name)
    return wrong


def test_every_file_imports_upwards_only():
    found = {}
    for layer in LAYERS:
        for path in (PACKAGE / layer).rglob("*.py"):
            if wrong := violations(layer, path.read_text()):
                found[str(path.relative_to(PACKAGE))] = wrong
    assert not found


def test_the_folders_of_the_node_import_upwards_only():
    found = {}
    for number, folder in enumerate(NODE_FOLDERS):
        for path in (PACKAGE / "node" / folder).rglob("*.py"):
            imported = {name.split(".")[2] for name in imported_modules(path.read_text()) if in_node(name)}
            if wrong := imported - set(NODE_FOLDERS[: number + 1]):
                found[str(path.relative_to(PACKAGE))] = wrong
    assert not found
    assert {path.parent.name for path in (PACKAGE / "node").glob("*/__init__.py")} == set(NODE_FOLDERS)


def in_node(name: str) -> bool:
    """Whether a module is in the node's folder."""
    return name.startswith("dsm_ros.node.")


def test_every_folder_is_a_layer():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(LAYERS)


def test_files_below_all_layers_import_none():
    for name in BELOW_ALL:
        imported = imported_modules((PACKAGE / name).read_text())
        assert not {module for module in imported if is_ros(module) or module.split(".")[1:2] in [[x] for x in LAYERS]}


def test_planted_violations_are_seen():
    assert violations("evaluation", "from dsm_ros.msg import RelocalizationStatus")
    assert violations("localization", "from lifecycle_msgs.msg import State")
    assert violations("network", "from dsm_ros.localization import localizer")
    assert violations("geometry", "def f():\n    import rclpy")
    assert violations("node", "from dsm_ros.cli.main import app")
    assert violations("demo", "from dsm_ros.cli.main import app")
    assert violations("cli", "from dsm_ros.node import outputs")
    assert violations("cli", "from dsm_ros.demo import ros_bench")
    assert violations("node", "from dsm_ros.demo.child_process import process")
    assert violations("datasets", "from . import frame")
    assert not violations("demo", "import rclpy\nfrom dsm_ros.node.interface.conversions import stamp_msg")
    assert not violations("node", "import rclpy\nfrom dsm_ros.localization.result import Result")
