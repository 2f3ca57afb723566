"""What computes the learnt parts of the network."""

from __future__ import annotations

from enum import StrEnum


class Runtime(StrEnum):
    """Both give the same results; ONNX Runtime is faster on most machines and an optional dependency."""

    TORCH = "torch"
    ONNXRUNTIME = "onnxruntime"
