"""Builders that are killed, and builders that append to one map at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from map_helpers import ROOM, build, quiet

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.errors import MapError
from dsm_ros.scene_map.location import connect
from dsm_ros.scene_map.scene_map import SceneMap
from dsm_ros.scene_map.statistics import map_statistics
from dsm_ros.scene_map.store import KEYFRAMES
from dsm_ros.scene_map.verify import find_problems


@pytest.fixture
def room():
    return open_rooms(ROOM)


BUILDER = """
import sys, time
sys.path.insert(0, {folder!r})
from dsm_ros.datasets.rooms.sequence import open_rooms
import map_helpers as helpers
class Slow(helpers.FakeEncoder):
    def encode_keyframe(self, *a):
        time.sleep(0.02)
        return super().encode_keyframe(*a)
helpers.build(open_rooms(helpers.ROOM), {uri!r}, range({start}, {stop}), append={append}, encoder=Slow())
"""


def start_builder(uri, start, stop, append):
    code = BUILDER.format(folder=str(Path(__file__).parent), uri=str(uri), start=start, stop=stop, append=append)
    return subprocess.Popen([sys.executable, "-c", code])


def test_a_killed_build_loses_nothing_committed(tmp_path, room):
    uri = tmp_path / "m"
    process = start_builder(uri, 0, 300, False)
    deadline_s = time.monotonic() + 60
    committed = 0
    while committed < 32 and time.monotonic() < deadline_s:
        time.sleep(0.1)
        try:
            committed = map_statistics(str(uri))["keyframes"]
        except MapError:
            continue
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    after = map_statistics(str(uri))["keyframes"]
    assert 32 <= committed <= after < 300
    build(room, uri, range(290, 300), append=True)
    assert map_statistics(str(uri))["keyframes"] == after + 10
    assert find_problems(str(uri), quiet).problems == ()


def test_two_builders_append_at_once(tmp_path, room):
    uri = tmp_path / "m"
    build(room, uri)
    processes = [start_builder(uri, start, start + 32, True) for start in (50, 150)]
    assert [process.wait(90) for process in processes] == [0, 0]
    assert map_statistics(str(uri))["keyframes"] == 4 + 64
    assert len(SceneMap.open(str(uri), "fake").ids) == 68


def test_what_a_build_killed_at_its_start_leaves_is_built_upon(tmp_path, room):
    uri = tmp_path / "m"
    connect(str(uri)).create_table("keyframes", schema=KEYFRAMES)
    assert build(room, uri).added == 4
    assert map_statistics(str(uri))["keyframes"] == 4
