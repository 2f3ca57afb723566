"""Sizes that keep files and functions readable; no path of one machine in any file."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 50
MACHINE_PATH = re.compile(r"(?<![\w.])/" + r"(?:work|root|home/\w+)/")
BINARY = {".safetensors", ".png", ".jpg", ".webp"}


def too_long(source: str) -> list[str]:
    """Names of what is too long in one file: the file, its functions."""
    found = ["file"] if source.count("\n") > MAX_FILE_LINES else []
    for node in ast.walk(ast.parse(source)):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES:
            found.append(node.name)
    return found


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_or_function_is_too_long():
    found = {}
    for folder in ("dsm_ros", "test", "launch", "scripts"):
        for path in (ROOT / folder).rglob("*.py"):
            if names := too_long(path.read_text()):
                found[str(path.relative_to(ROOT))] = names
    assert not found


def test_no_committed_text_names_a_machine_path():
    texts = [path for path in tracked_files() if path.suffix not in BINARY]
    assert not [str(path) for path in texts if MACHINE_PATH.search(path.read_text())]


def test_planted_violations_are_seen():
    assert too_long("x = 1\n" * 301) == ["file"]
    assert too_long("async def f():\n" + "    pass\n" * 50) == ["f"]
    assert not too_long("def f():\n" + "    pass\n" * 49)
    assert MACHINE_PATH.search("see " + "/work" + "/notes.md")
    assert not MACHINE_PATH.search("$PWD/work/maps and /maps/office")
