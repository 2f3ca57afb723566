"""Attributes of an object are set by the object only, in the package and in the tests."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Objects of other libraries, which are filled in one field after another, and attributes of functions.
FILLED = {
    "dsm_ros/cli/options.py": {"run"},
    "dsm_ros/geometry/opencv_pnp.py": {"params"},
    "dsm_ros/geometry/poselib_pnp.py": {"pose"},
    "dsm_ros/network/onnx_net.py": {"options"},
    "test/network/simulated_device.py": {"part"},  # of a network whose weights are replaced
}
ROS_MESSAGES = {"descriptor", "header", "marker", "message", "response", "result"}
TEST_MESSAGES = {
    "test/cli/test_odd_bags.py": {"message", "pose", "stamped"},
    "test/datasets/rosbag/test_cameras.py": {"late", "messages[-1][2].header.stamp"},
    "test/datasets/rosbag/test_pose_conflicts.py": {"message", "noisy[place][2].transforms[0].transform.translation"},
    "test/datasets/rosbag/test_poses.py": {"message", "orientation", "position"},
    "test/examples/test_rescuer_dds.py": {"result"},
    "test/messages/test_camera.py": {"message", "whole_region"},
    "test/messages/test_damaged_image.py": {"wrong"},
    "test/messages/test_depth.py": {"image", "wrong"},
    "test/messages/test_image.py": {"image"},
    "test/messages/test_pose.py": {"message", "stamp"},
    "test/node/images/test_cv_bridge_images.py": {"wrong"},
    "test/node/rescue/test_rescue_dds.py": {"image"},
    "test/node/test_relocalizer_dds.py": {"info"},
    "test/node/tf/test_transforms.py": {"broken"},
}
# Assignments that must fail.
CLOSED = {"test/network/test_dsm_net.py": {"network"}, "test/scene_map/test_map.py": {"scene_map"}}


def owners(source: str) -> set[str]:
    """Objects whose attributes are set from outside, as written in the source: ``a.b`` for ``a.b.c = 1``."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            found.add(ast.unparse(node.value))
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            found |= dictionary_owner(node.value)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "object.__setattr__"):
            found.add(ast.unparse(node.args[0]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "__setattr__":
            found.add(ast.unparse(node.func.value))
    return found - {"self", "cls", "object", "super()"}


def dictionary_owner(container: ast.expr) -> set[str]:
    """The object whose attributes a dictionary holds: ``a`` for ``vars(a)`` and ``a.__dict__``."""
    if isinstance(container, ast.Attribute) and container.attr == "__dict__":
        return {ast.unparse(container.value)}
    if isinstance(container, ast.Call) and ast.unparse(container.func) == "vars" and container.args:
        return {ast.unparse(container.args[0])}
    return set()


def violations(name: str, source: str) -> set[str]:
    """Objects whose attributes one file sets, but must not set."""
    allowed = {owner for table in (FILLED, TEST_MESSAGES, CLOSED) for owner in table.get(name, set())}
    allowed |= ROS_MESSAGES if name.startswith("dsm_ros/node/") else set()
    return {owner for owner in owners(source) if not {owner, owner.split(".")[0]} & allowed}


def test_no_attribute_is_set_from_outside_its_object():
    found = {}
    for folder in ("dsm_ros", "test", "examples", "scripts", "launch"):
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if wrong := violations(name, path.read_text()):
                found[name] = wrong
    assert not found


def test_every_exception_is_needed():
    for name, allowed in {**FILLED, **TEST_MESSAGES, **CLOSED}.items():
        found = owners((ROOT / name).read_text())
        assert allowed <= found | {owner.split(".")[0] for owner in found}, name


def test_planted_violations_are_seen():
    assert owners("network.encoder = encoder") == {"network"}
    assert owners("self.counts.failed += 1") == {"self.counts"}
    assert owners("a.x, b = 1, 2") == {"a"}
    assert owners("a, *b.x = c") == owners("(a, (b.x, c)) = d") == owners("for b.x in c: pass") == {"b"}
    assert owners("del a.b") == owners("with c as a.x: pass") == {"a"}
    assert owners("vars(a)['x'] = 1") == owners("a.__dict__['x'] = 1") == owners("a.__setattr__('x', 1)") == {"a"}
    assert owners("setattr(recording, 'shift_ns', 3)") == {"recording"}
    assert violations("dsm_ros/demo/run.py", "message.data = 1")
    assert not violations("dsm_ros/node/outputs/outputs.py", "message.pose.position = 1")
    assert violations("test/node/test_outputs.py", "activity.rates = 1")
    assert not owners("self.x = x; cls.y: int = 1; rows[0] = 2")
