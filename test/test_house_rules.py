"""Sizes that keep files and functions readable; no path of one machine in any file."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 50


def python_files():
    return [path for folder in ("dsm_ros", "test", "launch", "scripts") for path in (ROOT / folder).rglob("*.py")]


def test_no_file_or_function_is_too_long():
    too_long = []
    for path in python_files():
        text = path.read_text()
        if text.count("\n") > MAX_FILE_LINES:
            too_long.append(str(path))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > MAX_FUNCTION_LINES:
                too_long.append(f"{path}:{node.name}")
    assert not too_long


def test_no_committed_text_names_a_machine_path():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    pattern = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/")
    wrong = [
        name
        for name in listed
        if Path(ROOT / name).suffix != ".safetensors"
        and (ROOT / name).is_file()
        and (ROOT / name).suffix not in (".png", ".jpg")
        and pattern.search((ROOT / name).read_text())
    ]
    assert [name for name in wrong if name != "test/test_house_rules.py"] == []
