"""Log lines about images: one for each change of the state, one for each fault."""

from dataclasses import replace

import pytest
import rclpy
from reports import FAILED, FOUND

from dsm_ros.localization.result import NotLocalized, Reason
from dsm_ros.localization.tracker import State
from dsm_ros.node.interface import fault_log
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.outputs.activity import Activity
from dsm_ros.node.outputs.outputs import Outputs

UNREADABLE = replace(FAILED, result=NotLocalized(Reason.UNREADABLE_IMAGE, "the image is truncated"))


@pytest.fixture
def said(ros, capfd):
    """A function that publishes reports, and returns what the log says about them."""
    node = rclpy.create_node("reporting", namespace="/reporting")
    scope = NodeScope(node)
    outputs = Outputs(scope, Activity())

    def publish(*reports):
        for report in reports:
            outputs.publish(report)
        return [line.partition("]: ")[2] for line in capfd.readouterr().err.splitlines()]

    yield publish
    scope.close()
    node.destroy_node()


def test_each_change_of_the_state_is_logged_once(said):
    assert said(FOUND, FOUND, FAILED, FAILED, FOUND) == ["tracking", "lost: 7 of 9", "tracking"]


def test_a_fault_that_changes_the_state_is_logged_once(said):
    assert said(FOUND, UNREADABLE, UNREADABLE) == ["tracking", "lost: the image is truncated"]
    assert said(FOUND, UNREADABLE) == ["tracking", "lost: the image is truncated"]


def test_a_fault_that_lasts_is_repeated_after_a_while(said, monkeypatch):
    searching = replace(UNREADABLE, state=State.SEARCHING)
    assert said(searching) == ["searching: the image is truncated"]
    monkeypatch.setattr(fault_log, "PERIOD_S", 0.0)
    assert said(searching) == ["the image is truncated"]


def test_a_fault_without_a_change_of_the_state_is_logged(said):
    assert said(FAILED, UNREADABLE, UNREADABLE) == ["lost: 7 of 9", "the image is truncated"]
