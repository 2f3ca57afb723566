"""For any content of a bag, ``dsm map build`` builds a correct map or exits with one line and status 2."""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from map_helpers import FakeEncoder
from robot_bag import BASE_T_CAMERA, Robot, S, write
from rosbags.rosbag2 import StoragePlugin

from dsm_ros.geometry.pose import pose_error

ROBOT = Robot(spec="rooms:7/frames=300,size=96x72", images=6)
TOPICS = ["/tf", "/tf_static", "/odom", "/camera/aligned_depth_to_color/image_raw"]
TOPICS += [
    f"/camera/{name}" for name in ("color/image_raw", "color/camera_info", "depth/image_rect_raw", "depth/camera_info")
]
ENCODINGS = ("16UC1", "mono16", "32FC1", "64FC1", "16SC1", "8UC1", "mono8", "bgr8", "rgb8", "yuv422", "nv12", "", "\n")


@cache
def recording(depth: str) -> list[Any]:
    """Return the messages of a recording with depth that is aligned, unaligned, or both."""
    whole = [*ROBOT.everything(), *ROBOT.unaligned_depth()]
    unwanted = {"aligned": "/camera/depth/", "unaligned": "/camera/aligned_depth", "both": "none"}[depth]
    return [message for message in whole if not message[1].startswith(unwanted)]


def copied(messages: list[Any], topic: str) -> list[Any]:
    """Return the messages with copies of those of one topic; all examples share the other messages."""
    return [(ns, name, copy.deepcopy(message) if name == topic else message) for ns, name, message in messages]


@dataclass(frozen=True)
class Oddity:
    """One change to the messages of a topic: its kind and its amount."""

    kind: str
    topic: str
    index: int
    text: str
    amount: float

    def apply(self, messages: list[Any]) -> list[Any]:
        if self.kind == "drop topic":
            return [m for m in messages if m[1] != self.topic]
        if self.kind == "twice":
            return messages + [m for m in messages if m[1] == self.topic]
        if self.kind == "rename":
            return [(ns, f"/odd{topic}" if topic == self.topic else topic, message) for ns, topic, message in messages]
        if self.kind == "late in the bag":
            return [(ns + int(self.amount * S) * (topic == self.topic), topic, m) for ns, topic, m in messages]
        messages = copied(messages, self.topic)
        for place, message in enumerate([m for _, topic, m in messages if topic == self.topic]):
            if place % 3 == self.index % 3 or self.index < 3:
                self._change(message)
        return messages

    def _change(self, message: Any) -> None:
        kind = self.kind
        stamped = message.transforms[0] if hasattr(message, "transforms") else message
        if kind == "frame":
            stamped.header.frame_id = self.text
        elif kind == "no stamp":
            stamped.header.stamp.sec = stamped.header.stamp.nanosec = 0
        elif kind == "encoding" and hasattr(message, "encoding"):
            message.encoding = self.text
        elif kind == "size" and hasattr(message, "width"):
            message.width = max(0, int(message.width * self.amount))
        elif kind == "cut data" and hasattr(message, "data"):
            message.data = message.data[: int(len(message.data) * abs(self.amount) / 4)]
        elif kind == "step" and hasattr(message, "step"):
            message.step = int(abs(self.amount) * 100)
        elif kind == "lost":
            pose = stamped.transform if hasattr(stamped, "transform") else None
            if pose is not None:
                pose.translation.x = float(self.text == "x" or np.nan)
                pose.rotation.w = pose.rotation.x = pose.rotation.y = pose.rotation.z = 0.0
        elif kind == "calibration" and hasattr(message, "k"):
            message.k[:] *= self.amount


KINDS = (
    "drop topic",
    "twice",
    "rename",
    "late in the bag",
    "frame",
    "no stamp",
    "encoding",
    "size",
    "cut data",
    "step",
)
oddities = st.builds(
    Oddity,
    st.sampled_from([*KINDS, "lost", "calibration"]),
    st.sampled_from(TOPICS),
    st.integers(0, 8),
    st.sampled_from(["", "cam", "map", "odom", "base_link", *ENCODINGS]),
    st.floats(-4, 4, allow_nan=False),
)


