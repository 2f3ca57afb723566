"""Contract of the node over real DDS: it runs in a process of its own."""

import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from dds_peer import BROKEN, BUSY, CAMERA, DELETED, LOST, SLOW, TIMEOUT_S, Peer, run_node
from diagnostic_msgs.msg import DiagnosticStatus
from dsm_ros.msg import RelocalizationStatus
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.messages.pose import pose_from_msg, stamp_ns_of
from dsm_ros.node.interface import conversions as c
from dsm_ros.node.interface.topics import LATCHED

LISTENER = """
import rclpy
from sensor_msgs.msg import PointCloud2
rclpy.init()
node = rclpy.create_node("stalls")
heard = node.create_subscription(PointCloud2, "relocalizer/scene_coordinates", lambda message: None, 1)
while not node.get_publishers_info_by_topic("relocalizer/scene_coordinates"):
    rclpy.spin_once(node, timeout_sec=0.05)
print("ready", flush=True)
rclpy.spin(node)
"""


def test_frames_in_poses_out_with_frames_and_stamps(peer):
    stamps_ns = iter(range(1_000_000_123, 6_000_000_000, 1_000_000_000))  # a listener may be late for the first
    wanted = [peer.heard[name] for name in ("status", "pose", "cloud", "map", "tf")]
    peer.wait(lambda: all(wanted) or not peer.ask(17, next(stamps_ns)))
    status = peer.heard["status"][-1]
    stamp = status.header.stamp
    assert stamp_ns_of(stamp) % 1_000_000_000 == 123
    peer.wait(lambda: peer.heard["pose"][-1].header.stamp == stamp)
    peer.wait(lambda: peer.heard["tf"][-1].transforms[0].header.stamp == stamp)
    assert status.state == status.TRACKING
    assert (status.inliers, list(status.keyframe_ids), status.reason) == (500, [11, 7], "")
    assert status.header.frame_id == "cam_optical"
    assert status.latency_ms > 0
    pose = peer.heard["pose"][-1]
    assert pose.header.frame_id == "map"
    assert pose_from_msg(pose)[:3, 3].tolist() == [0.17, 40.0, 0.000123]
    assert pose.pose.covariance[0] == pytest.approx(0.01 + 0.02**2)
    transform = peer.heard["tf"][-1].transforms[0]
    assert (transform.header.frame_id, transform.child_frame_id) == ("map", "cam_optical")
    cloud = peer.heard["cloud"][-1]
    assert (cloud.header.frame_id, cloud.height, cloud.width) == ("map", 2, 3)
    assert peer.heard["map"][-1].width == 4


def test_no_pose_means_no_pose_and_no_transform(peer):
    status = peer.ask(LOST, 6_000_000_000)
    assert status.reason == "too_few_inliers"
    assert "7 of 1000" in status.detail
    assert status.state in (status.SEARCHING, status.LOST)
    peer.ask(18, 6_100_000_000)
    peer.wait(lambda: peer.heard["pose"])
    assert 6_000_000_000 not in {stamp_ns_of(pose.header.stamp) for pose in peer.heard["pose"]}
    stamps = {stamp_ns_of(t.header.stamp) for message in peer.heard["tf"] for t in message.transforms}
    assert 6_000_000_000 not in stamps


def test_a_broken_frame_is_counted_and_the_node_lives_on(peer):
    status, stamp_ns = peer.ask(19, 7_000_000_000), 7_000_000_000
    deadline_s = time.monotonic() + TIMEOUT_S
    while not status.frames_failed:
        assert time.monotonic() < deadline_s
        peer.send(BROKEN, stamp_ns + 50_000_000)
        time.sleep(0.2)  # or the next image replaces it before it is looked at
        stamp_ns += 100_000_000
        status = peer.ask(19, stamp_ns)
    assert status.state == status.TRACKING


