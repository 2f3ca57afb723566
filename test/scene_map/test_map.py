"""Building, reading and extending a map."""

import weakref
from pathlib import Path

import numpy as np
import pytest
from map_helpers import ROOM, FakeEncoder, Listed, build, quiet

from dsm_ros.datasets.frame import Frame
from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.errors import ImageError, MapError, SequenceError
from dsm_ros.scene_map.builder import refresh_features
from dsm_ros.scene_map.keyframe import compress
from dsm_ros.scene_map.scene_map import FEATURE_BYTES, SceneMap
from dsm_ros.scene_map.statistics import map_statistics
from dsm_ros.scene_map.store import MapStore, open_store
from dsm_ros.scene_map.verify import find_problems


@pytest.fixture
def room():
    return open_rooms(ROOM)


def test_what_is_built_is_read_back(tmp_path, room):
    assert build(room, tmp_path / "m").added == 4
    scene_map = SceneMap.open(str(tmp_path / "m"), "fake")
    index = open_store(str(tmp_path / "m")).index()
    assert index["stamp_ns"].to_pylist() == [room[i].stamp_ns for i in range(0, 40, 10)]
    first = scene_map.keyframe(index["id"][0].as_py())
    assert np.abs(first.image_HW3().astype(int) - room[0].image_HW3).mean() < 6
    assert first.depth_HW() == pytest.approx(room[0].depth_HW, abs=6e-4)
    with pytest.raises(MapError, match="no keyframe -1"):
        scene_map.keyframes([first.id, -1])
    assert first.map_T_camera == pytest.approx(room[0].map_T_camera)
    features = scene_map.features([first.id])[0]
    assert features.depths[0].shape == (4, 6)
    assert features.map_T_camera == pytest.approx(room[0].map_T_camera)
    assert find_problems(str(tmp_path / "m"), quiet).problems == ()
    points, colors = scene_map.points(500)
    assert len(points) == len(colors) <= 500
    assert (points > -0.05).all()
    assert (points < room.room.size_3 + 0.05).all()


def test_a_map_without_users_is_freed_at_once(tmp_path, room):
    build(room, tmp_path / "m")
    scene_map = SceneMap.open(str(tmp_path / "m"), "fake")
    scene_map.features(scene_map.ids)
    gone = weakref.ref(scene_map)
    del scene_map
    assert gone() is None


def test_append_adds_and_build_never_overwrites(tmp_path, room):
    build(room, tmp_path / "m")
    with pytest.raises(MapError, match="--append"):
        build(room, tmp_path / "m")
    build(room, tmp_path / "m", range(5, 25, 10), append=True)
    assert map_statistics(str(tmp_path / "m"))["keyframes"] == 6
    with pytest.raises(MapError, match="leave out --append"):
        build(room, tmp_path / "missing", append=True)
    assert not (tmp_path / "missing").exists()


def test_another_model_is_refused_until_features_are_refreshed(tmp_path, room):
    class Other(FakeEncoder):
        model_hash = "other"

    uri = str(tmp_path / "m")
    build(room, uri)
    with pytest.raises(MapError, match="--refresh"):
        build(room, uri, append=True, encoder=Other())
    with pytest.raises(MapError, match="--refresh"):
        SceneMap.open(uri, "other")
    assert refresh_features(uri, Other(), quiet) == 4
    assert len(SceneMap.open(uri, "other").ids) == 4


class NoDepth:
    name = "colour only"

    def __init__(self, room, depth=None):
        self.room, self.depth = room, depth

    def __len__(self):
        return len(self.room)

    def __getitem__(self, i):
        f = self.room[i]
        return Frame(f.name, f.stamp_ns, f.image_HW3, f.camera, self.depth, f.map_T_camera)


def test_a_sequence_without_depth_or_with_millimetres_leaves_nothing_behind(tmp_path, room):
    with pytest.raises(SequenceError, match="depth"):
        build(NoDepth(room), tmp_path / "m")
    with pytest.raises(SequenceError, match="units"):
        build(NoDepth(room, np.full((64, 96), 1500.0, np.float32)), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_an_image_that_cannot_be_read_is_left_out(tmp_path, room):
    errors = [ImageError(f"{i}.png is damaged") for i in range(2)]
    sound = [room[i] for i in range(0, 40, 10)]
    report = build(Listed([errors[0], *sound, errors[1]]), tmp_path / "m", range(6))
    assert report.added == 4
    assert report.left_out == {"its image cannot be read": 2}
    with pytest.raises(ImageError, match=r"^0.png is damaged$"):
        build(Listed(errors), tmp_path / "none", range(2))
    assert not (tmp_path / "none").exists()


def test_keyframes_stay_below_300_kb(kitchen):
    for index in (0, 100, 400):
        keyframe = compress(kitchen[index], 1, "s")
        assert len(keyframe.image_jpeg) + len(keyframe.depth_png) <= 300_000


def test_features_of_a_keyframe_stay_within_their_budget(room_map, network):
    scene_map = SceneMap.open(room_map, network.model_hash)
    (features,) = scene_map.features(scene_map.ids[:1])
    assert sum(tensor.nbytes for tensor in (*features.image.levels, *features.depths)) <= FEATURE_BYTES
    on_disk = sum(path.stat().st_size for path in (Path(room_map) / "features.lance").rglob("*") if path.is_file())
    assert on_disk / len(scene_map.ids) <= FEATURE_BYTES


class NotingStore(MapStore):
    """A store that notes the ids of each read of features."""

    def __init__(self, uri):
        super().__init__(uri)
        self.reads = []

    def features(self, ids, model_hash):
        self.reads.append(ids)
        return super().features(ids, model_hash)


@pytest.mark.parametrize("count", [0, 2, 100])
def test_preloaded_features_are_not_read_again(tmp_path, room, count):
    build(room, tmp_path / "m")
    scene_map = SceneMap(NotingStore(str(tmp_path / "m")), "fake")
    scene_map.preload(count)
    reads = scene_map.store.reads
    reads.clear()
    assert len(scene_map.features(scene_map.ids)) == 4
    assert reads == ([scene_map.ids[count:]] if count < 4 else [])  # an empty query of the store takes a millisecond


def test_preloaded_patches_are_not_cut_again(tmp_path, room, monkeypatch):
    build(room, tmp_path / "m")
    scene_map = SceneMap.open(str(tmp_path / "m"), "fake")
    scene_map.preload_patches(2)
    monkeypatch.setattr(SceneMap, "keyframes", lambda self, ids: pytest.fail(f"keyframes {ids} are read again"))
    assert len(scene_map.patches(scene_map.ids[:2])) == 2


def test_the_least_recently_used_patches_are_dropped_beyond_the_limit(tmp_path, room, monkeypatch):
    build(room, tmp_path / "m")
    monkeypatch.setattr("dsm_ros.scene_map.scene_map.PATCHES_BYTES", 1)
    scene_map = SceneMap.open(str(tmp_path / "m"), "fake")
    first, second = scene_map.ids[:2]
    (kept,) = scene_map.patches([first])
    assert scene_map.patches([first])[0] is kept
    scene_map.patches([second])
    assert scene_map.patches([first])[0] is not kept


def test_a_map_is_closed_against_assignment(room_map, network):
    scene_map = SceneMap.open(room_map, network.model_hash)
    for name in ("store", "model_hash", "device", "frame_name", "ids"):
        with pytest.raises(AttributeError):
            setattr(scene_map, name, None)
