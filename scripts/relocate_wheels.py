"""Replace paths of the build machine in the CMake files of ROS wheels by paths of this Python."""

import re
import sys
import sysconfig
from pathlib import Path

import numpy

PYTHON_INCLUDE = re.compile(r"/opt/python/cp3\d+-cp3\d+/include/python3\.\d+")
NUMPY_INCLUDE = re.compile(r"/[^;\"\n]*/site-packages/numpy/_core/include")


def relocate(prefix: Path) -> int:
    """Rewrite the files below prefix/share and return how many changed."""
    changed = 0
    for path in prefix.glob("share/*/cmake/*.cmake"):
        text = path.read_text()
        moved = NUMPY_INCLUDE.sub(numpy.get_include(), PYTHON_INCLUDE.sub(sysconfig.get_path("include"), text))
        if moved != text:
            path.write_text(moved)
            changed += 1
    return changed


if __name__ == "__main__":
    print(f"{relocate(Path(sys.argv[1]))} CMake files relocated")
