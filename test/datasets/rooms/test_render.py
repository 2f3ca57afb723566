import itertools

import numpy as np
import pytest
import torch

from dsm_ros.datasets.rooms.box import Box
from dsm_ros.datasets.rooms.model import RoomStyle, make_room
from dsm_ros.datasets.rooms.render import render, render_views
from dsm_ros.datasets.rooms.scene import Room
from dsm_ros.datasets.rooms.texture import build_pyramid
from dsm_ros.datasets.rooms.walk import look_rotation
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import make_pose

CAMERA = Camera(75, 53, 60, 60, 37, 26)  # no multiple of a tile


def painted_room(*boxes):
    """A 4 m room of which every box has a colour of its own."""
    colors = [torch.full((3, 2, 2), 0.1 + 0.2 * i) for i in range(len(boxes) + 1)]
    shell = Box((2, 2, 1.5), (2, 2, 1.5), 0.0, (0,) * 6, grain=0.0)
    return Room(np.array([4.0, 4.0, 3.0]), (shell, *boxes), build_pyramid(colors), ((2.0, 2.0, 2.8),), ())


def pose(yaw=0.0, pitch=0.0, at=(1.0, 2.0, 1.2)):
    return torch.from_numpy(make_pose(look_rotation(yaw, pitch, 0.1), at))


def slab_depth(room, map_T_camera, camera):
    """Depth by the textbook: each ray against each box in double precision."""
    v, u = np.mgrid[0 : camera.height_px, 0 : camera.width_px]
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)], -1)
    rays = rays @ map_T_camera[:3, :3].numpy().T
    depth = np.full(u.shape, np.inf)
    for number, box in enumerate(room.boxes):
        cos, sin = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
        turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
        start, steps = turn @ (map_T_camera[:3, 3].numpy() - box.centre_3), rays @ turn.T
        with np.errstate(divide="ignore"):
            ends = np.stack([(side * np.array(box.half_3) - start) / steps for side in (-1, 1)])
        enter, leave = ends.min(0).max(-1), ends.max(0).min(-1)
        hit = np.where((enter <= leave) & (enter > 0), enter, np.inf)
        depth = np.minimum(depth, leave if number == 0 else hit)
    return depth


BOXES = (
    Box((2.5, 2.2, 0.7), (0.3, 0.5, 0.7), 0.4, (1,) * 6, grain=0.0),
    Box((3.3, 1.4, 1.5), (0.02, 0.4, 0.3), -1.0, (2,) * 6, grain=0.0),
    Box((1.2, 2.6, 0.3), (0.6, 0.2, 0.3), 0.0, (3,) * 6, grain=0.0),
)


@pytest.mark.parametrize(("yaw", "pitch"), list(itertools.product((0.01, 0.5, 2.0, -2.6), (0.02, -0.7, 0.5))))
def test_depth_is_that_of_every_ray_against_every_box(yaw, pitch):
    room = painted_room(*BOXES)
    _, depth = render(room, pose(yaw, pitch), CAMERA)
    wrong = np.abs(depth.numpy() - slab_depth(room, pose(yaw, pitch), CAMERA)) > 1e-4
    assert wrong.mean() < 0.002  # rays along an edge may fall on either side


def test_a_box_beside_and_behind_the_camera_is_seen_where_it_reaches_before_it():
    long_box = Box((1.5, 1.4, 1.0), (1.4, 0.2, 0.3), 0.0, (1,) * 6, grain=0.0)
    room = painted_room(long_box)
    _, depth = render(room, pose(0.01), CAMERA)
    assert np.abs(depth.numpy() - slab_depth(room, pose(0.01), CAMERA)).max() < 1e-4
    assert depth.min() < 0.9


def test_a_camera_in_a_box_does_not_see_it():
    inside = Box((1.0, 2.0, 1.2), (0.3, 0.3, 0.3), 0.3, (1,) * 6, grain=0.0)
    _, depth = render(painted_room(inside), pose(), CAMERA)
    _, empty = render(painted_room(), pose(), CAMERA)
    assert (depth == empty).all()


def test_views_rendered_together_are_those_rendered_alone():
    room = painted_room(*BOXES)
    wide = Camera(75, 53, 30, 32, 36, 27)
    poses, cameras = torch.stack([pose(0.2), pose(2.0, -0.4), pose(0.2)]), [CAMERA, CAMERA, wide]
    images, depths = render_views(room, poses, cameras)
    for i in range(3):
        image, depth = render(room, poses[i], cameras[i])
        assert torch.allclose(images[i], image, atol=1e-5)
        assert torch.allclose(depths[i], depth, atol=1e-5)
    assert not torch.allclose(depths[0], depths[2], atol=0.1)


def test_views_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="one size"):
        render_views(painted_room(), torch.stack([pose(), pose()]), [CAMERA, Camera(64, 48, 60, 60, 32, 24)])


def test_tiled_textures_repeat_and_stretched_ones_do_not():
    stripes = torch.zeros(3, 8, 8)
    stripes[:, :, :4] = 1.0

    def changes(tile_m):
        shell = Box((2, 2, 1.5), (2, 2, 1.5), 0.0, (0,) * 6, (tile_m,) * 6, grain=0.0)
        room = Room(np.array([4.0, 4.0, 3.0]), (shell,), build_pyramid([stripes]), ((2.0, 2.0, 2.8),), ())
        image, _ = render(room, pose(at=(0.5, 2.0, 1.5)), Camera(300, 9, 260, 260, 149.5, 4))
        bright = image[4, :, 0] > 0.4
        return int((bright[1:] != bright[:-1]).sum())

    assert changes(0.5) >= 12
    assert changes(0.0) <= 3


def test_blank_walls_show_nothing_that_repeats():
    room = make_room(1, RoomStyle(clutter=0, blank=True))
    image, _ = render(room, pose(at=(2.0, 2.0, 1.2)), Camera(201, 101, 220, 220, 100, 50))
    wall = image[20:80, 60:140, 0] * 255
    detail = wall[1:-1, 1:-1] * 4 - wall[:-2, 1:-1] - wall[2:, 1:-1] - wall[1:-1, :-2] - wall[1:-1, 2:]
    assert detail.abs().max() < 1.0


def test_nothing_is_brought_back_from_the_device_while_rendering():
    room = make_room(1, RoomStyle(clutter=3)).on("meta")  # a device whose values cannot be read at all
    image, depth = render(room, pose(), CAMERA)
    assert image.device.type == depth.device.type == "meta"
