from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.datasets.rosbag_topics import choose_topics
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import quaternion_xyzw

STORE = get_typestore(Stores.ROS2_JAZZY)
T = STORE.types
START_S, PERIOD_NS = 1_700_000_000, 33_000_000


def header(i, frame):
    stamp_ns = i * PERIOD_NS
    return T["std_msgs/msg/Header"](T["builtin_interfaces/msg/Time"](START_S, stamp_ns), frame)


def info_message(i, camera):
    roi = T["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    k = camera.matrix_33
    return T["sensor_msgs/msg/CameraInfo"](
        header(i, "cam"), 480, 640, "plumb_bob", np.zeros(5), k.ravel(), np.eye(3).ravel(), np.zeros(12), 0, 0, roi
    )


def image_message(i, image, encoding, step):
    data = np.frombuffer(image.tobytes(), np.uint8)
    return T["sensor_msgs/msg/Image"](header(i, "cam"), *image.shape[:2], encoding, 0, step, data)


def pose_numbers(pose):
    x, y, z, w = quaternion_xyzw(pose)
    return pose[:3, 3].tolist(), (x, y, z, w)


def tf_message(i, pose):
    p, q = pose_numbers(pose)
    transform = T["geometry_msgs/msg/Transform"](
        T["geometry_msgs/msg/Vector3"](*p), T["geometry_msgs/msg/Quaternion"](*q)
    )
    return T["tf2_msgs/msg/TFMessage"]([T["geometry_msgs/msg/TransformStamped"](header(i, "map"), "cam", transform)])


def pose_message(i, pose):
    p, q = pose_numbers(pose)
    body = T["geometry_msgs/msg/Pose"](T["geometry_msgs/msg/Point"](*p), T["geometry_msgs/msg/Quaternion"](*q))
    return T["geometry_msgs/msg/PoseStamped"](header(i, "map"), body)


def answer_message(i, pose):
    body = T["geometry_msgs/msg/PoseWithCovariance"](pose_message(i, pose).pose, np.zeros(36))
    return T["geometry_msgs/msg/PoseWithCovarianceStamped"](header(i, "map"), body)


def write_bag(path, frames, plugin, compressed, depth_metres, pose_from_tf):
    with Writer(path, version=9, storage_plugin=plugin) as bag:
        kind = "CompressedImage" if compressed else "Image"
        topics = {
            "/camera/color/image_raw": f"sensor_msgs/msg/{kind}",
            "/camera/color/camera_info": "sensor_msgs/msg/CameraInfo",
            "/camera/depth/image_raw": "sensor_msgs/msg/Image",
            (
                "/tf" if pose_from_tf else "/pose"
            ): f"{'tf2_msgs/msg/TFMessage' if pose_from_tf else 'geometry_msgs/msg/PoseStamped'}",
        }
        connections = {topic: bag.add_connection(topic, kind, typestore=STORE) for topic, kind in topics.items()}
        for i, frame in enumerate(frames):
            bgr = frame.image_HW3[..., ::-1]
            if compressed:
                jpeg = np.asarray(cv2.imencode(".jpg", bgr)[1]).ravel()
                image = T["sensor_msgs/msg/CompressedImage"](header(i, "cam"), "jpeg", jpeg)
            else:
                image = image_message(i, bgr, "bgr8", 1920)
            millimetres = (frame.depth_HW * 1000 + 0.5).astype(np.uint16)
            depth = (
                image_message(i, frame.depth_HW, "32FC1", 2560)
                if depth_metres
                else image_message(i, millimetres, "16UC1", 1280)
            )
            pose = tf_message(i, frame.map_T_camera) if pose_from_tf else pose_message(i, frame.map_T_camera)
            for topic, message in zip(topics, (image, info_message(i, frame.camera), depth, pose), strict=True):
                raw = STORE.serialize_cdr(message, topics[topic])
                bag.write(connections[topic], START_S * 10**9 + i * PERIOD_NS + 5_000_000, raw)


@pytest.mark.parametrize(
    ("plugin", "compressed", "depth_metres", "pose_from_tf"),
    [
        (StoragePlugin.SQLITE3, False, False, True),
        (StoragePlugin.MCAP, True, True, False),
        (StoragePlugin.MCAP, False, True, True),
    ],
)
def test_bags_read_back(tmp_path, kitchen, plugin, compressed, depth_metres, pose_from_tf):
    frames = [kitchen[i] for i in (10, 11, 12)]
    write_bag(tmp_path / "bag", frames, plugin, compressed, depth_metres, pose_from_tf)
    bag = open_sequence(str(tmp_path / "bag"))
    assert len(bag) == 3
    for i, written in enumerate(frames):
        read = bag[i]
        assert read.stamp_ns == START_S * 10**9 + i * PERIOD_NS
        assert np.abs(read.image_HW3.astype(int) - written.image_HW3).mean() < (4 if compressed else 0.01)
        assert read.depth_HW == pytest.approx(written.depth_HW, abs=6e-4)
        assert read.map_T_camera == pytest.approx(written.map_T_camera, abs=1e-6)
        assert read.camera.fx == 525


def test_a_cut_bag_is_refused_in_one_line(tmp_path, kitchen):
    write_bag(tmp_path / "bag", [kitchen[0]], StoragePlugin.MCAP, False, True, True)
    file = next((tmp_path / "bag").glob("*.mcap"))
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(SequenceError, match="bag"):
        open_sequence(str(tmp_path / "bag"))


def connections(**topics):
    return [SimpleNamespace(topic=topic, msgtype=f"sensor_msgs/msg/{kind}") for topic, kind in topics.items()]


def chosen_pose(**topics):
    """The pose topic that is chosen in a bag with these, and whether TF may be asked instead."""
    camera = connections(**{"/image": "Image", "/camera_info": "CameraInfo"})
    poses = [SimpleNamespace(topic=topic, msgtype=kind) for topic, kind in topics.items()]
    chosen = choose_topics([*camera, *poses], "bag")
    return chosen.pose and chosen.pose.topic, chosen.has_own_answers


POSE, STATUS = "geometry_msgs/msg/PoseWithCovarianceStamped", "dsm_ros/msg/RelocalizationStatus"


@pytest.mark.parametrize(
    ("topics", "pose", "has_own_answers"),
    [
        ({"/mocap/pose": POSE}, "/mocap/pose", False),
        ({"/relocalizer/pose": POSE, "/mocap/pose": POSE}, "/mocap/pose", True),
        ({"/robot/relocalizer/pose": POSE}, None, True),
        ({"/finder/pose": POSE, "/finder/status": STATUS}, None, True),
        ({"/finder/pose": POSE, "/other/status": STATUS}, "/finder/pose", True),
        ({"/initialpose": POSE, "/goal_pose": "geometry_msgs/msg/PoseStamped"}, None, False),
        ({"/odom": "nav_msgs/msg/Odometry", "/initialpose": POSE, "/relocalizer/pose": POSE}, "/odom", True),
    ],
)
def test_what_a_relocalizer_said_or_was_told_is_no_ground_truth(topics, pose, has_own_answers):
    assert chosen_pose(**topics) == (pose, has_own_answers)


@pytest.mark.parametrize("with_answers", [False, True])
def test_the_transforms_of_a_relocalizer_are_no_ground_truth_either(tmp_path, kitchen, with_answers):
    frame = kitchen[10]
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as bag:
        messages = {
            "/image": image_message(0, frame.image_HW3, "rgb8", 1920),
            "/camera_info": info_message(0, frame.camera),
            "/tf": tf_message(0, frame.map_T_camera),
            **({"/relocalizer/pose": answer_message(0, frame.map_T_camera)} if with_answers else {}),
        }
        for topic, message in messages.items():
            connection = bag.add_connection(topic, message.__msgtype__, typestore=STORE)
            bag.write(connection, START_S * 10**9, STORE.serialize_cdr(message, message.__msgtype__))
    pose = open_sequence(str(tmp_path / "bag"))[0].map_T_camera
    assert pose is None if with_answers else pose == pytest.approx(frame.map_T_camera, abs=1e-6)


@pytest.mark.parametrize(
    ("topics", "image"),
    [
        ({"/relocalizer/debug_image": "Image", "/image/compressed": "CompressedImage"}, "/image/compressed"),
        (
            {"/detector/image_rgb": "Image", "/cam/image_mono": "Image", "/cam/camera_info": "CameraInfo"},
            "/cam/image_mono",
        ),
        ({"/cam/image_raw": "Image", "/cam/image_raw/compressed": "CompressedImage"}, "/cam/image_raw"),
        ({"/a/debug": "Image", "/b/image_raw": "Image"}, "/b/image_raw"),
    ],
)
def test_images_are_those_beside_a_camera_info(topics, image, caplog):
    chosen = choose_topics(connections(**{"/camera_info": "CameraInfo", **topics}), "bag")
    assert chosen.image.topic == image
    assert not caplog.records


def test_of_several_cameras_one_is_read_and_said(caplog):
    names = [f"/{side}/{name}" for side in ("left", "right") for name in ("image_raw", "camera_info")]
    kinds = ["Image", "CameraInfo"] * 2
    chosen = choose_topics(connections(**dict(zip(names, kinds, strict=True))), "bag")
    assert (chosen.image.topic, chosen.info.topic) == ("/left/image_raw", "/left/camera_info")
    assert "several cameras: images are read from /left/image_raw, not /right/image_raw" in caplog.text
