"""Print the versions, GPUs and missing packages of a machine, for scripts/gpu_check.sh.

python scripts/gpu_needs.py [--lacking]     with --lacking, only the names of missing packages, one per line
"""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import packages_distributions

NEEDED = {  # module: package
    "torch": "torch",
    "numpy": "numpy",
    "cv2": "opencv-python-headless",
    "pyarrow": "pyarrow",
    "lancedb": "lancedb",
    "safetensors": "safetensors",
    "typer": "typer",
    "rich": "rich",
    "rosbags.highlevel": "rosbags",
}
OPTIONAL = {
    "poselib": "poselib",  # without PoseLib, OpenCV estimates the poses
    "onnxruntime": "onnxruntime-gpu",
    "onnx": "onnx",
    "pytest": "pytest",
    "hypothesis": "hypothesis",
    "matplotlib": "matplotlib",
    "ruamel.yaml": "ruamel.yaml",
    "tensorboard": "tensorboard",
}


def why_not(module: str) -> str:
    """Return the reason why a module cannot be imported, empty when the import works."""
    try:
        importlib.import_module(module)
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def lacking() -> list[str]:
    """Return the packages whose modules cannot be imported."""
    return [package for module, package in {**NEEDED, **OPTIONAL}.items() if why_not(module)]


def report() -> str:
    """Return lines with the versions of packages, the GPUs, and the providers of ONNX Runtime."""
    lines, found = [f"python {platform.python_version()} on {platform.machine()}"], packages_distributions()
    for module, package in {**NEEDED, **OPTIONAL}.items():
        reason = why_not(module)
        version = getattr(sys.modules.get(module), "__version__", "found")
        rank = "needed" if module in NEEDED else "optional"
        present = f"{installed_name(module, package, found)}: {version}"
        lines.append(f"{package}: lacking ({rank}; {reason})" if reason else present)
    return "\n".join(lines + _devices())


def installed_name(module: str, package: str, found: Mapping[str, Sequence[str]]) -> str:
    """Return the installed package that contains a module, or the module's name where no package is recorded.

    package: the package that is preferred. found: the installed packages of each top-level module.
    """
    installed = found.get(module.split(".")[0], [module])
    return package if package in installed else installed[0]


def _devices() -> list[str]:
    lines = []
    if not why_not("torch"):
        import torch

        for i in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(i)
            lines.append(f"cuda:{i} is {card.name}, {card.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}")
        lines = lines or ["torch sees no CUDA device"]
    if not why_not("onnxruntime"):
        import onnxruntime

        lines.append("ONNX Runtime offers " + ", ".join(onnxruntime.get_available_providers()))
    return lines


if __name__ == "__main__":
    print("\n".join(lacking()) if "--lacking" in sys.argv[1:] else report())
