"""Checks of the names of cameras, topics, frames and folders that parameters hold."""

from __future__ import annotations

from rclpy.exceptions import InvalidTopicNameException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.validate_full_topic_name import validate_full_topic_name

TOPIC_RULE = "use letters, digits, '_' and '/', and no digit at the start of a part"


def cameras_problem(cameras: str) -> str:
    """Return why a comma-separated list of camera names cannot be used; empty if it can.

    Each name is the prefix of topics, for example front/image. An empty list is a single camera without a name.
    """
    names = split_names(cameras)
    if not names:
        return ""
    if "" in names:
        return f"one of the names in '{cameras}' is empty; separate the names by single commas, as in front,left"
    if twice := next((name for name in names if names.count(name) > 1), ""):
        return f"'{twice}' occurs twice; give each camera its own name"
    if wrong := next((name for name in names if not is_topic_name(f"{name}/image")), ""):
        return f"'{wrong}' cannot be the prefix of a topic; {TOPIC_RULE}"
    return ""


def map_roots_problem(map_roots: str) -> str:
    """Return why a comma-separated list of folders of maps cannot be used; empty if it can.

    An empty name would stand for the working directory of the node.
    """
    if "" in split_names(map_roots):
        return f"one of the folders in '{map_roots}' is empty; separate the folders by single commas"
    return ""


def topic_problem(topic: str) -> str:
    """Return why a topic name cannot be used; empty if it can, or if no topic is given."""
    return f"'{topic}' is not a topic name; {TOPIC_RULE}" if topic and not is_topic_name(topic) else ""


def frame_problem(frame: str) -> str:
    """Return why a TF frame cannot be used; empty if it can, or if no frame is given."""
    if frame.startswith("/"):
        return f"'{frame}' begins with '/', which tf2 does not allow; write '{frame.lstrip('/')}'"
    if frame != frame.strip():
        return f"'{frame}' begins or ends with a space; write '{frame.strip()}'"
    return ""


def split_names(names: str) -> list[str]:
    """Return the names of a comma-separated list, stripped of spaces; a blank list has no names."""
    return [name.strip() for name in names.split(",")] if names.strip() else []


def is_topic_name(topic: str) -> bool:
    """Return whether ROS accepts a topic name, relative or absolute."""
    try:
        validate_full_topic_name(expand_topic_name(topic, "node", "/"))
    except (ValueError, InvalidTopicNameException):
        return False
    return True


NAME_CHECKS = {
    "cameras": cameras_problem,
    "map_roots": map_roots_problem,
    "watch_topic": topic_problem,
    "base_frame": frame_problem,
    "odom_frame": frame_problem,
}
