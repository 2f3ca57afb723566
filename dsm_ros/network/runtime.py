"""Runtimes of the trained parts of the network."""

from __future__ import annotations

from dsm_ros.text_enum import TextEnum


class Runtime(TextEnum):
    """Runtimes of the network; ONNX Runtime and OpenVINO are optional dependencies, and OpenVINO runs on CPUs only.

    FASTEST stands for the installed runtime that encodes an image fastest on a CPU, measured when the network is
    loaded, and for torch on a GPU.
    """

    TORCH = "torch"
    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"
    FASTEST = "fastest"
