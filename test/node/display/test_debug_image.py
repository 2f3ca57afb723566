import time

import cv2
import numpy as np
import pytest

from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.result import Localized, NotLocalized, Reason, SceneCoordinates, StageTimes, Support
from dsm_ros.node.display.debug_image import (
    HEIGHT_PX,
    QUERY_PX,
    STRIP_PX,
    THUMBNAIL_PX,
    WIDTH_PX,
    confidence_colors,
    coordinate_colors,
    draw_debug_image,
)

TIMES = StageTimes(encode=35.0, retrieve=1.0, match=48.0, pnp=6.0, total=90.0)
QUERY = np.full((480, 640, 3), 120, np.uint8)


def cells(height=48, width=64, confidence=0.8, image_px=(640, 480)):
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    return SceneCoordinates(
        np.stack([x * 4, y * 3, x + y], axis=2),
        np.full((height, width), confidence, np.float32),
        (np.stack([x, y], axis=2) * image_px - 0.5).astype(np.float32),
        np.zeros((height, width, 3), np.uint8),
    )


def localized(coordinates=None):
    support = Support(812, 0.81, 0.81, (5, 9))
    return Localized(make_pose(np.eye(3), [0, 0, 0]), np.eye(6), support, coordinates or cells(), TIMES)


def caption(picture):
    return picture[STRIP_PX:]


def query_part(picture):
    return picture[: QUERY_PX[1], : QUERY_PX[0]]


@pytest.mark.parametrize("shape", [(480, 640, 3), (720, 1280, 3), (1280, 720, 3), (3, 5, 3)])
def test_pictures_have_one_size_whatever_the_camera(shape):
    picture = draw_debug_image(np.zeros(shape, np.uint8), localized(), [np.zeros(shape, np.uint8)])
    assert picture.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert picture.dtype == np.uint8


def test_inputs_stay_as_they_are():
    image, keyframe = QUERY.copy(), QUERY.copy()
    draw_debug_image(image, localized(), [keyframe])
    assert (image == 120).all()
    assert (keyframe == 120).all()


def test_every_cell_gets_a_dot_of_its_confidences_color():
    sure, unsure = (query_part(draw_debug_image(QUERY, localized(cells(confidence=c)), [])) for c in (0.9, 0.2))
    colors = confidence_colors(np.array([[0.9, 0.2]], np.float32))[0]
    # The first cell's centre is at 4.5 px of 640, 5.5 px of 768; then one each 12 px.
    assert (sure[6::12, 6::12] == colors[0]).all()
    assert (unsure[6::12, 6::12] == colors[1]).all()
    assert (sure[0::12, 0::12] == sure[0, 0]).all()
    assert sure[0, 0].max() < 120


def test_cells_outside_the_image_or_without_coordinate_get_none():
    outside = cells()
    outside.pixels_HW2[:] -= 2000
    assert len(np.unique(query_part(draw_debug_image(QUERY, localized(outside), [])))) == 1
    assert len(np.unique(query_part(draw_debug_image(QUERY, localized(cells(confidence=0)), [])))) == 1


def test_keyframes_stand_in_order():
    values = [40, 80, 160]
    picture = draw_debug_image(QUERY, localized(), [np.full((120, 160, 3), v, np.uint8) for v in values])
    row = picture[QUERY_PX[1] + THUMBNAIL_PX[1] - 10]
    assert [row[int((rank + 0.5) * THUMBNAIL_PX[0]), 0] for rank in range(4)] == [*values, 0]


def test_the_caption_says_what_happened():
    lost = NotLocalized(Reason.LOW_CONFIDENCE, "confidence 0.11 is below 0.20", times_ms=TIMES)
    worse = NotLocalized(Reason.LOW_CONFIDENCE, "confidence 0.07 is below 0.20", times_ms=TIMES)
    found, other, third = (caption(draw_debug_image(QUERY, result, [])) for result in (localized(), lost, worse))
    assert found[0, 0, 1] > found[0, 0, 0]
    assert other[0, 0, 0] > other[0, 0, 1]
    assert (other != third).any()


@pytest.mark.parametrize("repeats", [3, 7, 40])
def test_a_long_sentence_is_made_to_fit(repeats):
    long = NotLocalized(Reason.CONTRADICTS_MAP, "a sentence without end " * repeats)
    assert not caption(draw_debug_image(QUERY, long, []))[:, -5:].any()


def test_coordinates_become_colors_over_their_range():
    colors_HW3 = coordinate_colors(cells())
    assert colors_HW3.min() == 0
    assert colors_HW3.max() == 1
    assert colors_HW3[0, -1, 0] > colors_HW3[0, 0, 0]
    assert (coordinate_colors(cells(confidence=0)) == 0).all()


def test_drawing_takes_no_longer_than_two_compressions():
    keyframes = [np.zeros((120, 160, 3), np.uint8)] * 10
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    result = localized()
    drawing_s = least_time_s(lambda: draw_debug_image(QUERY, result, keyframes))
    assert drawing_s < 2 * least_time_s(lambda: cv2.imencode(".jpg", noise))


def least_time_s(work):
    """Return the least processor time of several runs."""
    times_s = []
    for _ in range(10):
        start_s = time.process_time()
        work()
        times_s.append(time.process_time() - start_s)
    return min(times_s)
