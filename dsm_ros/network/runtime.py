"""Runtimes of the trained parts of the network."""

from __future__ import annotations

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
    """Return the package of an optional runtime.

    Raises DsmError with the text ``not_installed`` for a missing package, and with the error of a damaged package.
    """
    try:
        return import_module(runtime)
    except ModuleNotFoundError as error:
        raise DsmError(not_installed) from error
    except (ImportError, OSError) as error:
        advice = f"pip install --force-reinstall {runtime}"
        raise DsmError(f"the runtime {runtime} cannot be imported; {advice} ({error})") from error
