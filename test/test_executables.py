"""The executables that colcon installs run Python with the libraries that install_libraries installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
INSTALLED = re.search(r"install\(PROGRAMS ([^)]*) DESTINATION", (ROOT / "CMakeLists.txt").read_text())[1].split()


@pytest.fixture
def prefix(tmp_path) -> Path:
    """An install prefix with the executables, as colcon makes it."""
    folder = tmp_path / "lib" / "dsm_ros"
    folder.mkdir(parents=True)
    for name in INSTALLED:
        shutil.copy(ROOT / name, folder)
    (tmp_path / "share" / "dsm_ros").mkdir(parents=True)
    return tmp_path


def fake_python(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run(prefix: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}"}
    command = [str(prefix / "lib" / "dsm_ros" / name), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "module"), [("dsm", "-m dsm_ros "), ("relocalizer", "-m dsm_ros.node "), ("python", "")]
)
def test_the_virtual_environment_is_used_where_there_is_one(prefix, name, module):
    fake_python(prefix / "share" / "dsm_ros" / "venv" / "bin" / "python", 'echo "venv: $*"')
    assert run(prefix, name, "a", "--b").stdout == f"venv: {module}a --b\n"


def test_libraries_of_the_system_do_as_well(prefix):
    fake_python(prefix / "bin" / "python3", 'echo "system: $*"')
    assert run(prefix, "dsm", "info").stdout.endswith("system: -m dsm_ros info\n")


def test_without_libraries_one_line_says_what_to_do(prefix):
    fake_python(prefix / "bin" / "python3", "exit 1")
    done = run(prefix, "relocalizer")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dsm_ros: Python libraries are missing; run 'ros2 run dsm_ros install_libraries'\n"


def test_install_libraries_keeps_the_numpy_and_opencv_of_the_system(prefix):
    shutil.copytree(ROOT / "requirements", prefix / "share" / "dsm_ros" / "requirements")
    venv = prefix / "share" / "dsm_ros" / "venv"
    answers = f"""case "$*" in
        *import\\ cv2*) ;;
        *numpy.__version__*) echo 'numpy<2' ;;
        *) mkdir -p {venv}/bin && cp {prefix}/bin/pip {venv}/bin/python ;;
    esac"""
    fake_python(prefix / "bin" / "python3", answers)
    fake_python(prefix / "bin" / "pip", 'echo "$*"')
    assert run(prefix, "install_libraries", "--no-cache-dir").stdout.endswith(" --no-cache-dir\n")
    assert (venv / "constraints.txt").read_text() == "numpy<2\n"
    names = re.findall(r"^[\w.-]+", (venv / "requirements.txt").read_text(), re.MULTILINE)
    assert {"torch", "lancedb"} <= set(names)
    assert not [name for name in names if name.startswith("opencv")]
