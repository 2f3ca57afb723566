"""Runtimes of the trained parts of the network."""

from __future__ import annotations

from dsm_ros.text_enum import TextEnum


class Runtime(TextEnum):
    """Runtimes that give the same results; ONNX Runtime is faster on most machines, and is an optional dependency."""

    TORCH = "torch"
    ONNXRUNTIME = "onnxruntime"
