"""The CMake files of ROS wheels point at this machine after relocation."""

import runpy
import sysconfig
from pathlib import Path

import numpy

relocate = runpy.run_path(str(Path(__file__).resolve().parents[1] / "scripts" / "relocate_wheels.py"))["relocate"]
BUILDER = "/opt/python/cp311-cp311/include/python3.11;/opt/_internal/lib/python3.11/site-packages/numpy/_core/include"


def test_builders_paths_are_replaced_once(tmp_path):
    file = tmp_path / "share" / "some_msgs" / "cmake" / "export.cmake"
    file.parent.mkdir(parents=True)
    file.write_text(f'INCLUDE "${{PREFIX}}/include;{BUILDER}"\n')
    assert relocate(tmp_path) == 1
    assert file.read_text() == f'INCLUDE "${{PREFIX}}/include;{sysconfig.get_path("include")};{numpy.get_include()}"\n'
    assert relocate(tmp_path) == 0
