from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.datasets.rooms.texture_pack import TextureLibrary
from dsm_ros.training import session
from dsm_ros.training.cached_episodes import CachedEpisodes, episodes_checksum


class Counting:
    """A source that counts the episodes it makes."""

    def __init__(self, source):
        self.source, self.made = source, 0

    def __getitem__(self, index):
        self.made += 1
        return self.source[index]


@pytest.fixture
def source(wall):
    return Counting(wall)


def test_cached_episodes_are_made_once_and_read_back(tmp_path, source, wall):
    cached = CachedEpisodes(source, tmp_path / "episodes")
    first, again = cached[3], cached[3]
    assert source.made == 1
    assert (again.images_VHW3 == wall[3].images_VHW3).all()
    assert torch.allclose(again.depths_VHW, wall[3].depths_VHW, atol=1e-3)
    assert again.cameras == first.cameras == wall[3].cameras
    assert (again.overlap_VV == wall[3].overlap_VV).all()


@pytest.mark.parametrize("kept_bytes", [0, 10, 1000])
def test_a_truncated_episode_is_made_again(tmp_path, source, kept_bytes):
    cached = CachedEpisodes(source, tmp_path)
    whole = cached[0]
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:kept_bytes])
    assert (cached[0].images_VHW3 == whole.images_VHW3).all()
    assert (cached[0].images_VHW3 == whole.images_VHW3).all()
    assert source.made == 2


def textures(folder, seed):
    folder.mkdir()
    pixels = np.random.default_rng(seed).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "0.jpg"), pixels)
    return TextureLibrary(folder)


def test_the_checksum_depends_on_all_that_determines_the_episodes(tmp_path, config):
    one, other = textures(tmp_path / "one", 1), textures(tmp_path / "other", 2)
    walk, blurred = (open_sequence(f"rooms:7/size=64x64,frames=3,blur={blur}") for blur in (0, 1))
    changed = [replace(config, **{name: 64 + 32}) for name in ("seed", "views", "height_px")]
    checksums = [episodes_checksum(recipe, None, []) for recipe in (config, replace(config, width_px=128), *changed)]
    checksums += [episodes_checksum(config, library, []) for library in (one, other)]
    checksums += [episodes_checksum(config, None, walks) for walks in ([walk], [blurred], [walk, blurred])]
    assert len(set(checksums)) == len(checksums)


def test_the_checksum_depends_on_nothing_else(tmp_path, config):
    one, copy = textures(tmp_path / "one", 1), textures(tmp_path / "copy", 1)
    longer = replace(config, steps=9, episodes=1, queries=3, pool=7, augmentations=5, learning_rate=0.1)
    assert episodes_checksum(config, one, []) == episodes_checksum(longer, copy, [])


def test_a_run_with_another_recipe_reads_no_room_of_the_first_recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "train", lambda network, source, *more: source[0])
    for views, width in ((2, 64), (3, 96)):
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(f"views: {views}\nwidth_px: {width}\nheight_px: 32\n")
        episode = session.train_session(str(recipe), tmp_path / "run", False, None, [], None, True, 0)
        assert episode.images_VHW3.shape == (views, 32, width, 3)
