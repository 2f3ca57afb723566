"""Transform buffer of tf2 behind the interface TransformStore; imported only where tf2_ros is installed."""

from __future__ import annotations

import numpy as np
from rclpy.time import Time
from std_msgs.msg import Header
from tf2_ros import Buffer, ExtrapolationException, LookupException, TransformException

from dsm_ros.geometry.pose import Pose44
from dsm_ros.geometry.trajectory import Absence, Missing
from dsm_ros.geometry.transform_tree import bare, checked_link
from dsm_ros.messages.pose import stamp_ns_of, transform_from_msg
from dsm_ros.node.interface.conversions import stamp_msg, transform_to_msg
from dsm_ros.node.tf.transform_buffer import TransformStore


class Tf2Buffer(TransformStore):
    """A tf2_ros.Buffer. Waiting is that of TransformStore, because tf2 polls every 20 ms."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = Buffer()

    def _insert(self, parent: str, child: str, stamp_ns: int | None, parent_T_child: Pose44) -> None:
        parent, child = checked_link(parent, child, parent_T_child)
        header = Header(stamp=stamp_msg(stamp_ns or 0), frame_id=parent)
        message = transform_to_msg(parent_T_child, header, child)
        take_up = self._buffer.set_transform_static if stamp_ns is None else self._buffer.set_transform
        take_up(message, "dsm_ros")

    def _find(self, target: str, source: str, stamp_ns: int | None) -> Pose44 | Missing:
        target, source = bare(target), bare(source)
        if target == source:
            return np.eye(4)
        time = Time(nanoseconds=0 if stamp_ns is None else max(stamp_ns, 1))  # tf2 returns the newest transform for 0
        try:
            return transform_from_msg(self._buffer.lookup_transform(target, source, time))
        except LookupException as error:
            return _missing(Absence.UNKNOWN_FRAME, f"{target}, {source}", error)
        except ExtrapolationException as error:
            return _missing(self._side(target, source, time), f"{target} -> {source}", error)
        except TransformException as error:
            return _missing(Absence.NOT_CONNECTED, f"{target}, {source}", error)

    def _side(self, target: str, source: str, time: Time) -> Absence:
        """Return whether a time is before or after the known transforms; tf2 says so only in its error message."""
        try:
            newest = self._buffer.lookup_transform(target, source, Time())
        except TransformException:
            return Absence.BEFORE_FIRST  # the transforms on the path have no common time yet
        return Absence.AFTER_LAST if time.nanoseconds > stamp_ns_of(newest.header.stamp) else Absence.BEFORE_FIRST

    def _forget(self) -> None:
        self._buffer.clear()


def _missing(why: Absence, where: str, error: TransformException) -> Missing:
    return Missing(why, where, str(error).rstrip(". "))
