"""The node with odometry on /tf; in a file of its own, for no other relocalizer may speak on /tf meanwhile."""

import time

import numpy as np
import pytest
from dds_peer import Peer, run_node
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.datasets.pose_messages import stamp_ns_of
from dsm_ros.node import conversions as c


def test_with_odometry_the_transform_is_map_to_odom_at_the_images_stamp(ros):
    process = run_node("odom_frame:=odom", "transform_tolerance_s:=0.5")
    try:
        peer = Peer()
        peer.connect()
        tf = peer.node.create_publisher(TFMessage, "/tf", 100)
        peer.wait(lambda: tf.get_subscription_count() >= 2)
        start_ns = time.time_ns()
        for i in range(100):  # odometry moves 1 cm in each 10 ms along x, seen from (2, 0, 0) on
            odom_T_camera = np.eye(4)
            odom_T_camera[0, 3] = 2.0 + 0.01 * i
            header = Header(stamp=c.stamp_msg(start_ns + i * 10_000_000), frame_id="odom")
            tf.publish(TFMessage(transforms=[c.transform_to_msg(odom_T_camera, header, "cam_optical")]))
        time.sleep(0.3)

        def map_to_odom():
            sent = [t for m in peer.heard["tf"] for t in m.transforms if t.child_frame_id == "odom"]
            return sent[-1] if sent else None

        stamp_ns = start_ns + 505_000_000
        for _ in range(2):
            peer.ask(30, stamp_ns)
        peer.wait(lambda: map_to_odom() is not None)
        transform = map_to_odom()
        assert transform.header.frame_id == "map"
        assert transform.transform.translation.x == pytest.approx(0.3 - 2.505)
        assert stamp_ns_of(transform.header.stamp) > time.time_ns()
        peer.node.destroy_node()
    finally:
        process.terminate()
        assert process.wait(20) == 0
