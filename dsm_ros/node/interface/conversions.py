"""Conversions of the library's types to ROS messages."""

from __future__ import annotations

import array

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, PoseWithCovarianceStamped, Quaternion, TransformStamped, Vector3
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import Header

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, quaternion_xyzw
from dsm_ros.localization.result import SceneCoordinates

JPEG_QUALITY = 90
POINT_DTYPE = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<f4"), ("confidence", "<f4")])


def stamp_msg(stamp_ns: int) -> Time:
    """Return a timestamp (ns) as a message."""
    return Time(sec=stamp_ns // 1_000_000_000, nanosec=stamp_ns % 1_000_000_000)


def image_to_msg(image_HW3: NDArray[np.uint8], header: Header) -> Image:
    """Return an rgb8 Image."""
    height, width = image_HW3.shape[:2]
    message = Image(header=header, height=height, width=width, encoding="rgb8", step=3 * width)
    message.data = array.array("B", image_HW3.tobytes())  # rclpy checks every item of a bytes object
    return message


def image_to_jpeg_msg(image_HW3: NDArray[np.uint8], header: Header) -> CompressedImage:
    """Return an RGB image as JPEG, with the format string of image_transport."""
    jpeg = cv2.imencode(".jpg", image_HW3[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))[1]
    return CompressedImage(header=header, format="rgb8; jpeg compressed bgr8", data=array.array("B", jpeg.tobytes()))


def camera_to_msg(camera: Camera, header: Header) -> CameraInfo:
    """Return the CameraInfo of a camera."""
    message = CameraInfo(header=header, width=camera.width_px, height=camera.height_px)
    message.distortion_model = camera.distortion_model if camera.distortion else "plumb_bob"
    message.d = list(camera.distortion) or [0.0] * 5
    message.k = camera.matrix_33.ravel().tolist()
    message.r = np.eye(3).ravel().tolist()
    message.p = np.pad(camera.matrix_33, ((0, 0), (0, 1))).ravel().tolist()
    return message


def pose_to_msg(map_T_camera: Pose44, covariance_66: NDArray[np.float64], header: Header) -> PoseWithCovarianceStamped:
    """Return a pose with its covariance (order x, y, z, rotX, rotY, rotZ; m, rad)."""
    message = PoseWithCovarianceStamped(header=header)
    x, y, z = map_T_camera[:3, 3].tolist()
    message.pose.pose.position = Point(x=x, y=y, z=z)
    message.pose.pose.orientation = _quaternion(map_T_camera)
    message.pose.covariance = covariance_66.ravel().tolist()
    return message


def transform_to_msg(parent_T_child: Pose44, header: Header, child: str) -> TransformStamped:
    """Return a transform from the parent header.frame_id to a child frame."""
    message = TransformStamped(header=header, child_frame_id=child)
    x, y, z = parent_T_child[:3, 3].tolist()
    message.transform.translation = Vector3(x=x, y=y, z=z)
    message.transform.rotation = _quaternion(parent_T_child)
    return message


def cloud_to_msg(coordinates: SceneCoordinates, header: Header) -> PointCloud2:
    """Return dense scene coordinates as an organised cloud; cells without a coordinate are NaN."""
    points_HW3 = np.where(coordinates.confidence_HW[..., None] > 0, coordinates.coords_HW3, np.nan)
    return points_to_msg(points_HW3, coordinates.colors_HW3, coordinates.confidence_HW, header)


def points_to_msg(
    points_HW3: NDArray[np.float64],
    colors_HW3: NDArray[np.uint8],
    confidence_HW: NDArray[np.float32],
    header: Header,
) -> PointCloud2:
    """Return an organised cloud (H rows, W columns) with the fields x, y, z, rgb and confidence."""
    height, width = points_HW3.shape[:2]
    cloud_HW = np.empty((height, width), POINT_DTYPE)
    for axis, name in enumerate("xyz"):
        cloud_HW[name] = points_HW3[..., axis]
    red, green, blue = (colors_HW3[..., channel].astype(np.uint32) for channel in range(3))
    cloud_HW["rgb"] = (red << 16 | green << 8 | blue).view(np.float32)
    cloud_HW["confidence"] = confidence_HW
    message = PointCloud2(header=header, height=height, width=width, is_dense=bool(np.isfinite(points_HW3).all()))
    message.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(POINT_DTYPE.names or ())
    ]
    message.point_step, message.row_step = POINT_DTYPE.itemsize, POINT_DTYPE.itemsize * width
    message.data = array.array("B", cloud_HW.tobytes())
    return message


def _quaternion(pose: Pose44) -> Quaternion:
    x, y, z, w = quaternion_xyzw(pose).tolist()
    return Quaternion(x=x, y=y, z=z, w=w)
