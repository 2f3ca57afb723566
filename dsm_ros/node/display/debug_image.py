"""Debug image of one result: the query image with its matched cells, coordinates, confidence and keyframes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.localization.result import Localized, Result, SceneCoordinates

Picture = NDArray[np.uint8]

WIDTH_PX, HEIGHT_PX = 1152, 720
QUERY_PX, MAP_PX = (768, 576), (384, 288)  # (width, height), both 4:3 as most cameras
MAX_THUMBNAILS = 10
THUMBNAIL_PX = (WIDTH_PX // MAX_THUMBNAILS, 84)
STRIP_PX = QUERY_PX[1] + THUMBNAIL_PX[1]
DOT_PX = 4
DIMMED = 0.75  # the query image, so that dots stand out
MARGIN_PX = 12
TEXT_GAP_PX = 20
SMALLEST_TEXT = 0.4
FONT = cv2.FONT_HERSHEY_SIMPLEX
WHITE, GREY, GREEN, RED = (255, 255, 255), (185, 190, 200), (90, 220, 120), (255, 110, 100)


def draw_debug_image(image_HW3: Picture, result: Result, keyframe_images: Sequence[Picture]) -> Picture:
    """Return the debug image of one result, uint8 RGB, (720, 1152, 3).

    image_HW3: the query image, uint8 RGB. keyframe_images: the retrieved keyframes, uint8 RGB of any size, best first;
    small images are drawn faster, and at most ten are shown.
    """
    canvas = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    query = _place(canvas, image_HW3, (0, 0), QUERY_PX, cv2.INTER_LINEAR)
    if result.coordinates is not None:
        _draw_cells(query, result.coordinates, query.shape[1] / image_HW3.shape[1])
        _draw_maps(canvas, result.coordinates, (query.shape[1], query.shape[0]))
    for rank, image_HW3 in enumerate(keyframe_images[:MAX_THUMBNAILS]):
        corner = (rank * THUMBNAIL_PX[0], QUERY_PX[1])
        _place(canvas, image_HW3, corner, THUMBNAIL_PX, cv2.INTER_AREA)
        _label(canvas, f"#{rank + 1}", corner)
    _draw_caption(canvas, result)
    return canvas


def coordinate_colors(coordinates: SceneCoordinates) -> NDArray[np.float64]:
    """Return x y z as RGB, 0..1, each axis stretched over the middle 96 % of its range, black without coordinate."""
    known_HW = coordinates.confidence_HW > 0
    coords_N3 = coordinates.coords_HW3[known_HW]
    colors_HW3 = np.zeros(coordinates.coords_HW3.shape)
    if len(coords_N3):
        low_3, high_3 = np.percentile(coords_N3, (2, 98), axis=0)
        colors_HW3[known_HW] = np.clip((coords_N3 - low_3) / np.maximum(high_3 - low_3, 1e-6), 0, 1)
    return colors_HW3


def confidence_colors(confidence_HW: NDArray[np.float32]) -> Picture:
    """Return confidence 0..1 as uint8 RGB, from violet over green to yellow."""
    levels_HW = (np.clip(confidence_HW, 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels_HW, cv2.COLORMAP_VIRIDIS)[..., ::-1], dtype=np.uint8)


def _place(canvas: Picture, image_HW3: Picture, corner: tuple[int, int], box_px: tuple[int, int], how: int) -> Picture:
    """Draw an image in the middle of a box, as large as possible; return the covered part of the canvas."""
    height, width = image_HW3.shape[:2]
    scale = min(box_px[0] / width, box_px[1] / height)
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    left, top = (corner[i] + (box_px[i] - size[i]) // 2 for i in range(2))
    part = canvas[top : top + size[1], left : left + size[0]]
    part[:] = cv2.resize(image_HW3, size, interpolation=how)
    return part


def _draw_cells(query: Picture, coordinates: SceneCoordinates, scale: float) -> None:
    """Dim the image and put a dot of the confidence's colour on every matched cell."""
    cv2.convertScaleAbs(query, query, DIMMED)
    height, width = query.shape[:2]
    # Pixel (0, 0) is the centre of the first pixel, before and after scaling.
    corners_HW2 = np.rint((coordinates.pixels_HW2 + 0.5) * scale - DOT_PX / 2)
    inside_HW = ((corners_HW2 >= 0) & (corners_HW2 <= (width - DOT_PX, height - DOT_PX))).all(axis=2)
    shown_HW = inside_HW & (coordinates.confidence_HW > 0)
    x_N, y_N = corners_HW2[shown_HW].astype(np.intp).T
    colors_N3 = confidence_colors(coordinates.confidence_HW)[shown_HW]
    for dy, dx in np.ndindex(DOT_PX, DOT_PX):
        query[y_N + dy, x_N + dx] = colors_N3


