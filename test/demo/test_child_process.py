"""Environment of the processes of this package."""

import os
from pathlib import Path

import pytest

from dsm_ros.demo.child_process import send_whole_images


@pytest.mark.parametrize(
    ("distro", "name"),
    [("jazzy", "FASTRTPS_DEFAULT_PROFILES_FILE"), ("kilted", "FASTDDS_DEFAULT_PROFILES_FILE")],
)
def test_images_get_our_profile_unless_another_is_chosen(monkeypatch, distro, name):
    monkeypatch.setenv("ROS_DISTRO", distro)
    monkeypatch.setenv(name, "robot.xml")
    send_whole_images()
    assert os.environ[name] == "robot.xml"
    monkeypatch.delenv(name)
    send_whole_images()
    assert "segment_size" in Path(os.environ[name]).read_text()
