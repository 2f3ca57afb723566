import copy

import numpy as np
import pytest

from dsm_ros.localization.dense_coordinates import OnDemand
from dsm_ros.localization.result import SceneCoordinates


def test_coordinates_on_demand_are_computed_once_and_only_when_read():
    calls = []

    def compute():
        calls.append(1)
        return SceneCoordinates(np.ones((2, 3, 3)), np.ones((2, 3)), np.ones((2, 3, 2)), np.ones((2, 3, 3)))

    coordinates = OnDemand(compute)
    assert not calls
    assert coordinates.coords_HW3.shape == (2, 3, 3)
    assert coordinates.pixels_HW2.shape == (2, 3, 2)
    assert len(calls) == 1
    with pytest.raises(AttributeError, match="nothing"):
        _ = coordinates.nothing
    assert copy.copy(coordinates).confidence_HW is coordinates.confidence_HW
