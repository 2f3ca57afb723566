"""The demo's map replaces only a map of an earlier demo, and only when the new map is complete."""

import map_helpers as helpers
import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.demo.demo_map import build_demo_map, require_replaceable
from dsm_ros.errors import MapError, SequenceError
from dsm_ros.scene_map.builder import build_map
from dsm_ros.scene_map.store import open_store


@pytest.fixture(scope="module")
def room():
    return open_rooms(helpers.ROOM)


def build(room, path, frames=range(2)):
    build_demo_map(room, frames, path, helpers.FakeEncoder())


def keyframes(path):
    return open_store(str(path)).index().num_rows


def test_a_map_of_the_demo_is_replaced(room, tmp_path):
    path = tmp_path / "new" / "map"
    require_replaceable(path)
    build(room, path)
    require_replaceable(path)
    build(room, path, range(3))
    assert keyframes(path) == 3
    assert [entry.name for entry in path.parent.iterdir()] == ["map"]


@pytest.mark.parametrize("check", [lambda room, path: require_replaceable(path), build])
@pytest.mark.parametrize("precious", ["folder", "file", "link", "map", "note"])
def test_anything_else_is_kept(room, tmp_path, precious, check):
    path, kept = tmp_path / "map", tmp_path / "map"
    if precious == "file":
        path.write_text("precious")
    elif precious == "folder":
        path.mkdir()
        kept = path / "keep.txt"
        kept.write_text("precious")
    elif precious == "map":
        build_map(room, range(1), str(path), helpers.FakeEncoder(), "kitchen", False, helpers.quiet)
    elif precious == "note":
        build(room, path)
        kept = path / "note.txt"
        kept.write_text("precious")
    else:
        kept = tmp_path / "elsewhere"
        build(room, kept)
        path.symlink_to(kept)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(MapError, match=r"map exists and is not a map of the demo; .* --out"):
        check(room, path)
    assert kept.exists()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failed_build_keeps_the_earlier_map(room, tmp_path):
    path = tmp_path / "map"
    build(room, path)
    with pytest.raises(SequenceError):
        build(room, path, range(0))
    assert keyframes(path) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["map"]


def test_a_failed_build_leaves_no_folder(room, tmp_path):
    with pytest.raises(SequenceError):
        build(room, tmp_path / "new" / "map", range(0))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("out", ["file", "file/inside", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path, out):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(MapError, match=r"cannot write the map .*; choose another folder"):
        require_replaceable(tmp_path / out / "map")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
