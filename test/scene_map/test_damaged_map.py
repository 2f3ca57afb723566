"""Maps with damaged or missing tables."""

import shutil

import pytest
from map_helpers import ROOM, build, quiet

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.errors import MapError
from dsm_ros.scene_map.scene_map import SceneMap
from dsm_ros.scene_map.statistics import map_statistics
from dsm_ros.scene_map.verify import find_problems


@pytest.fixture
def room():
    return open_rooms(ROOM)


def halve(folder):
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_damaged_tables_are_reported(tmp_path, room):
    uri = tmp_path / "m"
    build(room, uri)
    halve(uri / "keyframes.lance" / "data")
    with pytest.raises(MapError, match="damaged"):
        find_problems(str(uri), quiet)


@pytest.mark.parametrize("table", ["keyframes", "features", "meta"])
def test_damage_is_told_when_a_map_is_added_to(tmp_path, room, table):
    uri = tmp_path / "m"
    build(room, uri)
    halve(uri / f"{table}.lance" / "data")
    with pytest.raises(MapError, match="damaged") as told:
        build(room, uri, range(5, 25, 10), append=True)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("append", [False, True])
def test_a_map_without_its_meta_table_is_not_built_upon(tmp_path, room, append):
    uri = tmp_path / "m"
    build(room, uri)
    shutil.rmtree(uri / "meta.lance")
    for call in (lambda: build(room, uri, append=append), lambda: map_statistics(str(uri))):
        with pytest.raises(MapError, match="m contains a damaged or incomplete map; remove the map, or choose another"):
            call()
    halve(uri / "keyframes.lance" / "data")
    with pytest.raises(MapError, match="damaged or incomplete"):
        build(room, uri, append=append)


def test_damaged_features_are_reported_when_a_map_is_opened_and_after(tmp_path, room):
    build(room, tmp_path / "m")
    opened = SceneMap.open(str(tmp_path / "m"), "fake")
    halve(tmp_path / "m" / "features.lance" / "data")
    with pytest.raises(MapError, match="damaged"):
        opened.preload(4)
    with pytest.raises(MapError, match="damaged"):
        SceneMap.open(str(tmp_path / "m"), "fake")