def _draw_maps(canvas: Picture, coordinates: SceneCoordinates, shape_px: tuple[int, int]) -> None:
    colors_HW3 = (coordinate_colors(coordinates) * 255).astype(np.uint8)
    pictures = {"scene coordinates": colors_HW3, "confidence": confidence_colors(coordinates.confidence_HW)}
    for row, (title, picture) in enumerate(pictures.items()):
        corner = (QUERY_PX[0], row * MAP_PX[1])
        _place(canvas, picture, corner, MAP_PX, cv2.INTER_NEAREST)
        _label(canvas, title, corner)


def _draw_caption(canvas: Picture, result: Result) -> None:
    support = result.support
    if isinstance(result, Localized):
        color, state = GREEN, "LOCALIZED"
        text = f"{support.inliers} inliers, confidence {support.confidence:.2f}"
    else:
        color, state, text = RED, f"NOT LOCALIZED: {result.reason}", result.detail
    times = "   ".join(f"{stage} {ms:.0f} ms" for stage, ms in asdict(result.times_ms).items())
    first_px, second_px = STRIP_PX + 25, STRIP_PX + 48
    cv2.rectangle(canvas, (0, STRIP_PX), (4, HEIGHT_PX), color, -1)
    end_px = _text(canvas, state, (MARGIN_PX, first_px), 0.6, color)
    _text(canvas, text, (end_px + TEXT_GAP_PX, first_px), 0.55, WHITE)
    _text(canvas, times, (MARGIN_PX, second_px), 0.5, GREY)


def _label(canvas: Picture, text: str, corner: tuple[int, int]) -> None:
    """Write a small text on a dark ground into a corner."""
    (width, height), _ = cv2.getTextSize(text, FONT, 0.4, 1)
    x, y = corner
    canvas[y : y + height + 8, x : x + width + 8] //= 3
    _text(canvas, text, (x + 4, y + height + 4), 0.4, WHITE)


def _text(canvas: Picture, text: str, origin: tuple[int, int], scale: float, color: tuple[int, int, int]) -> int:
    """Write a line of text, smaller if it does not fit, and return the end of the text."""
    plain = text.encode("ascii", "replace").decode()  # the font has no other letters
    plain, scale = _fitted(plain, scale, max(0, canvas.shape[1] - origin[0] - MARGIN_PX))
    cv2.putText(canvas, plain, origin, FONT, scale, color, 1, cv2.LINE_AA)
    return origin[0] + _width_px(plain, scale)


def _fitted(text: str, scale: float, room_px: int) -> tuple[str, float]:
    """Return a text and its scale for a maximum width; the text is first made smaller, then cut."""
    while _width_px(text, scale) > room_px:
        text, scale = (text, scale - 0.05) if scale > SMALLEST_TEXT else (text[:-1], scale)
    return text, scale


def _width_px(text: str, scale: float) -> int:
    return int(cv2.getTextSize(text, FONT, scale, 1)[0][0])