def test_a_map_that_vanishes_under_the_node_is_a_reason(peer):
    status = peer.ask(DELETED, 7_900_000_000)
    assert (status.reason, status.detail) == ("no_map", "the map at fake is gone; build it again")
    assert peer.ask(19, 7_950_000_000).state == status.TRACKING


def test_images_faster_than_the_localizer_are_dropped_and_counted(peer):
    before = peer.ask(20, 8_000_000_000)
    for i in range(20):
        peer.send(SLOW, 8_100_000_000 + i)
        time.sleep(0.02)
    after = peer.ask(20, 9_000_000_000)
    processed = [s for s in peer.heard["status"] if 8_100_000_000 <= stamp_ns_of(s.header.stamp) < 8_200_000_000]
    assert after.frames_dropped > before.frames_dropped
    assert len(processed) < 10


def test_a_late_listener_hears_the_last_status(peer):
    peer.ask(21, 10_000_000_000)
    late = Peer()
    late.wait(lambda: late.heard["status"] and late.heard["map"])
    assert stamp_ns_of(late.heard["status"][-1].header.stamp) == 10_000_000_000
    late.node.destroy_node()


def test_an_unusable_camera_info_is_survived(peer):
    wrong = CameraInfo(
        width=32, height=24, distortion_model="crystal ball", d=[1.0], k=[40.0, 0, 16, 0, 40, 12, 0, 0, 1.0]
    )
    peer.send(22, 11_000_000_000, info=wrong)
    stamps_ns = iter(range(11_500_000_000, 11_590_000_000, 10_000_000))  # a camera_info may be lost
    peer.wait(lambda: peer.ask(23, next(stamps_ns)).state == RelocalizationStatus.TRACKING)


def test_an_impossible_calibration_is_named(peer):
    info = c.camera_to_msg(CAMERA, Header())
    info.k[2] = float("nan")
    stamps_ns = iter(range(11_600_000_000, 11_690_000_000, 1_000_000))
    peer.wait(lambda: peer.ask(22, next(stamps_ns), info=info).reason == "no_camera_info")
    assert "NaN" in peer.heard["status"][-1].detail


def test_calibration_and_resolution_may_change_while_it_runs(peer):
    def focal_length(sent_px, **more):
        stamp_ns = next(stamps_ns)
        status = peer.ask(23, stamp_ns, **more)
        if status.state != status.TRACKING:
            return None  # a camera_info is lost sometimes
        peer.wait(lambda: any(stamp_ns_of(pose.header.stamp) == stamp_ns for pose in peer.heard["pose"]))
        return pose_from_msg(peer.heard["pose"][-1])[1, 3] == pytest.approx(sent_px)

    stamps_ns = iter(range(11_700_000_000, 11_790_000_000, 1_000_000))
    peer.wait(lambda: focal_length(50.0, info=c.camera_to_msg(replace(CAMERA, fx=50.0, fy=50.0), Header())))
    peer.wait(lambda: focal_length(80.0, info=c.camera_to_msg(CAMERA.resized(64, 48), Header()), size=(48, 64)))
    peer.wait(lambda: focal_length(40.0))


def test_the_debug_image_shows_what_was_asked(peer):
    peer.heard["debug"] = []
    stamps_ns = iter(range(11_800_000_000, 11_890_000_000, 1_000_000))
    peer.listen(Image, "relocalizer/debug_image", "debug")
    peer.wait(lambda: peer.ask(24, next(stamps_ns)) and peer.heard["debug"])
    image = peer.heard["debug"][-1]
    assert (image.encoding, image.header.frame_id) == ("rgb8", "cam_optical")
    assert len(image.data) == image.width * image.height * 3 > 0


def test_listeners_that_stall_or_vanish_hold_nothing_up(peer):
    listener = subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True)
    try:
        assert listener.stdout.readline()  # it has heard of the node
        listener.send_signal(signal.SIGSTOP)
        assert all(peer.ask(24, 11_900_000_000 + i).state == 2 for i in range(0, 10_000_000, 1_000_000))
    finally:
        listener.kill()
    listener.wait()
    assert peer.ask(24, 11_950_000_000).state == 2


