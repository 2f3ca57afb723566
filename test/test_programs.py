"""Every program calls prepare_process before numpy and torch are imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = {
    "dsm_ros/__main__.py": ["inspect", "rooms:7"],
    "dsm_ros/node/__main__.py": [],
    "dsm_ros/demo/__main__.py": [],
    "dsm_ros/demo/ros_bench.py": [],
    "dsm_ros/demo/sequence_player.py": ["rooms:7"],
    "examples/build_map.py": ["room.map"],
    "examples/localize_images.py": ["room.map", "1", "1", "0", "0"],
    "scripts/fit_confidence.py": [],
    "scripts/gpu_profile.py": [],
    "scripts/train_confidence.py": [],
    "scripts/untrained_weights.py": [],
}
NEED_ROS = ("dsm_ros/node", "dsm_ros/demo")
COMPUTE_LITTLE = {
    "dsm_ros/node/reference.py",
    "dsm_ros/training/pretrained.py",
    "examples/rescuer_node.py",
    "scripts/compare_poses.py",
    "scripts/gpu_needs.py",
    "scripts/gpu_summary.py",
    "scripts/pack_textures.py",
    "scripts/relocate_wheels.py",
}
AT_FIRST_IMPORT = """
import os, runpy, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("numpy", "torch"):
            print("prepared" if "OMP_WAIT_POLICY" in os.environ else "not prepared", flush=True)
            os._exit(0)

sys.meta_path.insert(0, Watch())
run = runpy.run_path if sys.argv[1].endswith(".py") else runpy.run_module
del sys.argv[0]
run(sys.argv[0], run_name="__main__")
"""


def is_program(path: Path) -> bool:
    return 'if __name__ == "__main__":' in path.read_text()


def test_every_program_is_listed():
    paths = [path for folder in ("dsm_ros", "examples", "scripts") for path in (ROOT / folder).rglob("*.py")]
    assert {str(path.relative_to(ROOT)) for path in paths if is_program(path)} == {*PROGRAMS, *COMPUTE_LITTLE}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_process_is_prepared_before_the_first_import(program):
    if program.startswith(NEED_ROS):
        pytest.importorskip("rclpy")
    settings = ("OMP_", "GOMP_", "OPENBLAS_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    name = program.removesuffix(".py").replace("/", ".") if program.startswith("dsm_ros") else program
    command = [sys.executable, "-c", AT_FIRST_IMPORT, name, *PROGRAMS[program]]
    environment["PYTHONPATH"] = f"{ROOT}:{environment.get('PYTHONPATH', '')}"
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.stdout == "prepared\n", done.stderr
