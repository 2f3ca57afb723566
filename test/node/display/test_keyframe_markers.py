import cv2
import numpy as np
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from dsm_ros.geometry.pose import invert, make_pose, transform
from dsm_ros.node.display.keyframe_markers import EDGES, keyframe_markers

TURN = cv2.Rodrigues(np.array([0.3, -1.2, 0.5]))[0]
POSES = np.stack([make_pose(np.eye(3), [1, 2, 3]), make_pose(TURN, [-4, 0, 2])])


def marker():
    message = keyframe_markers(POSES, Header(frame_id="map"))
    (only,) = deserialize_message(serialize_message(message), MarkerArray).markers
    return only


def points_by_keyframe():
    points = np.array([[point.x, point.y, point.z] for point in marker().points])
    return points.reshape(len(POSES), 2 * len(EDGES), 3)


def test_all_keyframes_are_one_line_list_in_the_map():
    message = marker()
    assert (message.type, message.action, message.header.frame_id) == (Marker.LINE_LIST, Marker.ADD, "map")
    assert len(message.points) == 2 * len(EDGES) * len(POSES)
    assert message.scale.x > 0
    assert message.color.a > 0
    assert message.pose.orientation.w == 1
    assert message.lifetime.sec == message.lifetime.nanosec == 0


def test_a_frustum_starts_at_the_camera_and_opens_in_front_of_it():
    for map_T_camera, points_N3 in zip(POSES, points_by_keyframe(), strict=True):
        in_camera_N3 = transform(invert(map_T_camera), points_N3)
        apex_N = np.linalg.norm(in_camera_N3, axis=1) < 1e-9
        assert apex_N.sum() == 4
        assert (in_camera_N3[~apex_N, 2] > 0.05).all()
        assert np.abs(in_camera_N3[:, 0]).max() > np.abs(in_camera_N3[:, 1]).max()
