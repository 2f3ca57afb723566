import cv2
import numpy as np
import pytest
import torch

from dsm_ros.datasets.rooms.box import free_distance_m
from dsm_ros.datasets.rooms.model import RoomStyle, make_room
from dsm_ros.datasets.rooms.render import render
from dsm_ros.datasets.rooms.texture_pack import TextureLibrary
from dsm_ros.datasets.rooms.view import random_view
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera

SEEDS = range(6)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("textures"), np.random.default_rng(0)
    for i in range(12):
        coarse = rng.integers(30, 220, (8, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{i}.jpg"), cv2.resize(coarse, (256, 256)))
    return TextureLibrary(folder)


def test_a_folder_without_textures_is_refused(tmp_path):
    with pytest.raises(SequenceError, match="no JPEG"):
        TextureLibrary(tmp_path)


def test_textures_are_rgb(tmp_path):
    red = np.zeros((256, 256, 3), np.uint8)
    red[..., 2] = 200  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / "red.jpg"), red)
    texture = TextureLibrary(tmp_path)[0]
    assert texture.shape == (256, 256, 3)
    assert texture[..., 0].mean() > 190
    assert texture[..., 2].mean() < 10


@pytest.mark.parametrize("seed", SEEDS)
def test_all_furniture_is_in_the_room_and_its_textures_exist(library, seed):
    room = make_room(seed, RoomStyle(20), library)
    assert (room.size_3[:2] >= 3).all()
    assert (room.size_3[:2] <= 8).all()
    assert len(room.boxes) > 40
    corners = room.table.corners_B83[1:]
    assert (corners > -0.06).all()
    assert (corners[..., :2] < room.size_3[:2] + 0.06).all()
    numbers = {texture for box in room.boxes for texture in box.textures_6}
    assert max(numbers) < len(room.textures.texels_T3) / room.textures.sides[0] ** 2


def test_a_seed_gives_the_same_room_again_and_another_one_another(library):
    first, other = make_room(1, RoomStyle(20), library), make_room(2, RoomStyle(20), library)
    make_room.cache_clear()
    again = make_room(1, RoomStyle(20), library)
    assert again.boxes == first.boxes
    assert (again.textures.texels_T3 == first.textures.texels_T3).all()
    assert other.boxes != first.boxes


def test_a_library_does_not_change_rooms_without_one(library):
    make_room.cache_clear()
    before = make_room(5, RoomStyle(4))
    make_room(5, RoomStyle(4), library)
    make_room.cache_clear()
    assert make_room(5, RoomStyle(4)).boxes == before.boxes


@pytest.mark.parametrize("seed", SEEDS)
def test_random_views_are_free_and_look_about_level(library, seed):
    room, rng = make_room(seed, RoomStyle(30), library), np.random.default_rng(seed)
    poses = [random_view(room, rng) for _ in range(20)]
    for pose in poses:
        assert free_distance_m(room.boxes[1:], pose[:3, 3]) >= 0.49
        assert (pose[:3, 3] > 0.49).all()
        assert (pose[:3, 3] < room.size_3 - 0.49).all()
        assert np.degrees(np.arcsin(pose[2, 2])) == pytest.approx(-5, abs=25.1)
        assert abs(pose[2, 0]) < np.sin(0.16)  # roll: how far the image's x axis leaves the horizon
    spread = np.ptp([pose[:3, 3] for pose in poses], axis=0)
    assert (spread[:2] > 0.3).all()


def test_furnished_views_are_full_of_detail_but_blank_walls_are_not(library):
    camera = Camera(128, 96, 105, 105, 63.5, 47.5)

    def edges(style):
        values = []
        for seed in SEEDS:
            room, rng = make_room(seed, style, library), np.random.default_rng(seed)
            image, _ = render(room, torch.from_numpy(random_view(room, rng)), camera)
            values.append(float(np.abs(np.diff(image.numpy(), axis=1)).mean()))
        return np.mean(values)

    assert edges(RoomStyle(20)) > 1.2 * edges(RoomStyle(0, blank=True))


def test_repeat_takes_few_textures(library):
    room = make_room(3, RoomStyle(20, repeat=True), library)
    assert len({texture for box in room.boxes[1:] for texture in box.textures_6}) <= 6
