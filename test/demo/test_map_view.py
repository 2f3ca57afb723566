import numpy as np
import pytest

from dsm_ros.datasets.rooms.walk import look_rotation
from dsm_ros.demo.map_view import fit_view
from dsm_ros.geometry.pose import make_pose

SIZE = (300, 200)
POSES = np.stack([make_pose(look_rotation(yaw, 0.0, 0.0), [2.0, 2.0, 1.5]) for yaw in (0.0, 1.6, 3.1, 4.7)])
RED, BLACK = np.array([[255, 0, 0]], np.uint8), (0, 0, 0)


def box_points():
    """The floor and the four walls of a room of 4 m."""
    a, b = np.meshgrid(np.linspace(0, 4, 40), np.linspace(0, 4, 40))
    a, b, zero = a.ravel(), b.ravel(), np.zeros(1600)
    walls = [np.stack(axes, 1) for axes in ((a, zero, b * 0.6), (a, zero + 4, b * 0.6), (zero, a, b * 0.6))]
    return np.concatenate([np.stack([a, b, zero], 1), *walls, np.stack([zero + 4, a, b * 0.6], 1)])


@pytest.fixture(scope="module")
def view():
    return fit_view(box_points(), POSES, SIZE)


def drawn(view, point, color=RED):
    image = view.empty()
    view.draw_points(image, np.array([point], float), color, 1)
    return image


def test_the_whole_map_fills_the_picture(view):
    image = view.empty()
    points = box_points()
    view.draw_points(image, points, np.zeros((len(points), 3), np.uint8), 1)
    rows, columns = np.nonzero(image.min(2) < 255)
    used = np.array([np.ptp(columns) / SIZE[0], np.ptp(rows) / SIZE[1]])
    assert used.max() > 0.85
    assert len(rows) > 0


def test_higher_points_are_drawn_higher(view):
    low, high = (np.argwhere(drawn(view, (2, 2, z)).min(2) < 255)[0] for z in (0.0, 1.0))
    assert high[0] < low[0] - 10
    assert abs(high[1] - low[1]) <= 1


def test_walls_that_face_away_from_the_viewer_are_pale(view):
    reds = [255 - int(drawn(view, point)[..., 1].min()) for point in ((2, 0.0, 1.2), (2, 4.0, 1.2))]
    assert sorted(reds) == [51, 255]


def test_the_nearer_of_two_points_hides_the_other(view):
    away = view.view_R_map_33[2]
    points = np.array([[2, 2, 0.0], [2, 2, 0.0] - 0.3 * away])
    for order in ([0, 1], [1, 0]):
        image = view.empty()
        view.draw_points(image, points[order], np.array([[255, 0, 0], [0, 0, 255]], np.uint8)[order], 1)
        assert image[image.min(2) < 255].tolist() == [[0, 0, 255]]


def test_paths_dots_and_cameras_leave_marks(view):
    for draw in (
        lambda image: view.draw_path(image, np.array([[1, 1, 1], [3, 3, 1.0]]), BLACK, 2),
        lambda image: view.draw_dots(image, np.array([[1, 1, 1.0]]), BLACK, 4),
        lambda image: view.draw_camera(image, POSES[0], BLACK, 0.4, 1),
    ):
        image = view.empty()
        draw(image)
        assert (image < 128).any()