def test_diagnostics_tell_state_and_counts(peer):
    peer.ask(24, 12_000_000_000)
    peer.wait(lambda: peer.heard["diagnostics"])
    tasks = {status.name: status for status in peer.heard["diagnostics"][-1].status}
    assert set(tasks) == {f"/relocalizer: {task}" for task in ("input", "localization", "transforms", "map")}
    assert {task.hardware_id for task in tasks.values()} == {"/relocalizer"}
    assert {"frames received", "frames dropped", "frames localized", "images per second"} <= set(peer.diagnostics())
    assert tasks["/relocalizer: map"].level == DiagnosticStatus.OK


def test_compressed_and_rectified_images_and_a_static_base_frame(ros):
    process = run_node("image_transport:=compressed", "rectified:=true", "base_frame:=base_link")
    info = c.camera_to_msg(CAMERA, Header())
    info.d = [-0.3, 0.1, 0.0, 0.0, 0.0]  # of the raw images
    info.p = [55.0, 0, 16, 0, 0, 55.0, 12, 0, 0, 0, 1, 0]
    try:
        peer = Peer("compressed")
        peer.connect()
        static = peer.node.create_publisher(TFMessage, "/tf_static", LATCHED)
        base_T_camera = np.eye(4)
        base_T_camera[0, 3] = 2.0
        message = c.transform_to_msg(base_T_camera, Header(frame_id="base_link"), "cam_optical")
        static.publish(TFMessage(transforms=[message]))
        stamp_ns = 20_000_000_000
        while not (peer.heard["tf"] and peer.heard["pose"]):  # a listener may be late for the first
            peer.ask(30, stamp_ns, info=info)
            stamp_ns += 100_000_000
            assert stamp_ns < 30_000_000_000
        transform = next(t for m in peer.heard["tf"] for t in m.transforms if t.child_frame_id == "base_link")
        assert transform.transform.translation.x == pytest.approx(-1.7)
        pose = peer.heard["pose"][-1]
        assert pose_from_msg(pose)[:2, 3] == pytest.approx(
            [-1.7, 55.0]
        )  # the focal length that the localizer was given
        # the lever arm of 2 m carries the variance of the direction into that of the position
        assert pose.pose.covariance[7] == pytest.approx(0.01 + 0.02**2 + 4 * (0.01 + np.radians(0.7) ** 2))
        assert pose.pose.covariance[0] == pytest.approx(0.01 + 0.02**2)
        peer.node.destroy_node()
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_a_missing_map_ends_the_autostarted_node_with_the_reason(ros, tmp_path):
    module = [sys.executable, "-m", "dsm_ros.node", "--ros-args", "-p", f"map:={tmp_path}/none"]
    done = subprocess.run(module, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "no map at" in done.stderr


@pytest.mark.parametrize("names", [("SIGINT", "SIGINT"), ("SIGTERM",)], ids="-".join)
def test_interrupted_in_the_middle_of_an_image_the_node_ends_without_a_word(ros, names, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # NumPy's threads may receive the signal
    process = run_node("stale_after_s:=0.1", namespace="/ended", stderr=subprocess.PIPE)
    peer = Peer(namespace="/ended")
    peer.connect()
    peer.ask(10, 1_000_000_000)
    for i in range(5):  # best effort may lose one
        peer.send(BUSY, 1_100_000_000 + i)
    time.sleep(0.2)
    for name in names:  # launch sends a second signal, besides the terminal's
        process.send_signal(getattr(signal, name))
    sent_s = time.monotonic()
    said = process.communicate(timeout=20)[1]
    assert time.monotonic() - sent_s < 1.0
    peer.node.destroy_node()
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "[ERROR]" not in said
    assert "invalid" not in said
