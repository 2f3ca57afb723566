"""A textured plane seen by a pinhole camera: images and depth that are exact to the pixel."""

import cv2
import numpy as np

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import invert, make_pose, transform
from dsm_ros.scene_map.keyframe import Keyframe

CAMERA = Camera(512, 384, 420.0, 420.0, 255.5, 191.5)
TEXELS_PER_M = 200.0
# The plane leans away to the right of a camera that looks along z from the origin, 2 m in front of it.
MAP_T_PLANE = make_pose(cv2.Rodrigues(np.array([0.0, -0.4, 0.0]))[0], [0.0, 0.0, 2.0])


def texture(seed=0):
    """Smooth random texture, grey 0..255."""
    noise = np.random.default_rng(seed).normal(size=(1600, 1600)).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(noise, (0, 0), sigma) for sigma in (1.5, 6.0))
    blend = fine / fine.std() + coarse / coarse.std()
    return np.clip(128 + 30 * blend, 0, 255).astype(np.float32)


def view(map_T_camera, camera=CAMERA, seed=0):
    """The image (uint8 RGB) and the depth (float32 m) of the plane from a pose."""
    v_HW, u_HW = np.mgrid[0 : camera.height_px, 0 : camera.width_px]
    rays_N3 = camera.unproject(np.stack([u_HW.ravel(), v_HW.ravel()], axis=1))
    plane_T_camera = invert(MAP_T_PLANE) @ map_T_camera
    depth_N = -plane_T_camera[2, 3] / (rays_N3 @ plane_T_camera[2, :3])
    texels_N2 = transform(plane_T_camera, rays_N3 * depth_N[:, None])[:, :2] * TEXELS_PER_M + 800
    u_map, v_map = texels_N2.T.reshape(2, camera.height_px, camera.width_px).astype(np.float32)
    grey_HW = cv2.remap(texture(seed), u_map, v_map, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    image_HW = np.clip(grey_HW + 0.5, 0, 255).astype(np.uint8)
    return np.dstack([image_HW] * 3), depth_N.reshape(camera.height_px, camera.width_px).astype(np.float32)


def keyframe(map_T_camera, image_HW3, depth_HW, camera=CAMERA):
    """A keyframe without losses: its image is a PNG."""
    png = cv2.imencode(".png", image_HW3)[1].tobytes()
    depth_png = cv2.imencode(".png", (depth_HW * 1000 + 0.5).astype(np.uint16))[1].tobytes()
    return Keyframe(1, "plane", 0, map_T_camera, camera, png, depth_png)
