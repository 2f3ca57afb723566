"""Runtimes of the trained parts of the network."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType

from dsm_ros.errors import DsmError
from dsm_ros.text_enum import TextEnum


class Runtime(TextEnum):
    """Runtimes of the network; ONNX Runtime and OpenVINO are optional dependencies, and OpenVINO runs on CPUs only.

    FASTEST stands for the installed runtime that encodes an image with the least processor time on a CPU, measured when
    the network is loaded, and for torch on a GPU.
    """

    TORCH = "torch"
    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"
    FASTEST = "fastest"


def import_runtime(runtime: Runtime, not_installed: str) -> ModuleType:
    """Return the package of an optional runtime, which then reports no use to its makers.

    Raises DsmError with the text ``not_installed`` for a missing package, and with the error of a damaged package.
    """
    disable_telemetry()
    try:
        package = import_module(runtime)
    except (ImportError, OSError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name == runtime:
            raise DsmError(not_installed) from error
        advice = f"pip install --force-reinstall {runtime}"
        raise DsmError(f"the runtime {runtime} cannot be imported; {advice} ({error})") from error
    if package.__file__ is None:  # an empty folder that an uninstalled package left
        raise DsmError(not_installed)
    return package


def disable_telemetry() -> None:
    """Keep ONNX Runtime and OpenVINO from reporting their use to their makers; to be called before their import."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # the package cannot be imported then
