import pytest

from dsm_ros.node.parameters.name_checks import cameras_problem, frame_problem, map_roots_problem, topic_problem


@pytest.mark.parametrize("cameras", ["", "  ", "front", "front, left", "/robot/front,left", "~/front", "front/left"])
def test_names_of_cameras_that_work(cameras):
    assert cameras_problem(cameras) == ""


@pytest.mark.parametrize(
    ("cameras", "words"),
    [
        ("front cam", "'front cam' cannot be the prefix of a topic"),
        ("front,left-eye", "'left-eye' cannot"),
        ("front,2nd", "'2nd' cannot"),
        ("front/", "'front/' cannot"),
        ("{side}", "'{side}' cannot"),
        ("front,,left", "empty"),
        ("front,", "empty"),
        ("front, left, front", "'front' occurs twice"),
    ],
)
def test_names_of_cameras_that_cannot_work(cameras, words):
    assert words in cameras_problem(cameras)
    assert "\n" not in cameras_problem(cameras)


def test_folders_of_maps():
    assert [map_roots_problem(roots) for roots in ("", " ", "/maps", "/maps, s3://robots/maps", ".")] == [""] * 5
    for roots in ("/maps,", " , ", ",", "/maps,,/data"):
        assert "is empty" in map_roots_problem(roots)


def test_topics():
    assert [topic_problem(topic) for topic in ("", "odometry/filtered", "/slam/pose")] == ["", "", ""]
    assert all("not a topic name" in topic_problem(topic) for topic in ("slam pose", "pose/", "/1/pose", "a//b", " "))


def test_frames():
    assert [frame_problem(frame) for frame in ("", "base_link", "robot1/base_link", "base-link")] == [""] * 4
    assert "write 'base_link'" in frame_problem("/base_link")
    assert "write 'odom'" in frame_problem("odom ")
