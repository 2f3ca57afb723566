"""Trained parts of the network in ONNX Runtime; the matching always runs in torch."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from dsm_ros.errors import DsmError, ModelError
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.graph_parts import GraphModule, use_graphs
from dsm_ros.network.onnx_cache import cache_folder
from dsm_ros.network.onnx_export import Part, cached_part
from dsm_ros.network.runtime import Runtime, import_runtime

SUFFIX = "ExecutionProvider"
GPU_PROVIDERS = ("Tensorrt", "CUDA")  # in order of preference
ERRORS_ONLY = 3
NOT_INSTALLED = "the runtime onnxruntime is not installed; pip install onnxruntime onnx (onnxruntime-gpu for CUDA)"
NO_GPU = "ONNX Runtime has no CUDA here; pip install onnxruntime-gpu in place of onnxruntime, or use the CPU"


class OnnxModule(GraphModule):
    """An ONNX graph, run by ONNX Runtime on a device with the number of threads that torch uses.

    half: the graph was exported with float16, so TensorRT may use float16 too.
    """

    def __init__(self, graph: bytes, device: torch.device, half: bool = False):
        super().__init__(device)
        self._graph, self._device, self._half = graph, device, half
        self._threads = torch.get_num_threads()
        self._session = open_session(graph, device, self._threads, half)

    @property
    def runtime(self) -> str:
        """The library with its execution provider, which is CPU, CUDA or Tensorrt."""
        return f"{Runtime.ONNXRUNTIME} ({self._session.get_providers()[0].removesuffix(SUFFIX)})"

    def run(self, x_BCHW: Tensor) -> list[Tensor]:
        """Return all outputs of the graph (float32) on the input's device, without copies between host and GPU."""
        self._follow_threads()
        x_BCHW = x_BCHW.contiguous()
        place = self._device.type, self._device.index or 0
        binding = self._session.io_binding()
        binding.bind_input("input", *place, np.float32, tuple(x_BCHW.shape), x_BCHW.data_ptr())
        for output in self._session.get_outputs():
            binding.bind_output(output.name, *place)
        if self._device.type == "cuda":
            torch.cuda.current_stream(self._device).synchronize()  # ONNX Runtime computes on another stream
        self._session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        if self._device.type == "cpu":  # torch cannot read the DLPack capsules of ONNX Runtime for Python 3.10
            return [torch.from_numpy(array) for array in binding.copy_outputs_to_cpu()]
        return [from_dlpack(value) for value in binding.get_outputs()]

    def _follow_threads(self) -> None:
        """Reopen the session when the number of torch's threads has changed."""
        if self._device.type == "cpu" and self._threads != torch.get_num_threads():
            self._threads = torch.get_num_threads()
            self._session = open_session(self._graph, self._device, self._threads, self._half)


def use_onnxruntime(network: DsmNet, device: torch.device) -> None:
    """Run the trained parts of a network in ONNX Runtime; the network must be on the CPU and in eval mode.

    On a GPU the encoder computes in float16. Graphs are exported once and kept in the user's cache folder.
    Raises DsmError when ONNX Runtime is missing or cannot use the device.
    """
    _onnxruntime()

    def open_part(name: str, part: Part) -> OnnxModule:
        half = device.type != "cpu" and name == "encoder"
        return OnnxModule(cached_part(network, name, part, half), device, half)

    use_graphs(network, open_part)


def open_session(graph: bytes, device: torch.device, threads: int, half: bool) -> Any:
    """Open a graph with the best available providers. Raises DsmError when no provider can use the device.

    half: whether TensorRT may use float16.
    """
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin after a graph has run would occupy the cores that torch needs for matching.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = ERRORS_ONLY
    providers = choose_providers(device, onnxruntime.get_available_providers(), half)
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=providers)
    except Exception as error:  # the exceptions of ONNX Runtime have no common base
        raise ModelError(f"ONNX Runtime cannot use the network ({str(error).splitlines()[0]})") from error
    if device.type != "cpu" and session.get_providers()[0] == f"CPU{SUFFIX}":
        raise DsmError(NO_GPU)
    return session


def choose_providers(device: torch.device, available: list[str], half: bool) -> list[tuple[str, dict[str, str]]]:
    """Return the providers for a device with their options, best first. Raises DsmError when no provider fits.

    half: whether TensorRT may use float16.
    """
    cpu: tuple[str, dict[str, str]] = (f"CPU{SUFFIX}", {})
    if device.type == "cpu":
        return [cpu]
    index, folder = str(device.index or 0), str(cache_folder())
    engines = {"trt_fp16_enable": str(int(half)), "trt_engine_cache_enable": "1", "trt_engine_cache_path": folder}
    options = {"Tensorrt": {"device_id": index, **engines}, "CUDA": {"device_id": index}}
    found = [(name + SUFFIX, options[name]) for name in GPU_PROVIDERS if name + SUFFIX in available]
    if not found:
        raise DsmError(NO_GPU)
    return [*found, cpu]


def _onnxruntime() -> ModuleType:
    return import_runtime(Runtime.ONNXRUNTIME, NOT_INSTALLED)
