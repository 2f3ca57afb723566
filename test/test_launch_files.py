"""Launch files compile anywhere; where launch is installed, what they would start is looked at."""

import ast
import importlib.util
from itertools import pairwise
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "launch").glob("*.launch.py"))
RELOCALIZER = ROOT / "launch" / "relocalizer.launch.py"
REPLAY = ROOT / "launch" / "replay.launch.py"


def assigned(path, name):
    """The expression that a launch file assigns to a name."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return node.value
    raise LookupError(name)


def load(path):
    pytest.importorskip("launch_ros")  # `launch` alone could be this project's folder
    spec = importlib.util.spec_from_file_location(path.name.split(".")[0], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def context_of(description, **given):
    """A launch context with the given arguments and the defaults of the others."""
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument

    context = LaunchContext()
    context.launch_configurations.update(given)
    for entity in description.entities:
        if isinstance(entity, DeclareLaunchArgument):
            entity.visit(context)
    return context


@pytest.fixture
def command(monkeypatch):
    """A function that gives the command line with which the node would be started."""
    actions = pytest.importorskip("launch_ros").actions
    from launch.actions import ExecuteLocal

    monkeypatch.setattr(ExecuteLocal, "execute", lambda self, context: self.prepare(context))

    def words_of(**given):
        module = load(RELOCALIZER)
        context = context_of(module.generate_launch_description(), **given)
        (node,) = module.relocalizer(context)
        actions.Node.execute(node, context)
        return node.process_details["cmd"]

    return words_of


def node_parameters(words):
    """The parameters that a command line gives; of two values the later one holds."""
    values = {}
    for flag, name in pairwise(words):
        if flag == "--params-file":
            for block in YAML(typ="safe").load(Path(name)).values():
                values.update(block["ros__parameters"])
    return values


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_launch_file_compiles_and_describes_its_arguments(path):
    compile(path.read_text(), str(path), "exec")
    arguments = assigned(path, "ARGUMENTS")
    names = [ast.literal_eval(key) for key in arguments.keys]
    assert len(set(names)) == len(names)
    assert all(ast.literal_eval(value.elts[1]).endswith(".") for value in arguments.values)


def test_mirrored_arguments_are_parameters_of_the_node():
    pytest.importorskip("rclpy")
    from dataclasses import fields

    from dsm_ros.node.parameters.node_parameters import NodeParameters

    mirrored = ast.literal_eval(assigned(RELOCALIZER, "PARAMETERS"))
    names = {ast.literal_eval(key) for key in assigned(RELOCALIZER, "ARGUMENTS").keys}
    assert set(mirrored) <= names
    assert set(mirrored) <= {item.name for item in fields(NodeParameters)}


def test_a_namespace_moves_every_topic_that_rviz_shows():
    config = YAML(typ="safe").load(ROOT / "config" / "dsm.rviz")["Visualization Manager"]
    topics = {display["Topic"]["Value"] for display in config["Displays"] if "Topic" in display}
    moved = {f"/relocalizer/{name}" for name in ast.literal_eval(assigned(RELOCALIZER, "RVIZ_TOPICS"))}
    assert moved == {topic for topic in topics if topic.startswith("/relocalizer/")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_launch_file_describes_a_launch(path):
    description = load(path).generate_launch_description()
    declared = {argument.name for argument in description.get_launch_arguments()}
    assert declared >= {ast.literal_eval(key) for key in assigned(path, "ARGUMENTS").keys}


def test_replay_takes_the_relocalizers_arguments_too():
    declared = {argument.name for argument in load(REPLAY).generate_launch_description().get_launch_arguments()}
    assert {"bag", "rate", "map", "image", "namespace", "rviz"} <= declared


def test_a_bag_is_played_by_a_process_that_holds_whole_images(monkeypatch):
    monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", "mine.xml")
    monkeypatch.delenv("FASTDDS_DEFAULT_PROFILES_FILE", raising=False)
    description = load(REPLAY).generate_launch_description()
    handlers = [entity.event_handler for entity in description.entities if hasattr(entity, "event_handler")]
    ((play,),) = [handler.entities for handler in handlers]
    play.process_description.prepare(context_of(description, bag="drive"), play)
    environment = play.process_description.final_env
    assert environment["FASTRTPS_DEFAULT_PROFILES_FILE"] == "mine.xml"
    assert Path(environment["FASTDDS_DEFAULT_PROFILES_FILE"]) == ROOT / "config" / "fastdds.xml"


def test_arguments_become_remaps_and_namespace(command):
    words = command(image="/cam/image", camera_info="/cam/info", initialpose="/hint", namespace="robot")
    rules = {word for flag, word in pairwise(words) if flag == "-r"}
    assert rules == {
        "__node:=relocalizer",
        "__ns:=/robot",
        "image:=/cam/image",
        "image/compressed:=/cam/image/compressed",
        "camera_info:=/cam/info",
        "initialpose:=/hint",
        "/tf:=/tf",
        "/tf_static:=/tf_static",
    }


def test_a_rigs_topics_are_below_its_cameras_names(command):
    words = command(cameras="front, left", image="image_raw")
    rules = {word for flag, word in pairwise(words) if flag == "-r" and "/" in word.split(":=")[0].lstrip("/")}
    assert rules == {
        f"{name}/{topic}"
        for name in ("front", "left")
        for topic in (
            f"image:={name}/image_raw",
            f"image/compressed:={name}/image_raw/compressed",
            f"camera_info:={name}/camera_info",
        )
    }
    assert node_parameters(words)["cameras"] == "front, left"


def test_given_arguments_override_the_parameter_file_and_empty_ones_do_not(command, tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text("/**:\n  ros__parameters: {map: /maps/old, base_frame: base_link, keyframes: 7}\n")
    words = command(params_file=str(file), map="007", rectified="true", use_sim_time="true", log_level="debug")
    values = node_parameters(words)
    assert (values["map"], values["rectified"]) == ("007", True)
    assert (values["base_frame"], values["keyframes"], values["use_sim_time"]) == ("base_link", 7, True)
    assert words[words.index("--log-level") + 1] == "debug"


def test_the_default_parameter_file_is_ours(command):
    words = command(map="/maps/office")
    values = node_parameters(words)
    assert (values["map"], values["autostart"], values["use_sim_time"]) == ("/maps/office", True, False)


def test_the_demo_builds_a_map_only_where_there_is_none(tmp_path):
    module = load(ROOT / "launch" / "demo.launch.py")
    description = module.generate_launch_description()
    kinds = {
        str(folder): [type(action).__name__ for action in module.start(context_of(description, map=str(folder)))]
        for folder in (tmp_path, tmp_path / "new.map")
    }
    assert kinds[str(tmp_path)] == ["IncludeLaunchDescription", "ExecuteProcess"]
    assert kinds[str(tmp_path / "new.map")] == ["RegisterEventHandler", "ExecuteProcess"]


def test_each_robot_has_a_relocalizer_and_a_tf_tree_in_its_namespace():
    module = load(ROOT / "launch" / "robots.launch.py")
    description = module.generate_launch_description()
    groups = module.relocalizers(context_of(description, robots="alpha, beta"))
    includes = [
        entity for group in groups for entity in group.get_sub_entities() if hasattr(entity, "launch_arguments")
    ]
    assert [dict(include.launch_arguments) for include in includes] == [
        {"namespace": name, "tf": "tf", "tf_static": "tf_static"} for name in ("alpha", "beta")
    ]
