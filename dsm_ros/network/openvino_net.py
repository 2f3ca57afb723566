"""OpenVINO for the encoder of the network on CPUs; matching and heads stay in torch."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from dsm_ros.errors import DsmError, ModelError
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.onnx_export import cached_part, learnt_parts
from dsm_ros.network.runtime import Runtime

NOT_INSTALLED = "the runtime openvino is not installed; pip install openvino onnx"
CPU_ONLY = "the runtime openvino is for CPUs; use --device cpu, or the runtime torch or onnxruntime"


class OpenvinoEncoder(nn.Module):
    """The encoder in OpenVINO, compiled for each size of its images and each number of torch's threads.

    It computes in bfloat16 where the CPU has instructions for bfloat16, and in float32 elsewhere.
    """

    def __init__(self, strides: tuple[int, ...], graph: bytes):
        super().__init__()
        self.strides = strides
        self.where = nn.Parameter(torch.empty(0), requires_grad=False)  # DsmNet.device reads it
        self._openvino = _openvino()
        self._core = self._openvino.Core()
        self._graph = graph
        self._precision = "bf16" if "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        self.runtime = f"{Runtime.OPENVINO} ({self._precision})"
        self._requests: dict[tuple[int, ...], Any] = {}  # the cameras of a rig may differ in size

    def forward(self, image_B3HW: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        key = (*image_B3HW.shape, torch.get_num_threads())
        if key not in self._requests:
            self._requests[key] = self._compiled(image_B3HW.shape)
        request = self._requests[key]
        image = self._openvino.Tensor(image_B3HW.contiguous().numpy(), shared_memory=True)
        request.infer({0: image}, share_inputs=True)
        *levels, descriptor_BD = (torch.from_numpy(output.data) for output in request.output_tensors)
        # The next image overwrites the outputs, so both the layout of torch's encoder and the descriptor are copies.
        copies = (level.clone(memory_format=torch.channels_last) for level in levels)
        return tuple(copies), descriptor_BD.clone()

    def _compiled(self, shape: torch.Size) -> Any:
        """Return the request that runs the graph for images of one shape. Raises ModelError for a damaged graph."""
        options = {
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": self._precision,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # a pinned thread waits while other programs occupy its core
        }
        try:
            model = self._core.read_model(self._graph)
            model.reshape({0: list(shape)})
            return self._core.compile_model(model, "CPU", options).create_infer_request()
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot use the network ({str(error).splitlines()[0]})") from error


def use_openvino(network: DsmNet, device: torch.device) -> None:
    """Replace the encoder of a network, which is on the CPU and in eval mode, by OpenVINO.

    The graph is exported once and kept in the user's cache folder. Raises DsmError when OpenVINO is missing or the
    device is not a CPU.
    """
    _openvino()
    if device.type != "cpu":
        raise DsmError(CPU_ONLY)
    graph = cached_part(network, "encoder", learnt_parts(network)["encoder"])
    network.replace_parts(OpenvinoEncoder(network.encoder.strides, graph), {}, None)


def _openvino() -> ModuleType:
    # OpenVINO reports its use to its makers when it is imported, unless this module cannot be imported.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise DsmError(NOT_INSTALLED) from error
    return openvino
