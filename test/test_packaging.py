"""Version, requirements and files of the installable package."""

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
RANGES = ("runtime.txt", "train.txt", "onnx.txt", "peers.txt")
VERSIONS = sorted(path.name for path in (ROOT / "requirements").glob("*.txt") if path.name[:3] in ("con", "ubu"))


def requirements(name: str) -> list[Requirement]:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


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
