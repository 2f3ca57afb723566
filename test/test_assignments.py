"""Attributes of an object are set by the object only."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "dsm_ros"
# Objects of other libraries, which are filled in one field after another, and attributes of functions.
FILLED = {
    "cli/options.py": {"run"},
    "geometry/opencv_pnp.py": {"params"},
    "geometry/poselib_pnp.py": {"pose"},
    "network/onnx_net.py": {"options"},
}
ROS_MESSAGES = {"descriptor", "header", "marker", "message", "response", "result"}


def assigned(node: ast.AST) -> Iterator[ast.expr]:
    """The targets of an assignment, the parts of tuples one by one."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) else []:
        yield from target.elts if isinstance(target, ast.Tuple | ast.List) else [target]


def owners(source: str) -> set[str]:
    """Objects whose attributes are set from outside, as written in the source: ``a.b`` for ``a.b.c = 1``."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        for target in assigned(node):
            if isinstance(target, ast.Attribute):
                found.add(ast.unparse(target.value))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "object.__setattr__"):
            found.add(ast.unparse(node.args[0]))
    return found - {"self", "cls"}


def violations(name: str, source: str) -> set[str]:
    """Objects whose attributes one file of the package sets, but must not set."""
    allowed = FILLED.get(name, set()) | (ROS_MESSAGES if name.startswith("node/") else set())
    return {owner for owner in owners(source) if not {owner, owner.split(".")[0]} & allowed}


def test_no_attribute_is_set_from_outside_its_object():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        if wrong := violations(name, path.read_text()):
            found[name] = wrong
    assert not found


def test_planted_violations_are_seen():
    assert owners("network.encoder = encoder") == {"network"}
    assert owners("self.counts.failed += 1") == {"self.counts"}
    assert owners("a.x, b = 1, 2") == {"a"}
    assert owners("setattr(recording, 'shift_ns', 3)") == {"recording"}
    assert violations("demo/run.py", "message.data = 1")
    assert not violations("node/outputs.py", "message.pose.position = 1")
    assert not owners("self.x = x; cls.y: int = 1; rows[0] = 2")
