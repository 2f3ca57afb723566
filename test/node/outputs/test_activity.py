import time
from dataclasses import replace

import pytest
from reports import FAILED, FOUND

from dsm_ros.node.outputs.activity import SAMPLES, Activity, Rates


def test_rates_are_those_of_the_last_seconds():
    activity = Activity()
    counts = activity.restart()
    for second in range(10):
        activity.sample(100.0 + second)
        received, dropped = (20, 0) if second < 5 else (10, 5)
        for i in range(received):
            counts.count_received(replaces_another=i < dropped)
        activity.add(FOUND)
    activity.sample(110.0)
    assert activity.rates == Rates(pytest.approx(10.0), pytest.approx(1.0), pytest.approx(0.5))
    assert activity.localized == 10


def test_an_image_that_fails_before_the_first_sample_counts_for_some_seconds():
    activity = Activity()
    activity.restart().count_failed()
    failed = []
    for second in range(SAMPLES + 1):
        activity.sample(100.0 + second)
        failed.append(activity.rates.failed)
    assert failed == [0, *[1] * (SAMPLES - 2), 0, 0]


def test_a_restart_forgets():
    activity = Activity()
    activity.add(FOUND)
    activity.sample(1.0)
    activity.restart()
    assert (activity.localized, activity.rates, activity.latency_ms) == (0, Rates(), 0.0)


def test_a_pose_of_the_camera_without_a_pose_of_the_base_is_not_localized():
    activity = Activity()
    activity.add(replace(FOUND, pose=None))
    assert activity.localized == 0


def test_the_latency_is_a_median(monkeypatch):
    activity = Activity()
    monkeypatch.setattr(time, "monotonic", lambda: 0.2)
    activity.add(FOUND)
    activity.add(FAILED)
    monkeypatch.setattr(time, "monotonic", lambda: 9.0)
    activity.add(FAILED)
    assert activity.latency_ms == pytest.approx(200.0)
