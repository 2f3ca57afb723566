from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.rooms.model import free_distance_m
from dsm_ros.datasets.rooms.sequence import open_rooms, parse_spec
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import invert, transform

SMALL = "size=160x120"


def warp(one, other):
    """Depths and colours of one view's pixels as seen by the other, and what the other has there."""
    v, u = np.mgrid[0:120, 0:160].reshape(2, -1)
    points = one.camera.unproject(np.stack([u, v], 1)) * one.depth_HW[v, u, None]
    seen = transform(invert(other.map_T_camera) @ one.map_T_camera, points)
    pixels = np.nan_to_num(other.camera.project(seen), nan=-1)
    inside = (pixels > 0).all(1) & (pixels[:, 0] < 159) & (pixels[:, 1] < 119)
    grid = torch.tensor((pixels[inside] + 0.5) / (160, 120) * 2 - 1).float()[None, None]
    depth = torch.nn.functional.grid_sample(torch.tensor(other.depth_HW)[None, None], grid, align_corners=False)
    image = torch.tensor(other.image_HW3).permute(2, 0, 1)[None].float()
    color = torch.nn.functional.grid_sample(image, grid, align_corners=False)[0, :, 0].T.numpy()
    return depth[0, 0, 0].numpy() - seen[inside, 2], color - one.image_HW3.reshape(-1, 3)[inside]


def test_views_agree_with_each_other():
    room = open_rooms(f"rooms:7/{SMALL}")
    depth_error, color_error = warp(room[20], room[24])
    assert np.median(np.abs(depth_error)) < 0.002
    assert np.median(np.abs(color_error)) < 12


def test_depth_of_a_wall_straight_ahead():
    from dsm_ros.datasets.rooms.model import RoomStyle, make_room
    from dsm_ros.datasets.rooms.render import render
    from dsm_ros.datasets.rooms.walk import look_rotation
    from dsm_ros.geometry.camera import Camera
    from dsm_ros.geometry.pose import make_pose

    room = make_room(1, RoomStyle(clutter=0, blank=True))
    pose = torch.from_numpy(make_pose(look_rotation(0.0, 0.0, 0.0), [1.0, 2.0, 1.2]))
    _, depth = render(room, pose, Camera(65, 49, 60, 60, 32, 24))
    assert depth[24, 32].item() == pytest.approx(room.size_3[0] - 1.0, abs=1e-5)


def test_the_same_seed_gives_the_same_pixels_and_another_one_another_room():
    first, again, other = (open_rooms(f"rooms:{seed}/{SMALL}")[5] for seed in (4, 4, 5))
    assert (first.image_HW3 == again.image_HW3).all()
    assert np.abs(first.image_HW3.astype(int) - other.image_HW3).mean() > 10


def test_walks_differ_but_share_the_room():
    one, other = open_rooms(f"rooms:7/{SMALL}"), open_rooms(f"rooms:7/walk=1,{SMALL}")
    assert one.room.boxes == other.room.boxes
    distances = [np.linalg.norm(one[i].map_T_camera[:3, 3] - other[i].map_T_camera[:3, 3]) for i in (0, 100, 200)]
    assert max(distances) > 0.2


@pytest.mark.parametrize("seed", range(3))
def test_the_camera_stays_in_free_space(seed):
    room = open_rooms(f"rooms:{seed}/{SMALL}").room
    for walk in room.walks:
        for phase in np.linspace(0, 1, 100):
            position = walk.position(phase)
            assert free_distance_m(room.boxes[1:], position) > 0.3
            assert (position > 0.3).all()
            assert (position < room.size_3 - 0.3).all()


@pytest.mark.parametrize("effect", ["exposure=1", "noise=1", "blur=1"])
def test_effects_change_the_image_and_nothing_else(effect):
    plain, changed = open_rooms(f"rooms:7/{SMALL}")[30], open_rooms(f"rooms:7/{effect},{SMALL}")[30]
    assert np.abs(plain.image_HW3.astype(int) - changed.image_HW3).mean() > 0.5
    assert ((plain.depth_HW == changed.depth_HW).all()) == (effect != "blur=1")
    assert ((plain.map_T_camera == changed.map_T_camera).all()) == (effect != "blur=1")


def test_the_truth_of_a_blurred_frame_is_that_of_the_middle_of_its_exposure():
    walk = open_rooms(f"rooms:7/{SMALL}").room.walks[0]
    blurred = open_rooms(f"rooms:7/blur=1,{SMALL}")
    assert blurred[30].map_T_camera == pytest.approx(walk.pose((30 + 0.25) / len(blurred)))


def test_blank_rooms_have_plain_walls_and_repeated_ones_few_textures():
    busy, blank = open_rooms(f"rooms:7/clutter=0,{SMALL}")[0], open_rooms(f"rooms:7/clutter=0,blank=1,{SMALL}")[0]
    assert blank.image_HW3.std() < busy.image_HW3.std()
    repeated = {texture for box in open_rooms(f"rooms:7/repeat=1,{SMALL}").room.boxes[1:] for texture in box.textures_6}
    assert len(repeated) <= 4


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_gpu_and_cpu_render_the_same():
    from dsm_ros.datasets.rooms.sequence import RoomSequence

    spec = parse_spec(f"rooms:7/{SMALL}")
    cpu, gpu = RoomSequence(spec, "cpu")[3], RoomSequence(spec, "gpu", "cuda")[3]
    assert gpu.depth_HW == pytest.approx(cpu.depth_HW, abs=1e-3)


@pytest.mark.parametrize(
    "text", ["rooms:", "rooms:x", "rooms:1/walk", "rooms:1/walk=9", "rooms:1/size=3", "rooms:1/a=1"]
)
def test_bad_specifications_are_refused(text):
    with pytest.raises(SequenceError):
        parse_spec(text)


@given(st.text(alphabet="rooms:/walk=,0123456789xb.", max_size=30))
def test_any_text_parses_or_is_refused(text):
    with suppress(SequenceError):
        assert parse_spec("rooms:" + text).frames >= 1
