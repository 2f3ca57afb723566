import rclpy

from dsm_ros.node.interface import fault_log
from dsm_ros.node.interface.fault_log import FaultLog


def test_each_kind_is_repeated_after_a_while_and_hides_no_other(ros, capfd, monkeypatch):
    node = rclpy.create_node("faulty")
    faults = FaultLog(node)
    for _ in range(3):
        faults.warn(("left", "no_camera_info"), "left: no camera_info")
        faults.error("right", "right: broken")
    assert capfd.readouterr().err.count("no camera_info") == 1
    monkeypatch.setattr(fault_log, "PERIOD_S", 0.0)
    faults.warn(("left", "no_camera_info"), "left: no camera_info")
    faults.error("right", "right: broken")
    err = capfd.readouterr().err
    node.destroy_node()
    assert (err.count("no camera_info"), err.count("right: broken")) == (1, 1)


def test_a_warning_at_once_is_logged_and_delays_the_next_of_its_kind(ros, capfd):
    node = rclpy.create_node("faulty")
    faults = FaultLog(node)
    for _ in range(2):
        faults.warn("left", "left: broken")
        faults.warn_at_once("left", "lost, left: broken")
    node.destroy_node()
    said = [line.partition("]: ")[2] for line in capfd.readouterr().err.splitlines()]
    assert said == ["left: broken", "lost, left: broken", "lost, left: broken"]
