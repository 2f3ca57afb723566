"""An animation needs localized frames."""

import numpy as np
import pytest

from dsm_ros.demo.animation import save_animation
from dsm_ros.demo.report import Summary
from dsm_ros.errors import DsmError


def test_without_a_localized_frame_there_is_no_animation(tmp_path):
    nothing = Summary([], np.empty((0, 3)), {})
    with pytest.raises(DsmError, match="no frame is localized"):
        save_animation(nothing, None, None, None, tmp_path / "demo.webp", lambda done, total: None)
    assert not list(tmp_path.iterdir())
