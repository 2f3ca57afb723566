"""Episodes cached on disk, because rendering an episode takes seconds."""

from __future__ import annotations

import io
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.datasets.rooms.texture_pack import TextureLibrary
from dsm_ros.files import write_whole
from dsm_ros.geometry.camera import Camera
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.episode import Episode, EpisodeSource

DEPTH_UNIT_M = 1e-3
EPISODE_SETTINGS = ("seed", "views", "width_px", "height_px")  # settings that RoomEpisodes and SequenceEpisodes read
CHECKSUM_DIGITS = 16


class CachedEpisodes:
    """A source that makes each episode once and stores it in a folder, with depth in whole millimetres.

    A damaged file is made again. Sources of different episodes need different folders: see ``episodes_checksum``.
    """

    def __init__(self, source: EpisodeSource, folder: Path):
        self.source, self.folder = source, folder

    def __getitem__(self, index: int) -> Episode:
        path = self.folder / f"{index:06d}.npz"
        stored = _unpack_whole(path.read_bytes()) if path.is_file() else None
        return stored or self._make(index, path)

    def _make(self, index: int, path: Path) -> Episode:
        content = _pack(self.source[index])
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
        return _unpack(content)


def episodes_checksum(config: TrainConfig, library: TextureLibrary | None, sequences: Sequence[FrameSequence]) -> str:
    """Return a checksum of all that determines the episodes: settings, textures, and frames of the recordings."""
    checksum = sha256(repr([getattr(config, name) for name in EPISODE_SETTINGS]).encode())
    checksum.update(library.checksum() if library else b"")
    for sequence in sequences:
        headers = [sequence.header(index) for index in range(len(sequence))]
        checksum.update(repr((sequence.name, headers)).encode())
    return checksum.hexdigest()[:CHECKSUM_DIGITS]


def _pack(episode: Episode) -> bytes:
    content = io.BytesIO()
    np.savez(
        content,
        images=episode.images_VHW3.numpy(),
        depths=(episode.depths_VHW / DEPTH_UNIT_M).round().clamp(0, 65535).numpy().astype(np.uint16),
        cameras=np.array([[c.width_px, c.height_px, c.fx, c.fy, c.cx, c.cy] for c in episode.cameras]),
        poses=episode.map_T_camera_V44,
        overlap=episode.overlap_VV,
    )
    return content.getvalue()


def _unpack(content: bytes) -> Episode:
    with np.load(io.BytesIO(content)) as file:
        cameras = tuple(Camera(int(w), int(h), fx, fy, cx, cy) for w, h, fx, fy, cx, cy in file["cameras"].tolist())
        depths = torch.from_numpy(file["depths"].astype(np.float32) * DEPTH_UNIT_M)
        return Episode(torch.from_numpy(file["images"]), depths, cameras, file["poses"], file["overlap"])


def _unpack_whole(content: bytes) -> Episode | None:
    """Return the episode in a file, None for a damaged file."""
    try:
        return _unpack(content)
    except Exception:  # the exceptions of zipfile and numpy for damaged files have no common base
        return None
