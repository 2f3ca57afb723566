"""The RViz configuration shows the topics that the node has, with the durability that it offers."""

from pathlib import Path

from ruamel.yaml import YAML

CONFIG = Path(__file__).resolve().parents[1] / "config"


def test_rviz_shows_the_nodes_topics():
    config = YAML(typ="safe").load(CONFIG / "dsm.rviz")["Visualization Manager"]
    assert config["Global Options"]["Fixed Frame"] == "map"
    topics = {d["Topic"]["Value"]: d["Topic"]["Durability Policy"] for d in config["Displays"] if "Topic" in d}
    assert topics["/relocalizer/map_points"] == "Transient Local"
    assert {"/relocalizer/scene_coordinates", "/relocalizer/pose", "/image"} <= topics.keys()
