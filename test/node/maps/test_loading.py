"""Loading of the node, with the real network and a real map."""

from dataclasses import replace

from dsm_ros.node.maps.loading import load
from dsm_ros.node.parameters.node_parameters import NodeParameters


def test_another_map_is_loaded_beside_the_network_in_use(room_map):
    values = NodeParameters(map_points=100)
    first = load(values, room_map, None)
    released = []
    second = load(values, room_map, replace(first, release_features=lambda: released.append(True)))
    assert released
    assert second.network is first.network
    assert second.localizer is not first.localizer
    assert len(second.points_N3) == len(first.points_N3) > 0
    assert len(second.map_T_keyframes_N44) == len(first.map_T_keyframes_N44) > 0
