"""Report of the benchmark on a node whose times are known, over real DDS."""

import time
from dataclasses import replace

import numpy as np
import pytest
from dds_peer import CAMERA, LOST, SLOW, run_node

from dsm_ros.datasets.frame import Frame
from dsm_ros.demo import ros_measurements as bench
from dsm_ros.demo.bench_camera import ANSWER_TIMEOUT_S, Sample, bench_camera
from dsm_ros.errors import DsmError

STARTUP_S = 30.0


def frame(red):
    return Frame("frame", 0, np.full((24, 32, 3), red, np.uint8), CAMERA, None, None)


@pytest.fixture(scope="module")
def camera():
    process = run_node()
    with bench_camera() as camera:
        assert camera.wait_for_node(STARTUP_S, lambda: process.poll() is None)
        yield camera
    process.terminate()
    process.wait(20)


@pytest.fixture
def sampled(camera):
    """Ask until an image gets through: best effort may lose one, and a leap is believed when it is seen twice."""

    def ask(red):
        sample = next(filter(None, (camera.ask(frame(red)) for _ in range(5))), None)
        assert sample, "five images without a pose"
        return sample

    return ask


def test_all_time_in_the_node_but_the_localizers_own_is_ros(sampled):
    quick = min((sampled(17) for _ in range(5)), key=lambda sample: sample.ros_ms)
    slow = sampled(SLOW)  # its localizer sleeps for 0.5 s and says 1 ms
    assert quick.localizer_ms == slow.localizer_ms == 1.0
    assert slow.ros_ms > 490
    assert quick.ros_ms < slow.ros_ms / 2
    assert 0 < quick.transport_ms < 450


def test_large_images_are_not_lost(camera):
    large = replace(frame(17), image_HW3=np.full((480, 640, 3), 17, np.uint8))
    camera.ask(large)  # the first may come too early
    start_s = time.monotonic()
    for _ in range(10):
        camera.ask(large)
    assert time.monotonic() - start_s < ANSWER_TIMEOUT_S  # a lost one would have been waited for


def test_an_image_without_a_pose_is_no_sample(camera):
    assert camera.ask(frame(LOST)) is None


def test_with_the_cloud_an_answer_waits_for_it(camera, sampled):
    camera.listen_to_cloud()
    assert sampled(18).transport_ms > 0


def test_a_node_that_dies_is_not_waited_for():
    with bench_camera() as camera:
        assert not camera.wait_for_node(STARTUP_S, lambda: False)


def test_rows_carry_the_limits():
    alone = [Sample(100.0, ros_ms, 2.0) for ros_ms in (3.0, 4.0, 5.0)]
    rows = bench.summarise(alone, [replace(sample, ros_ms=8.0) for sample in alone])
    assert [(row.median_ms, row.limit_ms) for row in rows[:2]] == [(4.0, 5.0), (8.0, 10.0)]
    assert [row.limit_ms for row in rows[2:]] == [None, None, None]
    assert rows[-1].median_ms == 100.0


def test_too_few_answers_are_no_measurement():
    class DeafCamera:
        def ask(self, frame):
            return None

    with pytest.raises(DsmError, match="0 of 40"):
        bench.measure(DeafCamera(), [frame(1), frame(2), frame(3)], "nothing")
