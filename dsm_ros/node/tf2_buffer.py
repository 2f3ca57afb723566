"""tf2's own buffer behind the interface of ours; imported only where tf2_ros is installed."""

from __future__ import annotations

from rclpy.time import Time
from std_msgs.msg import Header
from tf2_ros import Buffer, TransformException

from dsm_ros.messages.pose import transform_from_msg
from dsm_ros.geometry.pose import Pose44
from dsm_ros.node.conversions import stamp_msg, transform_to_msg
from dsm_ros.node.transform_buffer import Missing, TransformStore


class Tf2Buffer(TransformStore):
    """A tf2_ros.Buffer; waiting is ours, because tf2's polls every 20 ms."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = Buffer()

    def _insert(self, parent: str, child: str, stamp_ns: int | None, parent_T_child: Pose44) -> None:
        header = Header(stamp=stamp_msg(stamp_ns or 0), frame_id=parent)
        message = transform_to_msg(parent_T_child, header, child)
        take_up = self._buffer.set_transform_static if stamp_ns is None else self._buffer.set_transform
        take_up(message, "dsm_ros")

    def _find(self, target: str, source: str, stamp_ns: int | None) -> Pose44 | Missing:
        time = Time(nanoseconds=0 if stamp_ns is None else max(stamp_ns, 1))  # tf2 takes 0 for the newest
        try:
            return transform_from_msg(self._buffer.lookup_transform(target, source, time))
        except TransformException as error:
            return Missing(str(error).rstrip(". "))

    def _forget(self) -> None:
        self._buffer.clear()
