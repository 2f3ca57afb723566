import csv

import cv2
import numpy as np
import pytest

from dsm_ros.datasets.rooms.box import free_distance_m
from dsm_ros.datasets.rooms.furniture import turned
from dsm_ros.datasets.rooms.light_map import build_light_map
from dsm_ros.datasets.rooms.model import make_room
from dsm_ros.datasets.rooms.photographs import FOLDER, photograph
from dsm_ros.datasets.rooms.placement import area_of, at_wall
from dsm_ros.datasets.rooms.scene import RoomStyle
from dsm_ros.datasets.rooms.sequence import open_rooms, parse_spec
from dsm_ros.datasets.rooms.table import corners_of
from dsm_ros.errors import SequenceError

FURNISHED = RoomStyle(furnished=True)
SEEDS = (0, 3, 7)
TOUCH_M = 0.03


@pytest.mark.parametrize("seed", SEEDS)
def test_a_furnished_room_has_the_size_and_the_walks_of_the_plain_one(seed):
    plain, furnished = make_room(seed, RoomStyle()), make_room(seed, FURNISHED)
    assert (plain.size_3 == furnished.size_3).all()
    assert plain.walks == furnished.walks


@pytest.mark.parametrize("seed", SEEDS)
def test_furniture_is_inside_the_room_and_away_from_the_walks(seed):
    room = make_room(seed, FURNISHED)
    corners = corners_of(room.boxes[1:])
    assert (corners > -0.02).all()
    assert (corners < room.size_3 + 0.02).all()
    for walk in room.walks:
        assert min(free_distance_m(room.boxes[1:], walk.position(phase)) for phase in np.linspace(0, 1, 60)) > 0.39


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_floats(seed):
    room = make_room(seed, FURNISHED)
    corners = corners_of(room.boxes[1:])
    low, high = corners.min(1) - TOUCH_M, corners.max(1) + TOUCH_M
    held = (low <= 0).any(1) | (high >= room.size_3).any(1)  # by the floor, a wall or the ceiling
    touches = (low[:, None] <= high[None]).all(2) & (high[:, None] >= low[None]).all(2)
    for _ in range(20):
        held |= (touches & held).any(1)
    assert held.all()


def test_a_seed_gives_the_same_room_again():
    first = open_rooms("rooms:3/furnished=1,size=64x48")[7].image_HW3
    make_room.cache_clear()
    assert (open_rooms("rooms:3/furnished=1,size=64x48")[7].image_HW3 == first).all()
    assert (open_rooms("rooms:4/furnished=1,size=64x48")[7].image_HW3 != first).any()


def test_blank_furnished_rooms_have_no_pictures():
    assert len(make_room(7, RoomStyle(furnished=True, blank=True)).boxes) < len(make_room(7, FURNISHED).boxes)


def test_clutter_limits_the_furniture():
    assert len(make_room(7, RoomStyle(clutter=2, furnished=True)).boxes) < len(make_room(7, FURNISHED).boxes) / 2


def test_repeated_textures_are_refused():
    with pytest.raises(SequenceError, match="leave out"):
        parse_spec("rooms:1/furnished=1,repeat=1")


def test_every_shipped_texture_has_its_author_and_a_free_licence():
    with (FOLDER / "SOURCES.tsv").open(newline="") as text:
        rows = list(csv.DictReader(text, delimiter="\t"))
    assert sorted(row["file"] for row in rows) == sorted(path.name for path in FOLDER.glob("*.jpg"))
    assert {row["licence"] for row in rows} <= {"CC0-1.0", "CC-BY-3.0", "CC-BY-3.0-US", "CC-BY-4.0"}
    assert all(row["author"] and row["title"] and row["package"] and row["path"] for row in rows)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_500_000


def test_a_missing_texture_is_an_error_that_names_it():
    with pytest.raises(SequenceError, match="nowhere"):
        photograph("nowhere")


@pytest.mark.parametrize(("wall", "axis", "far"), [(0, 1, False), (1, 0, True), (2, 1, True), (3, 0, False)])
def test_a_piece_stands_with_its_back_to_its_wall(wall, axis, far):
    room = make_room(0, FURNISHED)
    piece = [room.boxes[1]]
    piece = turned(piece, -piece[0].yaw_rad, (0.0, 0.0, 0.0))
    x0, y0, _, _ = area_of(piece)
    placed = area_of(at_wall(piece, wall, 0.5 - x0, 0.1 - y0, room.size_3))
    assert (room.size_3[axis] - placed[2 + axis] if far else placed[axis]) == pytest.approx(0.1)


def test_light_is_weaker_under_things_and_in_corners_and_stronger_in_the_sun():
    size = np.array([4.0, 4.0, 2.5])
    table = np.array([[x, y, z] for x in (0.8, 1.4) for y in (0.8, 1.4) for z in (0.6, 0.7)])
    sun = np.array([[2.5, 2.5], [3.2, 2.5], [3.2, 3.2], [2.5, 3.2]])
    light = build_light_map(size, table[None], [sun])
    side = light.sides[0]
    floor = light.texels_T3[4 * side * side : 5 * side * side, 0].reshape(side, side).numpy()

    def at(x, y):
        return floor[int(y / 4 * side), int(x / 4 * side)]

    assert at(1.1, 1.1) < 0.97 * at(2.0, 2.0)
    assert at(0.05, 2.0) < 0.9 * at(2.0, 2.0)
    assert at(2.85, 2.85) > 1.3 * at(2.0, 2.0)


def test_photographs_are_not_upside_down_or_mirrored():
    from dsm_ros.datasets.rooms.photographs import texture

    image = np.zeros((64, 64, 3), np.float32)
    image[:8, :8] = 1  # a mark at the upper left
    marked = texture(image).numpy()[0]
    assert marked[-10:, -10:].min() == 1  # v points up, and u to the left of who looks at a front
    assert cv2.countNonZero(marked) == pytest.approx(marked.size / 64, rel=0.1)
