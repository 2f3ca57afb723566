"""Limits on sizes, first lines of docstrings, attributes set from outside, machine paths and too new functions."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAX_FILE_LINES, MAX_FUNCTION_LINES = 250, 40
MACHINE_PATH = re.compile(r"(?<![\w.])/" + r"(?:work|root|home/\w+)/")
# Python 3.10, numpy 1.24 and OpenCV 4.5.4, the oldest that requirements/runtime.txt allows, lack these.
TOO_NEW = re.compile(
    r"\b(StrEnum|ExceptionGroup|tomllib|IMREAD_COLOR_RGB|"
    r"np\.(astype|concat|permute_dims|matrix_transpose|trapezoid|isdtype|unique_values|bitwise_count|pow|acos|asin|atan)\b|"
    r"np\.linalg\.(vector_norm|matrix_norm|cross|diagonal|outer|trace)|from datetime import UTC|datetime\.UTC)\b"
)
QUESTION = re.compile(r"(What|Which|How|Whether|Why|Where|Who|From)\b")
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
    for folder in ("dsm_ros", "test", "launch", "scripts", "examples"):
        for path in (ROOT / folder).rglob("*.py"):
            if names := too_long(path.read_text()):
                found[str(path.relative_to(ROOT))] = names
    assert not found


def begins_with_a_question(source: str) -> bool:
    """Whether the docstring of a module begins with an interrogative instead of its subject."""
    return bool(QUESTION.match(ast.get_docstring(ast.parse(source)) or ""))


def test_no_module_docstring_begins_with_a_question():
    sources = [path for path in tracked_files() if path.suffix == ".py"]
    assert not [str(path.relative_to(ROOT)) for path in sources if begins_with_a_question(path.read_text())]


def test_no_committed_text_names_a_machine_path():
    texts = [path for path in tracked_files() if path.suffix not in BINARY]
    assert not [str(path) for path in texts if MACHINE_PATH.search(path.read_text())]


def test_python_code_uses_nothing_too_new():
    sources = [path for path in tracked_files() if path.suffix == ".py" and path.name != Path(__file__).name]
    assert not {path.name: found for path in sources if (found := TOO_NEW.findall(path.read_text()))}


def test_planted_violations_are_seen():
    assert too_long("x = 1\n" * 251) == ["file"]
    assert too_long("async def f():\n" + "    pass\n" * 40) == ["f"]
    assert not too_long("def f():\n" + "    pass\n" * 39)
    assert begins_with_a_question('"""What a map holds."""')
    assert not begins_with_a_question('"""Whole maps, from one file."""')
    assert TOO_NEW.search("cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)")
    assert TOO_NEW.search("np.concat([a, b])")
    assert not TOO_NEW.search("np.concatenate([a, b]), np.power(a, 2)")
    assert MACHINE_PATH.search("see " + "/work" + "/notes.md")
    assert not MACHINE_PATH.search("$PWD/work/maps and /maps/office")
