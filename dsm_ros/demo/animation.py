"""Animation of the demo, in which the camera moves through the map and its dense scene coordinates fill the room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.animation import PillowWriter

from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.demo.map_view import BACKGROUND, Image
from dsm_ros.demo.picture import DemoFigure, picture_of, title_of
from dsm_ros.demo.report import Summary
from dsm_ros.errors import DsmError
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import SceneCoordinates
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.scene_map import SceneMap

FRAMES, RATE_HZ, DPI = 48, 8, 55
PALE_SHARE = 0.12  # share of the map's colours in the pale map below the coordinates
POINT_PX = 5
MATCHED = 0.5  # minimum confidence of a matched coordinate


def save_animation(
    summary: Summary,
    scene_map: SceneMap,
    localizer: Localizer,
    queries: FrameSequence,
    path: Path,
    on_progress: Callable[[int, int], None],
) -> None:
    """Write an animation of up to FRAMES localized frames; its extension selects the format (.webp, .gif).

    Raises DsmError when no frame is localized.
    """
    if not summary.localized:
        raise DsmError("an animation shows localized frames, but no frame is localized; use a longer sequence")
    chosen = summary.localized[:: max(1, -(-len(summary.localized) // FRAMES))]
    picture, figure = picture_of(scene_map), DemoFigure(title_of(summary, scene_map))
    pale = (BACKGROUND - PALE_SHARE * (BACKGROUND - picture.points.astype(float))).astype(np.uint8)
    clouds: list[tuple[np.ndarray, Image]] = []
    writer = PillowWriter(fps=RATE_HZ)
    with writer.saving(figure.figure, str(path), DPI):
        for done, (shown, index) in enumerate(chosen, 1):
            frame = queries[index]
            result = localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
            if result.coordinates is not None:
                clouds.append(_matched(result.coordinates))
            ground = pale.copy()
            if clouds:
                points, colors = (np.concatenate(parts) for parts in zip(*clouds, strict=True))
                picture.view.draw_points(ground, points, colors, POINT_PX)
            passed = [score for score, _ in chosen[:done]]
            picture_now = picture.with_paths(ground, summary.truth_P3, passed, shown)
            figure.show(picture_now, frame, result.coordinates)
            writer.grab_frame()
            on_progress(done, len(chosen))


def _matched(coordinates: SceneCoordinates) -> tuple[np.ndarray, Image]:
    known_HW = coordinates.confidence_HW >= MATCHED
    return coordinates.coords_HW3[known_HW], coordinates.colors_HW3[known_HW]
