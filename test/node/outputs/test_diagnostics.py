import re
from dataclasses import replace
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from fake_relocalizer import load
from reports import FAILED, FOUND

from dsm_ros.localization.result import NotLocalized, Reason
from dsm_ros.node.images.frame_report import FaultCounts
from dsm_ros.node.outputs.activity import Activity
from dsm_ros.node.outputs.diagnostics import NodeHealth, image_input, loaded_map, localization, transforms
from dsm_ros.node.parameters.node_parameters import NodeParameters

TROUBLESHOOTING = Path(__file__).resolve().parents[3] / "docs" / "troubleshooting.md"
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def receive(activity, now_s, dropped):
    """Count 30 images within the second before a time, of which one is localized and some are dropped."""
    counts = activity.restart()
    activity.sample(now_s - 1.0)
    for image in range(30):
        counts.count_received(replaces_another=image < dropped)
    activity.add(FOUND)
    activity.sample(now_s)


@pytest.fixture
def health(monkeypatch):
    """A node that tracks, and has received its last image just now."""
    monkeypatch.setattr("time.monotonic", lambda: 0.1)
    activity = Activity()
    receive(activity, 1.0, dropped=3)
    return NodeHealth(
        activity, FaultCounts(images_unreadable=2), False, 0.0, load(NodeParameters(), "fake", None), True
    )


def lacking(health, reason):
    health.activity.add(replace(FAILED, result=NotLocalized(reason, "the reason")))
    return health


def test_a_node_that_tracks_is_well(health):
    findings = [image_input(health), localization(health), transforms(health), loaded_map(health)]
    assert [finding.level for finding in findings] == [OK] * 4
    assert findings[0].values["images per second"] == "30.0"
    assert findings[0].values["images unreadable"] == 2
    assert findings[1].values["latency ms"] == "100"
    assert findings[2].values["publish_tf"] == "true"
    assert findings[3].values["keyframes"] == 2


def test_the_page_has_a_row_for_each_count_of_faulty_images(health):
    table = TROUBLESHOOTING.read_text().partition("\n## Counts of faulty images")[2]
    assert set(re.findall(r"^\| `([\w ]+)` \|", table, re.MULTILINE)) == {
        key for key in image_input(health).values if key.startswith(("images ", "timestamp "))
    } - {"images per second"}


def test_what_makes_localization_impossible_is_an_error(health):
    assert image_input(lacking(health, Reason.NO_CAMERA_INFO)).level == ERROR
    assert image_input(health).message == "the reason"
    assert transforms(lacking(health, Reason.NO_TF)).level == ERROR
    assert loaded_map(replace(health, loaded=None)).level == ERROR


def test_a_transform_that_is_not_sent_is_an_error_of_the_transforms_alone(health):
    health.activity.add(replace(FOUND, tf_problem="map -> odom is not sent: ..."))
    assert transforms(health).level == ERROR
    assert (localization(health).level, localization(health).message) == (OK, "tracking")


def test_images_that_cannot_be_read_are_an_error_of_the_input(health):
    assert image_input(lacking(health, Reason.UNREADABLE_IMAGE)).level == ERROR


def test_cameras_of_a_rig_that_are_left_out_are_named(health):
    health.activity.add(replace(FOUND, left_out=("left: no image", "right: no camera_info")))
    assert (image_input(health).level, image_input(health).message) == (WARN, "left: no image; right: no camera_info")


def test_both_tasks_name_the_same_time_without_an_image(health):
    silent = replace(lacking(health, Reason.STALE_IMAGES), silent_s=3.04)
    assert image_input(silent).message == "no image for 3.0 s"
    assert localization(silent).message == "lost: no image for 3.0 s"


def test_internal_errors_are_an_error_and_a_warning_while_other_images_give_poses(health):
    assert localization(lacking(health, Reason.INTERNAL_ERROR)).level == ERROR
    assert health.activity.counts.failed == 1
    health.activity.add(FOUND)
    health.activity.sample(2.0)
    assert (localization(health).level, "failed images: 1" in localization(health).message) == (WARN, True)


def test_what_degrades_localization_is_a_warning(health, monkeypatch):
    receive(health.activity, 2.0, dropped=27)
    assert "90%" in image_input(health).message
    assert image_input(replace(health, silent_s=3.0)).message == "no image for 3.0 s"
    monkeypatch.setattr("time.monotonic", lambda: 3.0)
    for _ in range(3):
        health.activity.add(FOUND)
    assert localization(health).message == "tracking, but each pose is 3.0 s late"
    assert localization(lacking(health, Reason.TOO_FEW_INLIERS)).message == "lost: the reason"
    assert [image_input(health).level, localization(health).level] == [WARN, WARN]


def test_an_idle_node_is_well(health):
    idle = replace(lacking(health, Reason.STALE_IMAGES), is_idle=True, silent_s=100.0)
    assert [image_input(idle).level, localization(idle).level] == [OK, OK]


def test_without_publish_tf_nothing_is_broadcast(health):
    assert "publish_tf" in transforms(replace(health, broadcasts=False)).message
