"""CUDA graphs of functions of tensors, in which one launch replays the hundreds of kernels of a recorded call."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor

from dsm_ros.network.tensor_tree import map_tensors, signature, tensors_of

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")

MAX_SIGNATURES = 32  # of one function; scenes of different numbers of keyframes have different signatures


class Capture(Protocol):
    """Calls a function and returns the result with a function that computes the result again in the same memory."""

    def __call__(self, function: Callable[[], R]) -> tuple[R, Callable[[], None]]: ...


def capture_cuda_graph(function: Callable[[], R]) -> tuple[R, Callable[[], None]]:
    """Capture the kernels of a call in a CUDA graph; other threads may use the GPU at the same time."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
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


def recorded(function: F, capture: Capture = capture_cuda_graph, device_type: str = "cuda") -> F:
    """Return a function of trees of tensors that is replayed on a CUDA device, and called directly on other devices.

    The first call with a signature is direct, the second is captured. Calls outside inference mode and calls under
    autocast are direct too. The function must not copy between host and device, and no shape may depend on the values
    of a tensor. While it is captured, the function gets None in place of NumPy arrays, because a recording would keep
    the numbers of one call.
    """
    return cast(F, RecordedFunction(function, capture, device_type))


class RecordedFunction(Generic[R]):
    """A function that replays the CUDA graph of each signature; see ``recorded``."""

    def __init__(self, function: Callable[..., R], capture: Capture, device_type: str) -> None:
        self._function, self._capture, self._device_type = function, capture, device_type
        self._recordings: OrderedDict[Hashable, Recording[R] | None] = OrderedDict()
        self._lock = Lock()

    def __call__(self, *args: object) -> R:
        if not torch.is_inference_mode_enabled() or torch.is_autocast_enabled(self._device_type):
            return self._function(*args)
        tensors = tensors_of(args)
        if {tensor.device.type for tensor in tensors} != {self._device_type}:
            return self._function(*args)
        with self._lock:
            key = signature(args)
            recording = self._recordings[key] or self._record(args) if key in self._recordings else None
            self._keep(key, recording)
            return recording.play(tensors) if recording else self._function(*args)

    def __reduce__(self) -> tuple[Any, ...]:  # a copy of a network records its own calls
        return type(self), (self._function, self._capture, self._device_type)

    def _record(self, args: tuple[object, ...]) -> Recording[R]:
        inputs = map_tensors(args, torch.clone)
        result, replay = self._capture(lambda: self._function(*inputs))
        return Recording(tensors_of(inputs), result, replay)

    def _keep(self, key: Hashable, recording: Recording[R] | None) -> None:
        self._recordings[key] = recording
        self._recordings.move_to_end(key)
        if len(self._recordings) > MAX_SIGNATURES:
            self._recordings.popitem(last=False)
