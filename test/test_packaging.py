"""Version, requirements and files of the installable package."""

import ast
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
VERSION = ElementTree.parse(ROOT / "package.xml").findtext("version")
SOURCES = (
    "dsm_ros",
    "models",
    "config",
    "requirements",
    "setup.py",
    "pyproject.toml",
    "package.xml",
    "README.md",
    "LICENSE",
)
ROS = ("rclpy", "rcl_", "tf2_", "cv_bridge", "launch", "ament_", "std_srvs", "message_filters", "diagnostic_", "bond")
RANGES = ("runtime.txt", "train.txt", "onnx.txt", "openvino.txt", "peers.txt")
VERSIONS = sorted(path.name for path in (ROOT / "requirements").glob("*.txt") if path.name[:3] in ("con", "ubu"))


def requirements(name: str) -> list[Requirement]:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def imported(folder: str) -> set[str]:
    """Return the names of the packages that the Python code of a folder imports."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    command = [sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", str(folder / "dist")]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    (path,) = (folder / "dist").glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_has_the_version_of_package_xml(wheel):
    assert f"dsm_ros-{VERSION}.dist-info/METADATA" in wheel.namelist()


def test_the_wheel_has_weights_configuration_and_the_marker_of_typing(wheel):
    expected = {"dsm_ros/py.typed", "dsm_ros/models/dsm_lite.safetensors", "dsm_ros/config/relocalizer.yaml"}
    expected |= {f"dsm_ros/datasets/rooms/textures/{name}" for name in ("SOURCES.tsv", "README.md", "brick.jpg")}
    assert expected <= set(wheel.namelist())


def test_the_version_is_written_in_package_xml_only():
    others = [ROOT / "setup.py", ROOT / "pyproject.toml", ROOT / "CMakeLists.txt", *(ROOT / "dsm_ros").rglob("*.py")]
    assert not [path for path in others if f'"{VERSION}"' in path.read_text()]


@pytest.mark.parametrize("name", VERSIONS)
def test_installed_versions_lie_in_the_ranges(name):
    ranges = {canonicalize_name(one.name): one for file in RANGES for one in requirements(file)}
    for pinned in requirements(name):
        (version,) = (one.version for one in pinned.specifier)
        assert ranges[canonicalize_name(pinned.name)].specifier.contains(version), pinned


def test_package_xml_names_the_ros_packages_that_the_code_imports():
    kinds = ("depend", "exec_depend")
    named = {one.text for kind in kinds for one in ElementTree.parse(ROOT / "package.xml").iter(kind)}
    providers = {"tf2_ros": "tf2_ros_py"}  # the module, the package that has it
    modules = imported("dsm_ros") | imported("launch")
    from_ros = {name for name in modules if name.startswith(ROS) or name.endswith(("_msgs", "_interfaces"))}
    assert {providers.get(name, name) for name in from_ros} <= named
    assert {"rclpy", "sensor_msgs", "cv_bridge", "launch_ros"} <= from_ros
