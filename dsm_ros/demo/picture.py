"""Picture of the demo: the map with the paths in it, beside one image with its scene coordinates and confidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from dsm_ros.datasets.frame import Frame, FrameSequence
from dsm_ros.demo.map_view import Color, Image, MapView, fit_view
from dsm_ros.demo.report import Summary
from dsm_ros.evaluation.metrics import FrameScore
from dsm_ros.evaluation.plots import ESTIMATE_COLOR, KEYFRAME_COLOR, TRUE_COLOR
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import SceneCoordinates
from dsm_ros.localization.view import single_view
from dsm_ros.node.display.debug_image import coordinate_colors
from dsm_ros.scene_map.scene_map import SceneMap

SIZE_IN, DPI = (16.0, 9.6), 110
MAP_SIZE_PX, MAP_POINTS, CAMERA_M = (1200, 900), 1_500_000, 0.16
CAMERA_COLOR = "#e7298a"
DOTS = 60  # maximum number of positions, so that the true path is visible between them
CANDIDATES = 12


@dataclass(frozen=True)
class MapPicture:
    """A view of a map with its coloured points and the poses of its keyframes."""

    view: MapView
    points: Image
    keyframes_N44: Pose44

    def with_paths(
        self, ground: Image, truth_P3: NDArray[np.float64], scores: list[FrameScore], shown: FrameScore
    ) -> Image:
        """Return a picture of the map with keyframes, true path (m), estimated positions and one frame's camera."""
        image, view = ground.copy(), self.view
        for pose in self.keyframes_N44:
            view.draw_camera(image, pose, _rgb(KEYFRAME_COLOR), CAMERA_M, 1)
        view.draw_path(image, truth_P3, _rgb(TRUE_COLOR), 4)
        found = [score.map_T_camera[:3, 3] for score in scores if score.map_T_camera is not None]
        if found:
            view.draw_dots(image, np.stack(found[:: -(-len(found) // DOTS)]), _rgb(ESTIMATE_COLOR), 5)
        if shown.map_T_camera is not None:
            view.draw_camera(image, shown.map_T_camera, _rgb(CAMERA_COLOR), 2 * CAMERA_M, 4)
        return image


def _rgb(color: str) -> Color:
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue


def picture_of(scene_map: SceneMap) -> MapPicture:
    """Return the picture of a map."""
    points_N3, colors_N3 = scene_map.points(MAP_POINTS)
    view = fit_view(points_N3, scene_map.poses_N44, MAP_SIZE_PX)
    image = view.empty()
    view.draw_points(image, points_N3, colors_N3, 2)
    return MapPicture(view, image, scene_map.poses_N44)


class DemoFigure:
    """One figure whose four images are replaced from frame to frame."""

    def __init__(self, title: str):
        self.figure = Figure(figsize=SIZE_IN, dpi=DPI)
        FigureCanvasAgg(self.figure)
        self.figure.suptitle(title, x=0.015, y=0.975, ha="left", fontsize=18)
        self._map = self._axes(0.0, 0.055, 0.71, 0.88, "")
        self._image = self._axes(0.715, 0.685, 0.235, 0.27, "camera image")
        self._coordinates = self._axes(0.715, 0.35, 0.235, 0.27, "dense scene coordinates\n(x, y, z in the map as RGB)")
        self._confidence = self._axes(0.715, 0.02, 0.235, 0.27, "confidence of each coordinate")
        scale = self.figure.add_axes((0.958, 0.02, 0.01, 0.27))
        self.figure.colorbar(ScalarMappable(cmap="viridis"), cax=scale).ax.tick_params(labelsize=12)
        self._add_legend()

    def show(self, map_image: Image, frame: Frame, coordinates: SceneCoordinates | None) -> None:
        """Show a picture of the map, and one frame with its dense scene coordinates, if the frame was localized."""
        for axes in (self._map, self._image, self._coordinates, self._confidence):
            for shown in list(axes.images):
                shown.remove()
        self._map.imshow(map_image)
        self._image.imshow(frame.image_HW3)
        if coordinates is not None:
            self._coordinates.imshow(coordinate_colors(coordinates))
            self._confidence.imshow(coordinates.confidence_HW, cmap="viridis", vmin=0, vmax=1)

    def _axes(self, left: float, bottom: float, width: float, height: float, title: str) -> Axes:
        axes = self.figure.add_axes((left, bottom, width, height))
        axes.set_title(title, fontsize=15)
        axes.set_axis_off()
        return axes

    def _add_legend(self) -> None:
        keyframe, camera = {"marker": "<", "mfc": "none", "ls": ""}, {"marker": "<", "mfc": "none", "ls": "", "mew": 3}
        marks = [
            Line2D([], [], color=KEYFRAME_COLOR, ms=11, label="keyframes of the map", **keyframe),  # type: ignore[arg-type]
            Line2D([], [], color=TRUE_COLOR, lw=4, label="true path"),
            Line2D([], [], color=ESTIMATE_COLOR, marker="o", ls="", ms=8, label="estimated positions"),
            Line2D([], [], color=CAMERA_COLOR, ms=14, label="pose of the image", **camera),  # type: ignore[arg-type]
        ]
        self.figure.legend(
            handles=marks,
            loc="lower left",
            bbox_to_anchor=(0.0, 0.0),
            ncols=4,
            fontsize=15,
            frameon=False,
            columnspacing=1.5,
        )


def title_of(summary: Summary, scene_map: SceneMap) -> str:
    """Return one line with the number of keyframes of the map and the number of localized images."""
    figures = summary.figures
    text = f"{len(scene_map.ids)} keyframes; {figures['localized']} of {figures['frames_processed']} images localized"
    error_m = figures["median_translation_m"]
    return text if error_m is None else f"{text}, median error {100 * error_m:.1f} cm"


def save_picture(
    summary: Summary, scene_map: SceneMap, localizer: Localizer, queries: FrameSequence, path: Path
) -> None:
    """Write a picture of the map with all paths, beside the most varied of several localized images."""
    if not summary.scored:
        return
    candidates = summary.localized or summary.scored
    shown, frame = max(
        ((score, queries[index]) for score, index in candidates[:: -(-len(candidates) // CANDIDATES)]),
        key=lambda candidate: float(candidate[1].image_HW3.std()),
    )
    picture, figure = picture_of(scene_map), DemoFigure(title_of(summary, scene_map))
    result = localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
    paths = picture.with_paths(picture.points, summary.truth_P3, [score for score, _ in summary.scored], shown)
    figure.show(paths, frame, result.coordinates)
    figure.figure.savefig(path)
