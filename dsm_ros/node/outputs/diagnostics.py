"""Diagnostics of the node on /diagnostics: image input, localization, transforms and map."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from dsm_ros.localization.result import Reason
from dsm_ros.localization.tracker import State
from dsm_ros.node.images.frame_report import FaultCounts
from dsm_ros.node.interface.node_scope import NO_CLOCK, NodeScope
from dsm_ros.node.interface.topics import DIAGNOSTICS
from dsm_ros.node.maps.loading import NO_MAP, Loaded
from dsm_ros.node.outputs.activity import Activity

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
MAX_DROPPED_RATIO, MAX_LATENCY_MS = 0.5, 1000.0
IDLE = "idle, because no request for a pose is open"


@dataclass(frozen=True)
class NodeHealth:
    """State of the node that its diagnostics describe.

    is_idle: whether no image is wanted. silent_s: time without an image; 0 while images arrive. loaded: None without a
    map. broadcasts: whether transforms are sent. has_time: whether the clock of ROS has a time.
    """

    activity: Activity
    faults: FaultCounts
    is_idle: bool
    silent_s: float
    loaded: Loaded | None
    broadcasts: bool
    has_time: bool = True


@dataclass(frozen=True)
class Finding:
    """Level, message and values of one diagnostic task."""

    level: bytes
    message: str
    values: dict[str, Any]


class Diagnostics:
    """Publishes diagnostics, whose names begin with the full name of the node, until the scope is closed.

    The scope exists as long as the node, so that monitors can tell an inactive node from a node that has ended.
    """

    def __init__(self, scope: NodeScope):
        self._node, self._publisher = scope.node, scope.publisher(DIAGNOSTICS)

    def publish(self, health: NodeHealth) -> None:
        """Publish the diagnostics of an active node."""
        self._publish({task: describe(health) for task, describe in TASKS.items()})

    def publish_inactive(self, state: str) -> None:
        """Publish the state of a node that is not active, for example inactive."""
        self._publish(dict.fromkeys(TASKS, Finding(WARN, f"the node is {state}", {})))

    def _publish(self, findings: dict[str, Finding]) -> None:
        header = Header(stamp=self._node.get_clock().now().to_msg())
        status = [self._status(task, finding) for task, finding in findings.items()]
        self._publisher.publish(DiagnosticArray(header=header, status=status))

    def _status(self, task: str, finding: Finding) -> DiagnosticStatus:
        name = self._node.get_fully_qualified_name()
        values = [KeyValue(key=key, value=str(value)) for key, value in finding.values.items()]
        return DiagnosticStatus(
            level=finding.level, name=f"{name}: {task}", hardware_id=name, message=finding.message, values=values
        )


def image_input(health: NodeHealth) -> Finding:
    """Return whether images arrive, with their calibration, and not faster than they are localized."""
    activity, rates, last = health.activity, health.activity.rates, health.activity.last
    values = {
        "images per second": f"{rates.images_hz:.1f}",
        "dropped %": f"{rates.dropped_ratio * 100:.0f}",
        "frames received": activity.counts.received,
        "frames dropped": activity.counts.dropped,
        "frames failed": activity.counts.failed,
        **{name.replace("_", " "): count for name, count in asdict(health.faults).items()},
    }
    if health.is_idle:
        return Finding(OK, IDLE, values)
    if last and last.reason in (Reason.NO_CAMERA_INFO, Reason.UNREADABLE_IMAGE):
        return Finding(ERROR, last.detail, values)
    if not health.has_time:
        return Finding(WARN, NO_CLOCK, values)
    if health.silent_s:
        return Finding(WARN, f"no image for {health.silent_s:.1f} s", values)
    if last and last.left_out:
        return Finding(WARN, "; ".join(last.left_out), values)
    if rates.dropped_ratio > MAX_DROPPED_RATIO:
        return Finding(WARN, f"{rates.dropped_ratio:.0%} of the images are dropped: localization is too slow", values)
    return Finding(OK, f"{rates.images_hz:.1f} images per second", values)


def localization(health: NodeHealth) -> Finding:
    """Return whether images give poses, without delay."""
    activity, last = health.activity, health.activity.last
    values = {
        "poses per second": f"{activity.rates.poses_hz:.1f}",
        "latency ms": f"{activity.latency_ms:.0f}",
        "frames localized": activity.localized,
        "state": str(last.state if last else State.SEARCHING),
        "reason": last.reason if last else "",
        "confidence": f"{last.result.support.confidence if last else 0:.2f}",
        "inliers": last.result.support.inliers if last else 0,
    }
    if health.is_idle:
        return Finding(OK, IDLE, values)
    if last is None:
        return Finding(WARN, "searching: no image yet", values)
    if health.silent_s:
        return Finding(WARN, f"{last.state}: no image for {health.silent_s:.1f} s", values)
    if last.state is not State.TRACKING:
        return Finding(ERROR if last.reason == Reason.INTERNAL_ERROR else WARN, last.state_text, values)
    if failed := activity.rates.failed:
        return Finding(WARN, f"{last.state}, but failed images: {failed}; the log has the traceback", values)
    if activity.latency_ms > MAX_LATENCY_MS:
        return Finding(WARN, f"tracking, but each pose is {activity.latency_ms / 1e3:.1f} s late", values)
    return Finding(OK, str(last.state), values)


def transforms(health: NodeHealth) -> Finding:
    """Return whether the transforms that are needed exist, and whether the node broadcasts its own."""
    last = health.activity.last
    values = {
        "publish_tf": str(health.broadcasts).lower(),
        "jump m": f"{last.jump.distance_m:.3f}" if last and last.jump else "",
    }
    if last and last.reason == Reason.NO_TF:
        return Finding(ERROR, last.detail, values)
    if not health.broadcasts:
        return Finding(OK, "nothing is broadcast, because publish_tf is false", values)
    return Finding(OK, "no transform is missing", values)


def loaded_map(health: NodeHealth) -> Finding:
    """Return whether a map is loaded."""
    if health.loaded is None:
        return Finding(ERROR, NO_MAP, {"keyframes": 0})
    count = len(health.loaded.map_T_keyframes_N44)
    return Finding(OK, f"{count} keyframes", {"keyframes": count, "frame": health.loaded.map_frame})


TASKS = {"input": image_input, "localization": localization, "transforms": transforms, "map": loaded_map}
