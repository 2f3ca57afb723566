import numpy as np
import pytest
import torch

from dsm_ros.datasets.depth_registration import register_depth
from dsm_ros.datasets.rooms.render import render
from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import make_pose, pose_from_quaternion

ASIDE = pose_from_quaternion([-0.059, 0.002, 0.004], [0.004, -0.006, 0.003, 1.0])


def camera(width, height, focal, *lens):
    return Camera(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2, *lens)


@pytest.mark.parametrize(
    ("depth_camera", "colour_camera"),
    [
        (camera(424, 240, 212), camera(320, 240, 262)),
        (camera(320, 240, 192), camera(320, 240, 262)),
        (camera(320, 240, 192), camera(640, 360, 460)),
    ],
)
def test_registered_depth_is_that_of_a_camera_there(depth_camera, colour_camera):
    room = open_rooms("rooms:3/frames=24")
    colour_pose, textured = room.room.walks[0].pose(0.1), room.room.on("cpu")
    _, there_HW = render(textured, torch.from_numpy(colour_pose), colour_camera)
    _, depth_HW = render(textured, torch.from_numpy(colour_pose @ ASIDE), depth_camera)
    found_HW = register_depth(depth_HW.numpy(), depth_camera, colour_camera, ASIDE)
    error_M = np.abs(found_HW - there_HW.numpy())[found_HW > 0]
    assert np.median(error_M) < 0.001
    assert (error_M < 0.02).mean() > 0.99  # the rest is at edges
    assert (found_HW > 0).mean() > 0.97


def test_the_foreground_hides_what_is_behind_it():
    depth_HW = np.full((240, 320), 3.0, np.float32)
    depth_HW[:, 100:200] = 1.0
    found_HW = register_depth(
        depth_HW, camera(320, 240, 200), camera(640, 480, 500), make_pose(np.eye(3), [0.06, 0, 0])
    )
    left, right = ((edge - 159.5) * 2.5 + 319.5 + 500 * 0.06 for edge in (99.5, 199.5))
    foreground_HW = found_HW[:, round(left) + 2 : round(right) - 2]
    assert foreground_HW == pytest.approx(1.0, abs=1e-5)
    assert set(np.unique(found_HW.round(4))) == {0, 1, 3}


def test_nothing_is_made_of_nothing():
    empty_HW = np.zeros((48, 64), np.float32)
    assert not register_depth(empty_HW, camera(64, 48, 50), camera(32, 24, 25), ASIDE).any()


@pytest.mark.parametrize("lens", [("plumb_bob", (-0.6, 0.1, 0.0, 0.0, 0.0)), ("equidistant", (0.1, 0.0, 0.0, 0.0))])
def test_pixels_outside_the_lens_are_unknown(lens):
    wide, plain = camera(64, 48, 12, *lens), camera(64, 48, 50)
    depth_HW = np.full((48, 64), 2.0, np.float32)
    for depth_camera, colour_camera in ((wide, plain), (plain, wide)):
        found_HW = register_depth(depth_HW, depth_camera, colour_camera, np.eye(4))
        assert np.isfinite(found_HW).all()
        assert found_HW[24, 32] == pytest.approx(2.0, abs=1e-4)
        assert set(np.unique(found_HW.round(3))) <= {0, 2}
