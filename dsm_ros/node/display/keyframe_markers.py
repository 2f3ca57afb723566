"""Markers of the map's keyframes: one small camera frustum each.

Markers rather than a PoseArray: RViz and Foxglove both draw them, in one call for all keyframes, and a frustum shows
the direction of the view, whereas the arrow of a pose points along x, to the side of an optical frame.
"""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import Point, Vector3
from numpy.typing import NDArray
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from dsm_ros.geometry.pose import transform

NAMESPACE = "keyframes"
ORANGE = {"r": 1.0, "g": 0.65, "b": 0.1, "a": 0.8}
LINE_WIDTH_M = 0.004
# Apex and image corners of a 4:3 camera, metres, optical frame (x right, y down, z forward).
FRUSTUM_53 = np.array([[0, 0, 0], [-6, -4.5, 8], [6, -4.5, 8], [6, 4.5, 8], [-6, 4.5, 8]]) * 0.01
EDGES = ((0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1))


def keyframe_markers(map_T_cameras_N44: NDArray[np.float64], header: Header) -> MarkerArray:
    """Return the frusta of camera poses (N, 4, 4) as one line list; header.frame_id is the map's frame."""
    ends_E = np.array(EDGES).ravel()
    points_N3 = np.concatenate([transform(pose, FRUSTUM_53)[ends_E] for pose in map_T_cameras_N44])
    marker = Marker(header=header, ns=NAMESPACE, type=Marker.LINE_LIST, action=Marker.ADD)
    marker.color = ColorRGBA(**ORANGE)
    marker.scale = Vector3(x=LINE_WIDTH_M)
    marker.points = [Point(x=x, y=y, z=z) for x, y, z in points_N3.tolist()]
    return MarkerArray(markers=[marker])
