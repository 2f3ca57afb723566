"""A keyframe: compressed image and depth with pose and camera, from which features can be recomputed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.frame import Frame
from dsm_ros.errors import MapError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44

MAX_WIDTH_PX = 640
MAX_BYTES = 300_000
JPEG_QUALITIES = (92, 85, 75, 60)
DEPTH_UNIT_M = 0.001
MAX_DEPTH_UNITS = 65535
MAX_DEPTH_M = MAX_DEPTH_UNITS * DEPTH_UNIT_M


@dataclass(frozen=True)
class Keyframe:
    """One compressed RGB-D image with its pose: colour as JPEG, depth as 16-bit PNG in mm, both in ``camera``."""

    id: int
    session: str
    stamp_ns: int
    map_T_camera: Pose44
    camera: Camera
    image_jpeg: bytes
    depth_png: bytes

    def image_HW3(self) -> NDArray[np.uint8]:
        """Return the colour image (H, W, 3), uint8 RGB. Raises MapError for a damaged image."""
        image = cv2.imdecode(np.frombuffer(self.image_jpeg, np.uint8), cv2.IMREAD_COLOR)
        return np.asarray(cv2.cvtColor(self._checked(image, "image"), cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def depth_HW(self) -> NDArray[np.float32]:
        """Return the depth (H, W), float32 m, 0 = unknown. Raises MapError for damaged depth."""
        depth = cv2.imdecode(np.frombuffer(self.depth_png, np.uint8), cv2.IMREAD_UNCHANGED)
        return self._checked(depth, "depth").astype(np.float32) * np.float32(DEPTH_UNIT_M)

    def _checked(self, array: NDArray[np.generic] | None, what: str) -> NDArray[np.generic]:
        if array is None or array.shape[:2] != (self.camera.height_px, self.camera.width_px):
            raise MapError(f"keyframe {self.id}: its {what} is damaged; build the map again")
        return array


def pose_fault(a_T_b: Pose44) -> str | None:
    """Return why a 4x4 matrix is not a pose, or None for a pose."""
    if not np.isfinite(a_T_b).all():
        return "its pose is not finite"
    rotation_33 = a_T_b[:3, :3]
    if not np.allclose(rotation_33 @ rotation_33.T, np.eye(3), atol=1e-4) or np.linalg.det(rotation_33) < 0:
        return "its pose is not rigid"
    return None


def camera_to_json(camera: Camera) -> str:
    """Return a camera as JSON."""
    return json.dumps(asdict(camera))


def camera_from_json(text: str) -> Camera:
    """Return the camera that ``camera_to_json`` wrote."""
    fields = json.loads(text)
    return Camera(**{**fields, "distortion": tuple(fields["distortion"])})


def depth_and_pose(frame: Frame) -> tuple[NDArray[np.float32], Pose44]:
    """Return depth (H, W; m, 0 = unknown) and map_T_camera of a frame. Raises MapError if one of both is missing."""
    if frame.depth_HW is None or frame.map_T_camera is None:
        raise MapError(f"frame {frame.name} has no depth or no pose; leave the frame out")
    return frame.depth_HW, frame.map_T_camera


def compress(frame: Frame, keyframe_id: int, session: str) -> Keyframe:
    """Return the keyframe of a frame with depth and pose, at most 640 px wide and 300 KB large.

    Raises MapError when depth or pose is missing, or the pose is invalid.
    """
    depth_HW, map_T_camera = depth_and_pose(frame)
    if fault := pose_fault(map_T_camera):
        raise MapError(f"frame {frame.name}: {fault}; leave the frame out")
    for camera in _sizes(frame.camera):
        image_jpeg, depth_png = _compressed(frame.image_HW3, depth_HW, camera)
        if len(image_jpeg) + len(depth_png) <= MAX_BYTES:
            break
    return Keyframe(keyframe_id, session, frame.stamp_ns, map_T_camera, camera, image_jpeg, depth_png)


def _sizes(camera: Camera) -> Iterator[Camera]:
    """Yield the camera at a width of at most 640 px, then at smaller sizes for depth that does not compress well."""
    width_px = min(camera.width_px, MAX_WIDTH_PX)
    while width_px:
        yield camera.resized(width_px, max(1, round(camera.height_px * width_px / camera.width_px)))
        width_px = width_px * 3 // 4


def _compressed(image_HW3: NDArray[np.uint8], depth_HW: NDArray[np.float32], camera: Camera) -> tuple[bytes, bytes]:
    """Return JPEG and PNG at a camera's size, with the best JPEG quality that keeps both together within the limit."""
    size = (camera.width_px, camera.height_px)
    depth_HW = cv2.resize(depth_HW, size, interpolation=cv2.INTER_NEAREST)
    units_HW = np.nan_to_num(depth_HW / DEPTH_UNIT_M + 0.5, nan=0.0, posinf=0.0, neginf=0.0)
    # Depth beyond the range of 16 bits is stored as unknown, because clipping would create a surface at 65 m.
    units_HW = np.where((units_HW > 0) & (units_HW < MAX_DEPTH_UNITS), units_HW, 0)
    depth_png = _encode(".png", units_HW.astype(np.uint16), [])
    image_HW3 = cv2.resize(image_HW3, size, interpolation=cv2.INTER_AREA)[..., ::-1]
    for quality in JPEG_QUALITIES:
        image_jpeg = _encode(".jpg", image_HW3, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(image_jpeg) + len(depth_png) <= MAX_BYTES:
            break
    return image_jpeg, depth_png


def _encode(suffix: str, image: NDArray[np.generic], options: list[int]) -> bytes:
    return bytes(cv2.imencode(suffix, image, options)[1])
