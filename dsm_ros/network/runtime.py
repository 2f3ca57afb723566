"""Runtimes of the trained parts of the network."""

from __future__ import annotations

from dsm_ros.text_enum import TextEnum


class Runtime(TextEnum):
    """Runtimes of the network; all but torch are optional dependencies, and OpenVINO runs on CPUs only."""

    TORCH = "torch"
    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"
