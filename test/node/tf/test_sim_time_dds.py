"""The node on a clock that others drive, in a file of its own: /clock jumps back and ahead while it tracks."""

import numpy as np
import pytest
from dds_peer import Peer, run_node
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.geometry.pose import make_pose
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.interface import conversions as c

S = 1_000_000_000
TOLERANCE_NS = S // 4
STEP_NS = S // 20


class Simulation(Peer):
    """A peer whose odometry and images are of simulated time."""

    def __init__(self):
        super().__init__()
        self.now_ns = 0
        self.clock = self.node.create_publisher(Clock, "/clock", 1)
        self.tf = self.node.create_publisher(TFMessage, "/tf", 100)
        self.connect()
        self.wait(lambda: self.clock.get_subscription_count() and self.tf.get_subscription_count() >= 2)

    def tick(self, now_ns):
        self.now_ns = now_ns
        self.clock.publish(Clock(clock=c.stamp_msg(now_ns)))

    def run_for(self, steps):
        """Let a number of steps pass and hear what is said in them."""
        left = iter(range(steps))
        self.run_until(lambda: next(left, None) is None)

    def run_until(self, condition):
        """Let simulated time pass until something is so."""

        def decided():
            self.tick(self.now_ns + STEP_NS)
            return condition()

        self.wait(decided)

    def move(self, x_m, from_ns):
        """Say where odometry was for 6 s: x grows by 1 m/s."""
        for i in range(61):
            header = Header(stamp=c.stamp_msg(from_ns + i * S // 10), frame_id="odom")
            odom_T_camera = make_pose(np.eye(3), [x_m + 0.1 * i, 0, 0])
            self.tf.publish(TFMessage(transforms=[c.transform_to_msg(odom_T_camera, header, "cam_optical")]))

    def corrections(self):
        """Stamp and x of what was said of map -> odom."""
        said = [t for m in self.heard["tf"] for t in m.transforms if t.child_frame_id == "odom"]
        return [(stamp_ns_of(t.header.stamp), t.transform.translation.x) for t in said]

    def localize(self, red, stamp_ns):
        """Ask until an image's transform is sent: odometry may still be on its way."""
        stamps_ns = iter(range(stamp_ns, stamp_ns + S // 10, S // 1000))
        self.wait(lambda: self.ask(red, next(stamps_ns)).reason == "")

    def expect(self, x_m):
        """Run until map -> odom is sent with this x and the present, a little ahead, as its stamp."""

        def sent():
            said_ns, said_m = self.corrections()[-1] if self.corrections() else (0, 0.0)
            return said_m == pytest.approx(x_m, abs=0.11) and abs(self.now_ns + TOLERANCE_NS - said_ns) < S

        self.run_until(sent)

    def track(self, now_ns):
        """Localize the camera at 0.3 m in the map, where odometry, all of it heard by then, sees it at 5.9 m."""
        self.tick(now_ns)
        self.move(0.0, now_ns - 6 * S)
        self.localize(30, now_ns - S // 10)
        self.expect(0.3 - 5.9)

    def time_jumps(self):
        """Run until the next diagnostics; return what they say of jumps."""
        self.heard["diagnostics"].clear()
        self.run_until(lambda: self.heard["diagnostics"])
        return int(self.diagnostics()["timestamp jumps"])


@pytest.fixture(scope="module")
def simulation(ros):
    process = run_node("odom_frame:=odom", "use_sim_time:=true", f"transform_tolerance_s:={TOLERANCE_NS / S}")
    simulation = Simulation()
    yield simulation
    simulation.node.destroy_node()
    process.terminate()
    assert process.wait(20) == 0


def test_without_a_clock_nothing_can_be_sent_and_the_reason_is_said(simulation):
    simulation.move(0.0, 8 * S)
    status = simulation.ask(30, 10 * S)
    assert status.reason == "no_tf"
    assert "/clock" in status.detail


def test_a_clock_that_jumps_back_forgets_odometry_and_fix_and_goes_on(simulation):
    simulation.track(100 * S)
    jumps = simulation.time_jumps()
    simulation.tick(97 * S)
    simulation.run_for(5)
    simulation.heard["tf"].clear()
    simulation.run_for(10)
    assert not simulation.corrections()
    simulation.move(20.0, 95 * S + S // 20)  # between the old samples, which would answer before these
    simulation.localize(40, 96 * S)
    simulation.expect(0.4 - 20.95)
    assert simulation.time_jumps() == jumps + 1


def test_a_clock_that_jumps_ahead_takes_the_last_fix_along_until_the_next(simulation):
    simulation.track(1000 * S)
    jumps = simulation.time_jumps()
    simulation.tick(2000 * S)
    simulation.expect(0.3 - 5.9)
    simulation.move(30.0, 2000 * S)
    simulation.localize(50, 2001 * S)
    simulation.expect(0.5 - 31.0)
    assert simulation.time_jumps() == jumps + 1
