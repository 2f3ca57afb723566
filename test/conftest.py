"""Fixtures of all tests."""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from dsm_ros.demo.child_process import prepare_ros
from dsm_ros.network.runtime import disable_telemetry

if importlib.util.find_spec("rclpy") is None:
    collect_ignore_glob = ["node/*", "demo/*"]

# Tests over DDS have a domain of their own. Fast DDS reads its profiles once, when the first test starts ROS.
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
prepare_ros()
disable_telemetry()

settings.register_profile("dsm", deadline=None)  # a busy machine is no failure
settings.load_profile("dsm")

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-golden", action="store_true", help="record the results of test_golden.py as golden")


@pytest.fixture(scope="session")
def load_script() -> Callable[[str], ModuleType]:
    """Return a function that imports a script by its name."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
        module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look their module up there
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def ros():
    import rclpy

    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real sequences, beside the checkout; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("DSM_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real sequences at {folder}")
    return folder


@pytest.fixture(scope="session")
def kitchen(shared_data):
    from dsm_ros.datasets.open_sequence import open_sequence

    return open_sequence(str(shared_data / "kitchen" / "seq-01"))


@pytest.fixture(scope="session")
def network():
    from dsm_ros.network.checkpoint import load_network

    return load_network()


def ignore_progress(done: int, total: int) -> None:
    """Stand in for a progress bar."""


@pytest.fixture(scope="session")
def room_map(tmp_path_factory, network):
    """A map of rooms:7, every 10th frame of its first walk."""
    from dsm_ros.datasets.rooms.sequence import open_rooms
    from dsm_ros.scene_map.builder import build_map

    uri = str(tmp_path_factory.mktemp("maps") / "room")
    build_map(open_rooms("rooms:7"), range(0, 300, 10), uri, network, "walk 0", False, ignore_progress)
    return uri


@pytest.fixture(scope="session")
def kitchen_map(tmp_path_factory, network, kitchen):
    """A map of the kitchen's first 220 frames, every 10th."""
    from dsm_ros.scene_map.builder import build_map

    uri = str(tmp_path_factory.mktemp("maps") / "kitchen")
    build_map(kitchen, range(0, 220, 10), uri, network, "first", False, ignore_progress)
    return uri
