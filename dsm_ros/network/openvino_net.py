"""Trained parts of the network in OpenVINO, on CPUs; the matching always runs in torch."""

from __future__ import annotations

import math
from threading import Lock
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from dsm_ros.errors import DsmError, ModelError
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.graph_parts import GraphModule, use_graphs
from dsm_ros.network.onnx_export import Part, cached_part
from dsm_ros.network.runtime import Runtime, import_runtime

NOT_INSTALLED = "the runtime openvino is not installed; pip install openvino onnx"
# Net_conf takes a millisecond. OpenVINO's threads spin after each graph, and a second thread would slow down torch's
# threads by more than it speeds up Net_conf.
CONFIDENCE_THREADS = 1
CPU_ONLY = "the runtime openvino is for CPUs; use --device cpu, or the runtime torch or onnxruntime"


class OpenvinoModule(GraphModule):
    """An ONNX graph in OpenVINO, compiled for each size of its input and each number of torch's threads.

    precision: the type in which OpenVINO computes, "bf16" or "f32". max_threads: limit below the number of torch's
    threads.
    """

    def __init__(self, core: Any, graph: bytes, precision: str, max_threads: float = math.inf):
        super().__init__(torch.device("cpu"))
        self._core, self._graph, self._precision, self._max_threads = core, graph, precision, max_threads
        self._requests: dict[tuple[int, ...], Any] = {}  # the cameras of a rig may differ in size
        self._lock = Lock()  # the next call overwrites the outputs of a request, also a call of another thread

    @property
    def runtime(self) -> str:
        """The library with the type in which it computes."""
        return f"{Runtime.OPENVINO} ({self._precision})"

    def run(self, x_BCHW: Tensor) -> list[Tensor]:
        """Return all outputs of the graph; maps are contiguous by cell."""
        threads = int(min(self._max_threads, torch.get_num_threads()))
        key = (*x_BCHW.shape, threads)
        given = _openvino().Tensor(x_BCHW.permute(0, 2, 3, 1).contiguous().numpy(), shared_memory=True)
        with self._lock:
            if key not in self._requests:
                self._requests[key] = self._compiled(x_BCHW.shape, threads)
            request = self._requests[key]
            request.infer({0: given}, share_inputs=True)
            outputs = [torch.from_numpy(output.data).clone() for output in request.output_tensors]
        return [output.permute(0, 3, 1, 2) if output.dim() == 4 else output for output in outputs]

    def _compiled(self, shape: torch.Size, threads: int) -> Any:
        """Return the request that runs the graph for images of one shape. Raises ModelError for a damaged graph."""
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": self._precision,
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # a pinned thread waits while other programs occupy its core
        }
        try:
            model = self._core.read_model(self._graph)
            model.reshape({0: list(shape)})
            model = _by_cell(model)
            return self._core.compile_model(model, "CPU", options).create_infer_request()
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]  # the first lines name source files of OpenVINO
            raise ModelError(f"OpenVINO cannot use the network ({reason})") from error


def use_openvino(network: DsmNet, device: torch.device) -> None:
    """Run the trained parts of a network, which is on the CPU and in eval mode, in OpenVINO.

    The encoder computes in bfloat16 where the CPU has instructions for bfloat16, and the heads in float32. Graphs are
    exported once and kept in the user's cache folder. Raises DsmError when OpenVINO is missing or the device is not a
    CPU.
    """
    core = _openvino().Core()
    if device.type != "cpu":
        raise DsmError(CPU_ONLY)
    fast = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"

    def open_part(name: str, part: Part) -> OpenvinoModule:
        max_threads = CONFIDENCE_THREADS if name == "confidence" else math.inf
        return OpenvinoModule(core, cached_part(network, name, part), fast if name == "encoder" else "f32", max_threads)

    use_graphs(network, open_part)


def _by_cell(model: Any) -> Any:
    """Return a graph whose input and maps (B, C, H, W) are contiguous by cell, as in torch's encoder."""
    openvino = _openvino()
    steps = openvino.preprocess.PrePostProcessor(model)
    maps = [steps.output(i) for i, output in enumerate(model.outputs) if len(output.shape) == 4]
    for each in (steps.input(), *maps):
        each.model().set_layout(openvino.Layout("NCHW"))
        each.tensor().set_layout(openvino.Layout("NHWC"))
    return steps.build()


def _openvino() -> ModuleType:
    return import_runtime(Runtime.OPENVINO, NOT_INSTALLED)
