"""Checks whether a frame can be a keyframe."""

from __future__ import annotations

import numpy as np

from dsm_ros.datasets.frame import Frame
from dsm_ros.errors import SequenceError
from dsm_ros.scene_map.keyframe import MAX_DEPTH_M, pose_fault

DEPTH_RANGE_M = (0.05, 100.0)


def rejection_reasons(frame: Frame) -> tuple[str, ...]:
    """Return the reasons why a frame cannot be a keyframe; no reasons mean that the frame can be a keyframe.

    Raises SequenceError when the frame's depth is not in metres.
    """
    if frame.depth_HW is None or frame.map_T_camera is None:
        parts = {"no depth": frame.depth_HW, "no pose": frame.map_T_camera}
        return frame.missing or tuple(reason for reason, part in parts.items() if part is None)
    if fault := pose_fault(frame.map_T_camera):
        return (fault,)
    depth_N = frame.depth_HW[np.isfinite(frame.depth_HW) & (frame.depth_HW > 0)]
    if not depth_N.size:
        return ("its depth image has no pixel with known depth",)
    median_m = float(np.median(depth_N))
    if not DEPTH_RANGE_M[0] <= median_m <= DEPTH_RANGE_M[1]:
        advice = "check the units of the depth images"
        raise SequenceError(f"frame {frame.name}: median depth is {median_m:.3g} m; {advice}")
    return () if depth_N.min() < MAX_DEPTH_M else (f"all of its depth is beyond {MAX_DEPTH_M:g} m",)
