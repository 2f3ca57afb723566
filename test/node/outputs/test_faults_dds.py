"""Faults that leave no pose: status, diagnostics and log name each of them, over real DDS."""

import itertools
from contextlib import contextmanager

import numpy as np
import pytest
from dds_peer import BROKEN, CAMERA, Peer, run_node
from diagnostic_msgs.msg import DiagnosticStatus
from dsm_ros.msg import RelocalizationStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.geometry.pose import make_pose
from dsm_ros.node.interface import conversions as c
from dsm_ros.node.interface.topics import LATCHED

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
ROLLED_90_DEG = make_pose([[1, 0, 0], [0, 0, -1], [0, 1, 0]], [0, 0, 0])


class Robot(Peer):
    """A camera whose images are 100 ms apart, and a listener that also reads the log of the node."""

    def __init__(self, namespace, log_file):
        super().__init__(namespace=namespace)
        self.namespace = namespace
        self.heard["camera_pose"] = []
        self.listen(PoseWithCovarianceStamped, "relocalizer/camera_pose", "camera_pose")
        self.static = self.node.create_publisher(TFMessage, "/tf_static", LATCHED)
        self.stamps_ns = itertools.count(1_000_000_000, 100_000_000)
        self.log_file = log_file

    def log(self):
        return self.log_file.read_text()

    def place(self, parent, child, pose):
        message = c.transform_to_msg(pose, Header(frame_id=parent), child)
        self.static.publish(TFMessage(transforms=[message]))

    def see(self, red=20):
        return self.ask(red, next(self.stamps_ns))

    def see_until(self, condition, red=20):
        """Send images until a status is as expected; return it."""
        self.wait(lambda: condition(self.see(red)))
        return self.heard["status"][-1]

    def report(self, task):
        """Level and message of a task of the diagnostics that come next."""
        name = f"{self.namespace}/relocalizer: {task}"  # nodes of other tests may still send diagnostics
        self.heard["diagnostics"].clear()
        self.wait(lambda: self.heard["diagnostics"] and name in self._tasks())
        return self._tasks()[name]

    def expect(self, task, level, text):
        """Wait for diagnostics of a task with a level and a text; a busy machine is late."""
        found = None, ""

        def reported():
            nonlocal found
            found = self.report(task)
            return found[0] == level and text in found[1]

        try:
            self.wait(reported)
        except AssertionError as error:
            raise AssertionError(f"{task} is {found}, not {level} with '{text}'") from error

    def expect_tracking(self):
        """Send images until the diagnostics say that all is well."""

        def tracks():
            self.see()
            return self.report("localization") == (OK, "tracking")

        self.wait(tracks)

    def _tasks(self):
        return {status.name: (status.level, status.message) for status in self.heard["diagnostics"][-1].status}


@pytest.fixture
def robot(ros, tmp_path):
    """A function that starts a node and a robot beside it, in a namespace of their own."""

    @contextmanager
    def run(namespace, *parameters):
        with (tmp_path / "log").open("w") as log:
            process = run_node(*parameters, namespace=namespace, stderr=log)
            robot = Robot(namespace, tmp_path / "log")
            try:
                yield robot
            finally:  # what stays would disturb the next tests
                robot.node.destroy_node()
                process.terminate()
                status = process.wait(20)
            assert status == 0

    return run


def test_a_pose_that_is_not_level_is_nowhere_a_pose(robot):
    with robot("/tilted", "base_frame:=base_link", "two_d_mode:=true", "stale_after_s:=60.0") as robot:
        robot.connect()
        robot.place("base_link", "cam_optical", ROLLED_90_DEG)
        robot.see_until(lambda status: status.reason == "not_level")
        for _ in range(5):
            status = robot.see()
        assert (status.state, status.frames_localized) == (RelocalizationStatus.SEARCHING, 0)
        robot.expect("localization", WARN, "base_link is tilted by 90.0 degrees")
        assert robot.see().pose_rate_hz == 0
        assert not robot.heard["pose"] + robot.heard["camera_pose"]
        assert "base_link is tilted by 90.0 degrees" in robot.log()
        robot.place("base_link", "cam_optical", np.eye(4))
        assert robot.see_until(lambda status: not status.reason).state == RelocalizationStatus.TRACKING
        robot.expect_tracking()
        robot.place("base_link", "cam_optical", ROLLED_90_DEG)
        assert robot.see_until(lambda status: status.reason == "not_level").state == RelocalizationStatus.LOST


