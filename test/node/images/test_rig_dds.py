"""Two cameras on one rig, over real DDS; in a file of its own, for no other relocalizer may speak on /tf meanwhile."""

import time

import numpy as np
import pytest
from dds_peer import CAMERA, Peer, run_node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.config import TrackerConfig
from dsm_ros.messages.pose import pose_from_msg, stamp_ns_of
from dsm_ros.node.interface import conversions as c
from dsm_ros.node.interface.topics import LATCHED

X_M = {"front": 0.5, "right": 0.25}  # of each camera on the base
SLOP_NS = 50_000_000


class RigPeer(Peer):
    """Two cameras and a listener in this process."""

    def __init__(self):
        super().__init__()
        self.cameras = {}
        for name in X_M:
            kinds = (Image, f"{name}/image"), (CameraInfo, f"{name}/camera_info")
            self.cameras[name] = [self.node.create_publisher(*kind, qos_profile_sensor_data) for kind in kinds]
        self.static = self.node.create_publisher(TFMessage, "/tf_static", LATCHED)

    def place_cameras(self):
        places = {name: make_pose(np.eye(3), [x_m, 0, 0]) for name, x_m in X_M.items()}
        base = Header(frame_id="base_link")
        transforms = [c.transform_to_msg(pose, base, f"{name}_optical") for name, pose in places.items()]
        self.static.publish(TFMessage(transforms=transforms))

    def connect(self):
        publishers = [publisher for pair in self.cameras.values() for publisher in pair]
        self.wait(lambda: all(publisher.get_subscription_count() for publisher in publishers))
        self.wait(lambda: self.node.count_subscribers("/tf_static") > 0)

    def look(self, stamp_of, red=20):
        """Send an image of each camera that has a stamp."""
        for name, stamp_ns in stamp_of.items():
            header = Header(stamp=c.stamp_msg(stamp_ns), frame_id=f"{name}_optical")
            image, info = self.cameras[name]
            info.publish(c.camera_to_msg(CAMERA, header))
            image.publish(c.image_to_msg(np.full((24, 32, 3), red, np.uint8), header))

    def status_at(self, stamp_ns):
        found = [status for status in self.heard["status"] if stamp_ns_of(status.header.stamp) == stamp_ns]
        return found[-1] if found else None

    def ask_until(self, expected, start_ns, names, apart_ns=0, step_ns=100_000_000):
        """Look at later and later times, up to 50, until a status is as expected; return it."""
        for stamp_ns in range(start_ns, start_ns + 50 * step_ns, step_ns):
            self.look({name: stamp_ns + i * apart_ns for i, name in enumerate(names)})
            self.wait_a_moment(lambda stamp_ns=stamp_ns: self.status_at(stamp_ns))
            status = self.status_at(stamp_ns)
            if status and expected(status):
                return status
        raise AssertionError([(s.inliers, s.reason, s.detail) for s in self.heard["status"]][-5:])

    def wait_a_moment(self, condition):
        """Best effort may lose an image: wait for an answer, but not for long."""
        deadline_s = time.monotonic() + 1.0
        self.wait(lambda: condition() or time.monotonic() > deadline_s)


@pytest.fixture(scope="module")
def peer(ros):
    process = run_node("cameras:=front,right", "base_frame:=base_link", "rig_slop_s:=0.05")
    peer = RigPeer()
    peer.connect()
    yield peer
    peer.node.destroy_node()
    process.terminate()
    assert process.wait(20) == 0


def pose_at(peer, stamp_ns):
    def found():
        return [pose for pose in peer.heard["pose"] if stamp_ns_of(pose.header.stamp) == stamp_ns]

    peer.wait(found)
    return pose_from_msg(found()[-1])


def test_images_of_both_cameras_give_one_pose_of_the_base_once_their_places_are_known(peer):
    missing = peer.ask_until(lambda status: status.reason == "no_tf", 1_000_000_000, ["front", "right"])
    assert "front" in missing.detail
    peer.place_cameras()
    # A lost image makes one camera answer, from elsewhere in the fake's map: a pause lets each question be a first one.
    pause_ns = int((TrackerConfig.max_pause_s + 1) * 1e9)
    both = peer.ask_until(
        lambda status: status.inliers == 1000, 10_000_000_000, ["front", "right"], SLOP_NS // 2, pause_ns
    )
    assert both.state == both.TRACKING
    assert both.header.frame_id == "base_link"
    stamp_ns = stamp_ns_of(both.header.stamp)
    assert pose_at(peer, stamp_ns)[0, 3] == pytest.approx(0.20 + X_M["front"] + X_M["right"])
    peer.wait(lambda: any(stamp_ns_of(m.transforms[0].header.stamp) == stamp_ns for m in peer.heard["tf"]))
    assert {t.child_frame_id for message in peer.heard["tf"] for t in message.transforms} == {"base_link"}


def test_one_camera_alone_still_gives_the_pose_of_the_base(peer):
    peer.place_cameras()
    alone = peer.ask_until(lambda status: status.inliers == 500, 20_000_000_000, ["right"])
    assert alone.header.frame_id == "base_link"
    assert pose_at(peer, stamp_ns_of(alone.header.stamp))[0, 3] == pytest.approx(0.20 + X_M["right"])
    peer.wait(lambda: peer.heard["diagnostics"])
    del peer.heard["diagnostics"][:]
    peer.wait(lambda: peer.heard["diagnostics"])
    assert int(peer.diagnostics()["images missing from rig"]) >= 1


def test_images_of_different_moments_are_localized_on_their_own(peer):
    peer.place_cameras()
    status = peer.ask_until(lambda status: status.inliers, 30_000_000_000, ["front", "right"], apart_ns=2 * SLOP_NS)
    assert status.inliers == 500
