"""A camera and a listener beside a relocalizer in a process of its own."""

import array
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from dsm_ros.msg import RelocalizationStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.geometry.camera import Camera
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.interface import conversions as c
from dsm_ros.node.interface.topics import LATCHED

FAKE = Path(__file__).with_name("fake_relocalizer.py")
CAMERA = Camera(32, 24, 40.0, 40.0, 16.0, 12.0)
LOST, BROKEN, SLOW, DELETED, BUSY = 200, 210, 220, 230, 240
STATE_AFTER = {
    Transition.TRANSITION_CONFIGURE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_ACTIVATE: State.PRIMARY_STATE_ACTIVE,
    Transition.TRANSITION_DEACTIVATE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_CLEANUP: State.PRIMARY_STATE_UNCONFIGURED,
}
TIMEOUT_S = 30.0
REPEAT_S = 5.0


class Peer:
    """A camera and a listener in this process."""

    def __init__(self, transport="raw", namespace="/", image_qos=qos_profile_sensor_data):
        self.node = Node("peer", namespace=namespace)
        self.compressed = transport == "compressed"
        kind, topic = (CompressedImage, "image/compressed") if self.compressed else (Image, "image")
        self.image = self.node.create_publisher(kind, topic, image_qos)
        self.info = self.node.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)
        self.heard = {name: [] for name in ("pose", "status", "cloud", "map", "tf", "diagnostics")}
        self.listen(PoseWithCovarianceStamped, "relocalizer/pose", "pose")
        self.listen(RelocalizationStatus, "relocalizer/status", "status", LATCHED)
        self.listen(PointCloud2, "relocalizer/scene_coordinates", "cloud")
        self.listen(PointCloud2, "relocalizer/map_points", "map", LATCHED)
        self.listen(TFMessage, "/tf", "tf")
        self.listen(DiagnosticArray, "/diagnostics", "diagnostics")

    def diagnostics(self):
        """The values of the newest diagnostics of all tasks of the node."""
        return {item.key: item.value for status in self.heard["diagnostics"][-1].status for item in status.values}

    def listen(self, kind, topic, name, qos=10):
        self.node.create_subscription(kind, topic, self.heard[name].append, qos)

    def wait(self, condition):
        deadline_s = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline_s, {name: len(messages) for name, messages in self.heard.items()}
            rclpy.spin_once(self.node, timeout_sec=0.05)

    def result_of(self, future):
        self.wait(future.done)
        return future.result()

    def answer_to(self, send):
        """The answer to a request, sent again while none comes: Fast DDS drops it if the node does not know us yet."""
        futures, deadline_s = [send()], time.monotonic() + REPEAT_S

        def answered():
            nonlocal deadline_s
            if time.monotonic() > deadline_s:
                futures.append(send())
                deadline_s += REPEAT_S
            return any(future.done() for future in futures)

        self.wait(answered)
        return next(future for future in futures if future.done()).result()

    def call(self, kind, name, request):
        """Call a service of the node and return its response."""
        client = self.node.create_client(kind, name)
        self.wait(client.service_is_ready)
        return self.answer_to(lambda: client.call_async(request))

    def change(self, transition):
        """Return whether the node has made a transition, which a repeated request alone would deny."""
        request = ChangeState.Request(transition=Transition(id=transition))
        if self.call(ChangeState, "relocalizer/change_state", request).success:
            return True
        state = self.call(GetState, "relocalizer/get_state", GetState.Request()).current_state
        return state.id == STATE_AFTER.get(transition)

    def connect(self):
        self.wait(lambda: self.image.get_subscription_count() and self.info.get_subscription_count())

    def send(self, red, stamp_ns, info=None, size=(24, 32)):
        header = Header(stamp=c.stamp_msg(stamp_ns), frame_id="cam_optical")
        self.info.publish(info or c.camera_to_msg(CAMERA, header))
        image = np.full((*size, 3), red, np.uint8)
        if self.compressed:
            data = array.array("B", cv2.imencode(".png", image)[1].tobytes())
            self.image.publish(CompressedImage(header=header, format="png", data=data))
        else:
            self.image.publish(c.image_to_msg(image, header))

    def ask(self, red, stamp_ns, **more):
        """Send until the status of this stamp comes back."""
        self.send(red, stamp_ns, **more)
        sent_s = time.monotonic()

        def answered():
            nonlocal sent_s
            if time.monotonic() - sent_s > 2.0:  # best effort may lose one
                self.send(red, stamp_ns, **more)
                sent_s = time.monotonic()
            return any(stamp_ns_of(s.header.stamp) == stamp_ns for s in self.heard["status"])

        self.wait(answered)
        return next(s for s in self.heard["status"] if stamp_ns_of(s.header.stamp) == stamp_ns)


def run_node(*parameters, namespace="/", remaps=(), stderr=None):
    arguments = [item for parameter in ("map:=fake", *parameters) for item in ("-p", parameter)]
    command = [sys.executable, str(FAKE), "--ros-args", "-r", f"__ns:={namespace}", *arguments]
    command += [item for remap in remaps for item in ("-r", remap)]
    return subprocess.Popen(command, stderr=stderr, text=True)


@contextmanager
def node_and_peer(namespace, *parameters):
    """A node in a process of its own and a peer beside it; both end with the block, also after a failure."""
    process = run_node(*parameters, namespace=namespace)
    peer = Peer(namespace=namespace)
    try:
        yield process, peer
    finally:
        peer.node.destroy_node()
        process.terminate()
        status = process.wait(20)
    assert status == 0
