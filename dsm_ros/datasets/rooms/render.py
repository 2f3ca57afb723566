"""Renderer of procedural rooms in pure torch, with exact depth, mipmapped textures and simple lighting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dsm_ros.datasets.rooms.box import FACES
from dsm_ros.datasets.rooms.cast import Views, cast
from dsm_ros.datasets.rooms.scene import Room
from dsm_ros.datasets.rooms.table import BoxTable
from dsm_ros.geometry.camera import Camera

GRAIN_TEXTURE, GRAIN_PERIOD_M = 0, 0.6
PIXELS_IN_CACHE = 1 << 16  # number of pixels for which all steps fit into the CPU's cache
FACE_SHADES = (0.82, 0.94, 0.88, 1.0, 0.7, 1.05)


def render(room: Room, map_T_camera_44: Tensor, camera: Camera) -> tuple[Tensor, Tensor]:
    """Return (image_HW3 float32 0..1, depth_HW float32 m along z) seen from a pose, on the room's device."""
    image_VHW3, depth_VHW = render_views(room, map_T_camera_44[None], [camera])
    return image_VHW3[0], depth_VHW[0]


def render_views(room: Room, map_T_camera_V44: Tensor, cameras: Sequence[Camera]) -> tuple[Tensor, Tensor]:
    """Return (image_VHW3 float32 0..1, depth_VHW float32 m along z) of many views at once, on the room's device.

    cameras: one for each view, all of one image size; distortion is ignored. Poses are used on the CPU.
    Raises ValueError when the image sizes differ.
    """
    if len({(camera.width_px, camera.height_px) for camera in cameras}) != 1:
        raise ValueError("views that are rendered together need cameras of one size")
    pose_V44 = map_T_camera_V44.cpu().double().numpy()
    pixel_T_ray_V33 = np.array([_matrix(camera) for camera in cameras])
    room_R_pixel_V33 = pose_V44[:, :3, :3] @ np.linalg.inv(pixel_T_ray_V33)
    views = Views(room_R_pixel_V33, pose_V44[:, :3, 3], cameras[0].width_px, cameras[0].height_px)
    device = room.textures.texels_T3.device
    depth_VHW, box_VHW = cast(room.table, views, device)
    pixel_m_VHW = depth_VHW / torch.tensor([camera.fx for camera in cameras], device=device)[:, None, None]
    points_3P = _points(views, depth_VHW).flatten(1)
    at_once = PIXELS_IN_CACHE if device.type == "cpu" else box_VHW.numel()
    parts = zip(
        points_3P.split(at_once, 1), pixel_m_VHW.flatten().split(at_once), box_VHW.flatten().split(at_once), strict=True
    )
    color_P3 = torch.cat([_color(room, *part) for part in parts])
    return color_P3.view(*depth_VHW.shape, 3), depth_VHW


def _matrix(camera: Camera) -> list[list[float]]:
    return [[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]]


def _points(views: Views, depth_VHW: Tensor) -> Tensor:
    """Return the points (3, V, H, W) in the room that the rays of the pixels hit."""
    device = depth_VHW.device
    u_W, v_H = (torch.arange(count, device=device) for count in reversed(depth_VHW.shape[1:]))
    ray_3V3 = torch.from_numpy(views.room_R_pixel_V33.astype(np.float32)).to(device).transpose(0, 1)[..., None, None]
    centre_3V = torch.from_numpy(views.centre_V3.T.astype(np.float32)).to(device)[..., None, None]
    columns, rows = ray_3V3[:, :, 0] * u_W, ray_3V3[:, :, 1] * v_H[:, None] + ray_3V3[:, :, 2]
    return torch.addcmul(centre_3V, columns + rows, depth_VHW)


def _color(room: Room, points_3P: Tensor, pixel_m_P: Tensor, box_P: Tensor) -> Tensor:
    """Return the RGB colour (P, 3) from texture, grain, shade of the face, falloff of the lamps and light map."""
    table, textures = room.table, room.textures
    face_P, u_P, v_P = _surface(table, points_3P, box_P)
    wide_P, high_P, texture_m_P = (values_F.index_select(0, face_P) for values_F in table.metres_3F)
    texels_P = pixel_m_P / texture_m_P * textures.sides[0]
    repeat_u_P, repeat_v_P = (repeats_F.index_select(0, face_P) for repeats_F in table.repeats_2F)
    texture_P = table.texture_F.index_select(0, face_P)
    color_P3 = textures.lookup(texture_P, u_P * repeat_u_P, v_P * repeat_v_P, texels_P)
    light_P = _light(room, points_3P, face_P)
    if table.is_grained:
        period_m = GRAIN_PERIOD_M
        grain_P3 = textures.lookup(
            torch.full_like(face_P, GRAIN_TEXTURE),
            u_P * wide_P / period_m,
            v_P * high_P / period_m,
            pixel_m_P / period_m * textures.sides[0],
        )
        light_P *= 1 + table.grain_B.index_select(0, box_P) * (2 * grain_P3[:, 0] - 1)
    if room.light_map is not None:
        once_P = torch.ones_like(u_P)
        color_P3 *= 2 * room.light_map.lookup(face_P.clamp(max=FACES), u_P, v_P, once_P)
    return (color_P3 * light_P[:, None]).clamp_(0, 1)


def _surface(table: BoxTable, points_3P: Tensor, box_P: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return face_P (box * 6 + 0..5) and the position on the face, 0..1 along its two axes."""
    matrix_12 = [values_B.index_select(0, box_P) for values_B in table.unit_T_room_12B]
    x_P, y_P, z_P = points_3P
    unit_x_P, unit_y_P, unit_z_P = (
        matrix_12[i] * x_P + matrix_12[i + 1] * y_P + matrix_12[i + 2] * z_P + matrix_12[i + 3] for i in (0, 4, 8)
    )
    far_xy_P = torch.maximum(unit_x_P.abs(), unit_y_P.abs())
    on_z_P = unit_z_P.abs() > far_xy_P
    on_y_P = ~on_z_P & (unit_y_P.abs() > unit_x_P.abs())
    on_x_P = ~(on_z_P | on_y_P)
    normal_P = torch.where(on_z_P, unit_z_P, torch.where(on_y_P, unit_y_P, unit_x_P))
    u_P, v_P = torch.where(on_x_P, unit_y_P, unit_x_P), torch.where(on_z_P, unit_y_P, unit_z_P)
    face_P = box_P * FACES + 2 * (on_y_P.int() + 2 * on_z_P.int()) + (normal_P > 0)
    return face_P, (u_P + 1) / 2, (v_P + 1) / 2


def _light(room: Room, points_3P: Tensor, face_P: Tensor) -> Tensor:
    """Return the brightness of each point, which is the falloff of the lamps times the shade of the face."""
    lamps_3L = torch.tensor(room.lamps, device=points_3P.device).T
    share = 0.9 / len(room.lamps)
    light_P = torch.full_like(points_3P[0], 0.55)
    for lamp_3 in lamps_3L.T:
        squared_P = (points_3P - lamp_3[:, None]).square_().sum(0)
        light_P += share / (1 + 0.25 * squared_P)
    shades_F = torch.tensor(FACE_SHADES, device=face_P.device)
    return light_P * shades_F.index_select(0, face_P % FACES)
