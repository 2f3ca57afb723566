"""Frames of the demo's map and of its images."""

from dsm_ros.demo.run import MIN_FRAMES, make_plan


def test_the_shortest_sequence_has_a_keyframe_and_an_image():
    plan = make_plan(f"rooms:7/frames={MIN_FRAMES},size=64x48")
    assert (list(plan.map_frames), list(plan.query_frames)) == ([0], [MIN_FRAMES - 1])
