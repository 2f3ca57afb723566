import json

import numpy as np
import pytest
from robot_bag import Robot, write

ROBOT = Robot(spec="rooms:7/frames=300,size=96x72", images=6)


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    late = ROBOT.map_tf()[4:]  # the first images are taken before map -> odom is known
    messages = [m for m in ROBOT.everything() if m[1] != "/tf"] + ROBOT.odometry_tf() + late
    return write(tmp_path_factory.mktemp("bags") / "robot", messages)


def test_inspect_shows_what_is_read_and_what_is_missing(dsm, bag, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    done = dsm("inspect", bag)
    assert done.status == 0, done.err
    for words in ("/camera/color/image_raw", "aligned", "map ->", "5 of 6 frames have depth and pose"):
        assert words in done.out
    assert "1 of 6: no pose: the image was taken before the first map -> odom" in done.out


def test_inspect_gives_the_same_as_json(dsm, bag):
    figures = json.loads(dsm("inspect", bag, "--json", "-").out)
    assert [part["what"] for part in figures["parts"]] == ["image", "camera", "depth", "poses"]
    assert (figures["frames"], figures["complete"]) == (6, 5)
    assert figures["missing"] == {"no pose: the image was taken before the first map -> odom": 1}


def test_inspect_follows_the_options(dsm, bag):
    assert "'odom'" in dsm("inspect", bag, "--pose", "/odom").out
    refused = dsm("inspect", bag, "--depth", "/camera/nowhere")
    assert refused.status == 2
    assert "topics for --depth: /camera/aligned_depth_to_color/image_raw" in refused.err


@pytest.mark.parametrize("option", ["--pose", "--depth", "--image", "--world-frame"])
def test_options_of_bags_are_refused_for_other_layouts(dsm, tmp_path, option):
    refused = dsm("map", "build", "rooms:7/size=96x72,frames=4", tmp_path / "map", option, "/x")
    assert refused.status == 2
    assert option in refused.err


def test_build_counts_what_it_leaves_out(dsm, bag, tmp_path):
    done = dsm("map", "build", bag, tmp_path / "map")
    assert done.status == 0, done.err
    assert "5 keyframes added from 6 frames" in done.out
    assert "left out: 1 no pose: the image was taken before the first map -> odom" in done.out


def test_a_recording_without_depth_and_poses_is_localized_but_makes_no_map(dsm, tmp_path):
    images_only = write(tmp_path / "images", ROBOT.colour())
    assert dsm("map", "build", "rooms:7/size=96x72,frames=30", tmp_path / "map", "--frames", "::6").status == 0
    done = dsm("localize", tmp_path / "map", images_only, "--out", tmp_path / "poses.tum")
    assert done.status == 0, done.err
    assert "of 6 frames localized" in done.err
    refused = dsm("map", "build", images_only, tmp_path / "other")
    assert refused.status == 2
    assert "6 of 6 frames cannot be used: 6 no depth: no depth topic was recorded" in refused.err
    assert not (tmp_path / "other").exists()


def test_evaluate_scores_the_frames_with_truth_and_counts_the_others(dsm, bag, tmp_path):
    assert dsm("map", "build", bag, tmp_path / "map").status == 0
    done = dsm("evaluate", tmp_path / "map", bag, "--json", "-")
    assert done.status == 0, done.err
    figures = json.loads(done.out)
    assert (figures["n"], figures["n_without_truth"]) == (5, 1)
    assert 0 <= figures["n_without_truth_localized"] <= 1
    assert np.isfinite(figures["frames_per_second"])


def test_evaluate_without_any_truth_says_what_is_missing(dsm, bag, tmp_path):
    assert dsm("map", "build", bag, tmp_path / "map").status == 0
    refused = dsm("evaluate", tmp_path / "map", write(tmp_path / "images", ROBOT.colour()))
    assert refused.status == 2
    assert "none of 6 frames of images has a true pose (no pose: no /tf, odometry or pose topic" in refused.err
