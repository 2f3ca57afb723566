"""A profile tells what was computed and how long nothing was."""

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.evaluation.device_profile import profile_frames
from dsm_ros.localization.localizer import Localizer
from dsm_ros.scene_map.scene_map import SceneMap


def test_a_profile_names_operations_gaps_and_copies(room_map, network):
    room = open_rooms("rooms:7")
    localizer = Localizer(SceneMap.open(room_map, network.model_hash), network)
    text = profile_frames(localizer, [room[5], room[6]])
    assert text.startswith("2 frames; per frame: ")
    assert "idle share 0." in text
    assert "gaps up to 10 us: " in text
    assert "Memcpy: 0.0 per frame" in text
    assert "aten::topk" in text
