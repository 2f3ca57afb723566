"""CUDA graphs of functions of tensors, in which one launch replays the hundreds of kernels of a recorded call."""

from __future__ import annotations

import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor

from dsm_ros.network.tensor_tree import map_tensors, signature, tensors_of

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")

MAX_SIGNATURES = 32  # of one function; scenes of different numbers of keyframes have different signatures

logger = logging.getLogger(__name__)


class Capture(Protocol):
    """Calls a function on a device and returns the result with a function that computes it again in the same memory."""

    def __call__(self, function: Callable[[], R], device: torch.device) -> tuple[R, Callable[[], None]]: ...


def capture_cuda_graph(function: Callable[[], R], device: torch.device) -> tuple[R, Callable[[], None]]:
    """Capture the kernels of a call in a CUDA graph; other threads may use the GPU at the same time."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(device):  # a stream belongs to one GPU, and captures only kernels on this GPU
        stream = torch.cuda.Stream(device)
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            result = function()
    return result, graph.replay


@dataclass(frozen=True)
class Recording(Generic[R]):
    """The CUDA graph of one call: the tensors that it reads, and the result with the tensors that it writes."""

    inputs: list[Tensor]
    result: R
    replay: Callable[[], None]

    def play(self, inputs: list[Tensor]) -> R:
        """Return the result for other inputs of the same signature, in separate memory."""
        torch._foreach_copy_(self.inputs, inputs)
        self.replay()
        given = {id(own): tensor for own, tensor in zip(self.inputs, inputs, strict=True)}
        return map_tensors(self.result, lambda tensor: given[id(tensor)] if id(tensor) in given else tensor.clone())


class Recorder:
    """Calls functions of trees of tensors, and replays repeated calls on a CUDA device.

    The first call of a function with a signature is direct, and the second is captured. All calls are direct on other
    devices, outside inference mode, under autocast, and after a capture that failed. A function must not copy between
    host and device, and no shape may depend on the values of a tensor. While it is captured, a function gets None in
    place of NumPy arrays, because a recording would keep the numbers of one call. A recorder keeps no function, so a
    network may own the recorder of its methods.
    """

    def __init__(self, capture: Capture = capture_cuda_graph, device_type: str = "cuda") -> None:
        self._capture, self._device_type = capture, device_type
        self._recordings: defaultdict[str, OrderedDict[Hashable, Recording[Any] | None]] = defaultdict(OrderedDict)
        self._failed: set[tuple[str, Hashable]] = set()
        self._lock = Lock()

    def __call__(self, function: Callable[..., R], *args: object) -> R:
        """Return what a function returns for trees of tensors."""
        if not torch.is_inference_mode_enabled() or torch.is_autocast_enabled(self._device_type):
            return function(*args)
        tensors = tensors_of(args)
        if {tensor.device.type for tensor in tensors} != {self._device_type}:
            return function(*args)
        with self._lock:
            recording = self._recording(function, args, tensors[0].device)
            return recording.play(tensors) if recording else function(*args)

    def __reduce__(self) -> tuple[Any, ...]:  # a copy of a network records its own calls
        return type(self), (self._capture, self._device_type)

    def _recording(
        self, function: Callable[..., R], args: tuple[object, ...], device: torch.device
    ) -> Recording[R] | None:
        """Return the recording of a call, None at the first such call and after a capture that failed."""
        name, key = function.__qualname__, signature(args)
        if (name, key) in self._failed:
            return None
        recordings = self._recordings[name]
        is_repeated, recording = key in recordings, recordings.get(key)
        if is_repeated and recording is None:
            recording = self._record(function, args, device)
            if recording is None:
                self._failed.add((name, key))
        recordings[key] = recording
        recordings.move_to_end(key)
        if len(recordings) > MAX_SIGNATURES:
            recordings.popitem(last=False)
        return recording

    def _record(
        self, function: Callable[..., R], args: tuple[object, ...], device: torch.device
    ) -> Recording[R] | None:
        """Return the recording of a call, None when the capture fails."""
        inputs = map_tensors(args, torch.clone)
        try:
            result, replay = self._capture(lambda: function(*inputs), device)
        except RuntimeError as error:  # for example without memory for the graph
            logger.warning("a CUDA graph cannot be captured, so each kernel is launched alone: %s", error)
            return None
        return Recording(tensors_of(inputs), result, replay)


def recorded(function: F, capture: Capture = capture_cuda_graph, device_type: str = "cuda") -> F:
    """Return a function that is called by its own ``Recorder``."""
    return cast(F, partial(Recorder(capture, device_type), function))


def call_directly(function: Callable[..., R], *args: object) -> R:
    """Return what a function returns; stands for a ``Recorder`` where a call cannot be recorded."""
    return function(*args)
