"""The examples run and do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
TIMEOUT_S = 120


def run(name: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def map_path(tmp_path_factory) -> str:
    path = str(tmp_path_factory.mktemp("maps") / "office.map")
    assert run("build_map.py", path) == f"{path}: 15 keyframes\n"
    return path


def test_images_are_localized_in_the_map_that_was_built(map_path, tmp_path):
    from dsm_ros.datasets.open_sequence import open_sequence

    frame = open_sequence("rooms:7")[110]  # between two keyframes
    cv2.imwrite(str(tmp_path / "room.png"), frame.image_HW3[..., ::-1])
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros_like(frame.image_HW3))
    camera = frame.camera
    intrinsics = [str(value) for value in (camera.fx, camera.fy, camera.cx, camera.cy)]
    lines = run("localize_images.py", map_path, *intrinsics, str(tmp_path / "room.png"), str(tmp_path / "black.png"))
    found, not_found = lines.splitlines()
    position = [float(value) for value in re.search(r": (.*) m, confidence", found)[1].split()]
    assert np.linalg.norm(position - frame.map_T_camera[:3, 3]) < 0.05
    assert "black.png: not localized, " in not_found


def test_examples_stay_short():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {"build_map.py", "localize_images.py", "rescuer_node.py"}
    assert all(len(path.read_text().splitlines()) <= 60 for path in EXAMPLES.glob("*.py"))
