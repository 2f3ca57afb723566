"""Episodes cached on disk, because rendering an episode takes seconds."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch

from dsm_ros.files import write_whole
from dsm_ros.geometry.camera import Camera
from dsm_ros.training.episode import Episode, EpisodeSource

DEPTH_UNIT_M = 1e-3


class CachedEpisodes:
    """A source that makes each episode once and stores it in a folder, with depth in whole millimetres."""

    def __init__(self, source: EpisodeSource, folder: Path):
        self.source, self.folder = source, folder

    def __getitem__(self, index: int) -> Episode:
        path = self.folder / f"{index:06d}.npz"
        if not path.exists():
            _write(self.source[index], path)
        return _read(path)


def _write(episode: Episode, path: Path) -> None:
    content = io.BytesIO()
    np.savez(
        content,
        images=episode.images_VHW3.numpy(),
        depths=(episode.depths_VHW / DEPTH_UNIT_M).round().clamp(0, 65535).numpy().astype(np.uint16),
        cameras=np.array([[c.width_px, c.height_px, c.fx, c.fy, c.cx, c.cy] for c in episode.cameras]),
        poses=episode.map_T_camera_V44,
        overlap=episode.overlap_VV,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content.getvalue())


def _read(path: Path) -> Episode:
    with np.load(path) as file:
        cameras = tuple(Camera(int(w), int(h), fx, fy, cx, cy) for w, h, fx, fy, cx, cy in file["cameras"].tolist())
        depths = torch.from_numpy(file["depths"].astype(np.float32) * DEPTH_UNIT_M)
        return Episode(torch.from_numpy(file["images"]), depths, cameras, file["poses"], file["overlap"])
