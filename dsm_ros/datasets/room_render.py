"""Ray casting of a procedural room in pure torch: exact depth, mip-mapped texture, simple light."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from dsm_ros.datasets.room_model import FACES, Box, Room
from dsm_ros.datasets.room_texture import SIZE_TEXELS
from dsm_ros.geometry.camera import Camera

GRAIN_TEXTURE, GRAIN_PERIOD_M = 0, 0.6
FACE_SHADES = (0.82, 0.94, 0.88, 1.0, 0.7, 1.05)
NEAR_M = 0.05


def render(room: Room, map_T_camera_44: Tensor, camera: Camera) -> tuple[Tensor, Tensor]:
    """Return (image_HW3 float32 0..1, depth_HW float32 m along z) seen from a pose, on the pose's device."""
    pose_44 = map_T_camera_44.float()
    device = pose_44.device
    v, u = torch.meshgrid(
        torch.arange(camera.height_px, device=device), torch.arange(camera.width_px, device=device), indexing="ij"
    )
    rays_HW3 = torch.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, torch.ones_like(u)], dim=-1)
    directions_P3 = rays_HW3.reshape(-1, 3).float() @ pose_44[:3, :3].T
    depth_P, box_P = cast_rays(room, pose_44, directions_P3, camera)
    color_P3 = _color(room, pose_44[:3, 3] + directions_P3 * depth_P[:, None], depth_P, box_P, camera)
    shape = (camera.height_px, camera.width_px)
    return color_P3.view(*shape, 3), depth_P.view(shape)


def cast_rays(room: Room, pose_44: Tensor, directions_P3: Tensor, camera: Camera) -> tuple[Tensor, Tensor]:
    """Return depth_P and the number of the box each pixel's ray hits first; rays have z = 1 in the camera."""
    shell, *boxes = room.boxes
    depth_P = _distance(shell, pose_44[:3, 3], directions_P3, inside=True)
    box_P = torch.zeros(len(depth_P), dtype=torch.long, device=depth_P.device)
    for number, box in enumerate(boxes, 1):
        pixels_S = _pixels_around(box, pose_44, camera)
        if not len(pixels_S):
            continue
        distance_S = _distance(box, pose_44[:3, 3], directions_P3[pixels_S], inside=False)
        nearer_S = distance_S < depth_P[pixels_S]
        pixels_H = pixels_S[nearer_S]
        depth_P[pixels_H], box_P[pixels_H] = distance_S[nearer_S], number
    return depth_P, box_P


def _distance(box: Box, origin_3: Tensor, directions_P3: Tensor, inside: bool) -> Tensor:
    """Slab test: distance in units of the ray, inf where the box is missed."""
    half_3 = torch.tensor(box.half_3, device=origin_3.device)
    local_o_3 = _to_box(box, origin_3 - torch.tensor(box.centre_3, device=origin_3.device))
    inverse_P3 = 1 / _to_box(box, directions_P3)
    one_P3, other_P3 = (-half_3 - local_o_3) * inverse_P3, (half_3 - local_o_3) * inverse_P3
    leave_P = torch.maximum(one_P3, other_P3).amin(1)
    if inside:
        return leave_P
    enter_P = torch.minimum(one_P3, other_P3).amax(1)
    return torch.where((enter_P <= leave_P) & (enter_P > NEAR_M), enter_P, torch.inf)


def _to_box(box: Box, vectors_N3: Tensor) -> Tensor:
    """Turn vectors from the room's axes to the box's."""
    cos, sin = math.cos(box.yaw_rad), math.sin(box.yaw_rad)
    turn_33 = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]], device=vectors_N3.device)
    return vectors_N3 @ turn_33