@dataclass(frozen=True)
class Damage:
    """Damage of the bag's file: a missing end, or changed bytes."""

    kept: float
    flips: tuple[tuple[float, int], ...]

    def apply(self, path: Any) -> None:
        file = next(file for file in path.iterdir() if file.name != "metadata.yaml")
        data = bytearray(file.read_bytes()[: int(file.stat().st_size * self.kept)])
        for place, value in self.flips if data else ():
            data[int(place * (len(data) - 1))] ^= value
        file.write_bytes(data)


damages = st.builds(
    Damage,
    st.one_of(st.just(1.0), st.floats(0, 1)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=8).map(tuple),
)


@pytest.fixture
def quick_network(monkeypatch):
    """Encode keyframes without a network, because only the choice of keyframes is tested."""
    monkeypatch.setattr("dsm_ros.network.checkpoint.load_network", lambda *_: FakeEncoder())


def build(dsm, tmp_path, messages, plugin, damage=None):
    """Build a map from a bag; return the map's folder, or None when the bag was refused properly."""
    for name in ("bag", "map"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    path = write(tmp_path / "bag", messages, plugin)
    if damage:
        damage.apply(path)
    done = dsm("map", "build", path, tmp_path / "map", "--frames", ":")
    if done.status == 0:
        return tmp_path / "map"
    assert done.status == 2, done.err
    lines = [line for line in done.err.splitlines() if line.startswith("dsm:")]
    assert len(lines) == 1, done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "map").exists()
    return None


def odom_T_camera(stamp_ns):
    return ROBOT.odom_T_base((stamp_ns - 1_700_000_000 * S) / S) @ BASE_T_CAMERA


def assert_right(map_folder):
    """Check that keyframes are within 10 cm of the ground truth in map or odom, and that their depth is the room's."""
    from dsm_ros.scene_map.store import open_store

    store = open_store(str(map_folder))
    keyframes = store.keyframes(store.index()["id"].to_pylist())
    worst = [
        max(pose_error(k.map_T_camera, truth(k.stamp_ns))[0] for k in keyframes)
        for truth in (ROBOT.truth, odom_T_camera)
    ]
    assert min(worst) < 0.1
    for keyframe in keyframes:
        true_HW = ROBOT.seen((keyframe.stamp_ns - 1_700_000_000 * S) / S)[1] / 1000
        depth_HW = keyframe.depth_HW()
        assert np.median(np.abs(depth_HW - true_HW)[depth_HW > 0]) < 0.02


def check_odd_bag(dsm, tmp_path, depth, oddities, plugin):
    messages = recording(depth)
    for oddity in oddities:
        messages = oddity.apply(messages)
    if messages and (map_folder := build(dsm, tmp_path, messages, plugin)):
        assert_right(map_folder)


ANY_ORDER = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}
odd_bags = given(
    depth=st.sampled_from(["aligned", "unaligned", "both"]),
    oddities=st.lists(oddities, max_size=3),
    plugin=st.sampled_from(list(StoragePlugin)),
)
damaged_bags = given(damage=damages, plugin=st.sampled_from(list(StoragePlugin)))


@settings(max_examples=25, **ANY_ORDER)
@odd_bags
def test_odd_bags_make_right_maps_or_are_refused(dsm, tmp_path, quick_network, depth, oddities, plugin):
    check_odd_bag(dsm, tmp_path, depth, oddities, plugin)


@settings(max_examples=15, **ANY_ORDER)
@damaged_bags
def test_damaged_bags_never_end_in_a_traceback(dsm, tmp_path, quick_network, damage, plugin):
    build(dsm, tmp_path, recording("both"), plugin, damage)


@pytest.mark.slow
@settings(max_examples=1400, **ANY_ORDER)
@odd_bags
def test_many_odd_bags(dsm, tmp_path, quick_network, depth, oddities, plugin):
    check_odd_bag(dsm, tmp_path, depth, oddities, plugin)


@pytest.mark.slow
@settings(max_examples=600, **ANY_ORDER)
@damaged_bags
def test_many_damaged_bags(dsm, tmp_path, quick_network, damage, plugin):
    build(dsm, tmp_path, recording("both"), plugin, damage)
