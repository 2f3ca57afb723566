import math

import numpy as np
import pytest
from std_msgs.msg import Header

from dsm_ros.localization.tracker import Hint
from dsm_ros.node.interface.conversions import pose_to_msg
from dsm_ros.node.tf.base_frame import BODY_T_OPTICAL, MAX_RADIUS_M, BaseFrame
from dsm_ros.node.tf.transform_buffer import TransformBuffer

MIN_RADIUS_M = 2.0


@pytest.fixture
def base():
    return BaseFrame(TransformBuffer(), "", 0.0)


def hint(base, x_m=0.0, variance=0.0, frame="map"):
    pose = np.eye(4)
    pose[0, 3] = x_m
    message = pose_to_msg(pose, np.diag([variance] * 6), Header(frame_id=frame))
    return base.hint(message, "map", "camera", MIN_RADIUS_M)


@pytest.mark.parametrize(
    ("variance", "radius_m"),
    [(0.0, MIN_RADIUS_M), (4.0, 6.0), (-1.0, MIN_RADIUS_M), (1e300, MAX_RADIUS_M), (math.inf, MAX_RADIUS_M)],
)
def test_the_radius_is_three_standard_deviations_within_limits(base, variance, radius_m):
    made = hint(base, variance=variance)
    assert isinstance(made, Hint)
    assert made.radius_m == radius_m
    assert made.map_T_camera == pytest.approx(BODY_T_OPTICAL)


def test_a_hint_of_nonsense_is_refused_with_the_reason(base):
    assert "NaN" in hint(base, variance=math.nan)
    assert "1e+308 m" in hint(base, x_m=1e308)
    assert "is not in the tree" in hint(base, frame="nowhere")