def test_a_base_frame_that_tf_does_not_have_is_no_pose(robot):
    with robot("/baseless", "base_frame:=base_link", "stale_after_s:=60.0") as robot:
        robot.connect()
        status = robot.see()
        assert (status.reason, status.state) == ("no_tf", RelocalizationStatus.SEARCHING)
        missing = "the transform from base_link to cam_optical is missing"
        robot.expect("localization", WARN, missing)
        robot.expect("transforms", ERROR, missing)
        assert robot.log().count(missing) == 1


def test_another_parent_is_named_in_the_log(robot):
    with robot("/parents", "stale_after_s:=60.0") as robot:
        robot.connect()
        robot.place("world", "cam_optical", np.eye(4))
        status = robot.see_until(lambda status: status.reason == "no_tf")
        assert status.state == RelocalizationStatus.TRACKING  # ~/pose does not need the transform
        robot.expect("transforms", ERROR, "world")
        robot.expect_tracking()
        assert "cam_optical already has the parent world" in robot.log()


def test_internal_errors_are_a_reason_and_an_error(robot):
    with robot("/broken", "stale_after_s:=60.0") as robot:
        robot.connect()
        assert robot.see().state == RelocalizationStatus.TRACKING
        status = robot.see(BROKEN)
        assert (status.state, status.reason) == (RelocalizationStatus.LOST, "internal_error")
        assert status.frames_failed == 1
        assert "broken on purpose" in status.detail
        robot.expect("localization", ERROR, "broken on purpose")
        assert "RuntimeError: broken on purpose" in robot.log()
        assert "Traceback" in robot.log()
        robot.see()
        robot.expect("localization", WARN, "tracking, but failed images: ")  # a lost image is sent again


def test_simulated_time_that_does_not_begin_is_named(robot):
    with robot("/clockless", "use_sim_time:=true") as robot:
        robot.connect()
        robot.expect("input", WARN, "/clock")
        assert "nothing arrives on /clock" in robot.log()


def test_each_faulty_camera_of_a_rig_is_named(robot):
    names = ("front", "left", "right")
    with robot("/rig", f"cameras:={','.join(names)}", "base_frame:=base_link", "stale_after_s:=60.0") as robot:
        images = {n: robot.node.create_publisher(Image, f"{n}/image", qos_profile_sensor_data) for n in names}
        infos = {n: robot.node.create_publisher(CameraInfo, f"{n}/camera_info", qos_profile_sensor_data) for n in names}
        robot.wait(lambda: all(p.get_subscription_count() for p in (*images.values(), *infos.values())))

        def look(calibrated):
            header = Header(stamp=c.stamp_msg(next(robot.stamps_ns)), frame_id="base_link")
            for name in ("front", "left"):
                if name in calibrated:
                    infos[name].publish(c.camera_to_msg(CAMERA, header))
                images[name].publish(c.image_to_msg(np.full((24, 32, 3), 20, np.uint8), header))

        def input_says(calibrated, level, *faults):
            look(calibrated)
            said, message = robot.report("input")
            return said == level and all(fault in message for fault in faults)

        left, right = "left: no camera_info has arrived", "right: no image"
        robot.wait(lambda: input_says([], ERROR, "front: no camera_info has arrived", left, right))
        robot.wait(lambda: input_says(["front"], WARN, left, right))
        robot.wait(lambda: left in robot.log() and right in robot.log())