def _pixels_around(box: Box, pose_44: Tensor, camera: Camera) -> Tensor:
    """Return the pixels (flat index) of the rectangle around a box's corners; all when it reaches behind the camera."""
    corners_83 = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=3))) * torch.tensor(box.half_3)
    cos, sin = math.cos(box.yaw_rad), math.sin(box.yaw_rad)
    turn_33 = torch.tensor([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    world_83 = corners_83 @ turn_33 + torch.tensor(box.centre_3)
    pose = pose_44.cpu()
    camera_83 = (world_83 - pose[:3, 3]) @ pose[:3, :3]
    width, height = camera.width_px, camera.height_px
    if (camera_83[:, 2] < NEAR_M).all():
        return torch.empty(0, dtype=torch.long, device=pose_44.device)
    left, top, right, bottom = 0, 0, width - 1, height - 1
    if (camera_83[:, 2] > NEAR_M).all():
        u_8 = camera_83[:, 0] / camera_83[:, 2] * camera.fx + camera.cx
        v_8 = camera_83[:, 1] / camera_83[:, 2] * camera.fy + camera.cy
        left, right = max(0, math.floor(u_8.min())), min(width - 1, math.ceil(u_8.max()))
        top, bottom = max(0, math.floor(v_8.min())), min(height - 1, math.ceil(v_8.max()))
    rows_R1 = torch.arange(top, max(top, bottom + 1), device=pose_44.device)[:, None] * width
    return (rows_R1 + torch.arange(left, max(left, right + 1), device=pose_44.device)).flatten()


def _color(room: Room, points_P3: Tensor, depth_P: Tensor, box_P: Tensor, camera: Camera) -> Tensor:
    """Return RGB (P, 3): the face's texture, the common grain, the face's shade, the lamp's falloff."""
    device = points_P3.device
    textures = room.textures
    face_P, uv_m_P2, span_m_P2 = _surface(room.boxes, points_P3, box_P)
    table = torch.tensor([box.textures_6 for box in room.boxes], device=device)
    pixel_m_P = depth_P / camera.fx
    texels_P = pixel_m_P / span_m_P2.amin(1) * SIZE_TEXELS
    color_P3 = textures.lookup(table.flatten()[box_P * FACES + face_P], uv_m_P2 / span_m_P2, texels_P)
    grain_P3 = textures.lookup(
        torch.full_like(box_P, GRAIN_TEXTURE), uv_m_P2 / GRAIN_PERIOD_M, pixel_m_P / GRAIN_PERIOD_M * SIZE_TEXELS
    )
    lamp_m_P = (points_P3 - torch.tensor(room.lamp_3, device=device)).norm(dim=1)
    light_P = torch.tensor(FACE_SHADES, device=device)[face_P] * (0.55 + 0.9 / (1 + 0.25 * lamp_m_P**2))
    return (color_P3 * 2 * grain_P3 * light_P[:, None]).clamp(0, 1)


def _surface(boxes: tuple[Box, ...], points_P3: Tensor, box_P: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return face_P (0..5), where on it in metres from its corner (P, 2), and its size in metres (P, 2)."""
    device = points_P3.device
    centre_N3 = torch.tensor([box.centre_3 for box in boxes], device=device)
    half_P3 = torch.tensor([box.half_3 for box in boxes], device=device)[box_P]
    yaw_P = torch.tensor([box.yaw_rad for box in boxes], device=device)[box_P]
    x_P, y_P, z_P = (points_P3 - centre_N3[box_P]).unbind(1)
    cos_P, sin_P = yaw_P.cos(), yaw_P.sin()
    local_P3 = torch.stack([cos_P * x_P + sin_P * y_P, cos_P * y_P - sin_P * x_P, z_P], dim=1)
    axis_P = (local_P3.abs() / half_P3).argmax(1)
    face_P = axis_P * 2 + (local_P3.gather(1, axis_P[:, None])[:, 0] > 0)
    others_P2 = torch.tensor([[1, 2], [0, 2], [0, 1]], device=device)[axis_P]
    span_P2 = 2 * half_P3.gather(1, others_P2)
    return face_P, local_P3.gather(1, others_P2) + span_P2 / 2, span_P2
