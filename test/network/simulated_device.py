"""A simulated device that refuses mixed devices and counts copies between host and device, by line of code."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

PACKAGE = str(Path(__file__).resolve().parents[2] / "dsm_ros")
NAME = "simulated"
# Operations that block the host until a GPU is done, because a number for the host, the shape of the result, or an
# error depends on values.
VALUES = {"_local_scalar_dense", "is_nonzero", "equal", "allclose"}
SHAPES = {"nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive", "bincount", "repeat_interleave"}
ERRORS = {"_linalg_check_errors", "_linalg_eigh", "_linalg_svd"}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}
BETWEEN_DEVICES = {"_to_copy", "copy_"}


class MixedDevicesError(RuntimeError):
    """An operation on tensors of the host and of the device, which a GPU refuses."""


class SimulatedTensor(torch.Tensor):
    """A tensor of the device; ``held`` has its values."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held, requires_grad=False):
        layout = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        self = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, **layout, device=torch.device(NAME, 0), requires_grad=requires_grad
        )
        self.held = held
        return self

    def __repr__(self):
        return f"SimulatedTensor({tuple(self.shape)}, {self.dtype})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError(f"{func} outside of simulated_device()")


class Crossings:
    """Copies and waits between host and device, counted by place in the package."""

    def __init__(self):
        self.counts: Counter[tuple[str, str]] = Counter()

    def note(self, what: str) -> None:
        """Count one crossing at the innermost line of the package."""
        self.counts[place(), what] += 1

    @property
    def total(self) -> int:
        return self.counts.total()

    def within(self, folder: str) -> int:
        """Return how many crossings came from one folder of the package."""
        return sum(count for (where, _), count in self.counts.items() if where.startswith(f"{folder}/"))

    def __str__(self):
        return "\n".join(f"{n:4d}  {where:48s} {what}" for (where, what), n in sorted(self.counts.items()))


def place() -> str:
    """Return the innermost file and line of the package that is being run."""
    inside = [f for f in traceback.extract_stack() if f.filename.startswith(PACKAGE)]
    return f"{inside[-1].filename[len(PACKAGE) + 1 :]}:{inside[-1].lineno}" if inside else "test"


class Calls(TorchFunctionMode):
    """Counts crossings that never reach a dispatcher: tensors made of Python numbers, and indices in Python lists."""

    def __init__(self, crossings: Crossings):
        super().__init__()
        self.crossings = crossings

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is torch.Tensor.new_tensor and is_simulated(args[0]):
            self.crossings.note("to the device: new_tensor")
            return SimulatedTensor(torch.tensor(args[1], dtype=kwargs.get("dtype", args[0].dtype)))
        if func in (torch.tensor, torch.as_tensor) and names_device(kwargs.get("device")):
            self.crossings.note("to the device: torch.tensor")
            return SimulatedTensor(func(*args, **{**kwargs, "device": "cpu"}))
        if func in (torch.Tensor.__getitem__, torch.Tensor.__setitem__) and is_simulated(args[0]):
            if func is torch.Tensor.__setitem__ and not isinstance(args[2], torch.Tensor):
                self.crossings.note("to the device: assignment of a Python number")
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            args = (args[0], tuple(self._moved(part) for part in index), *args[2:])
        if func is torch.Tensor.tolist and is_simulated(args[0]):
            self.crossings.note("to the host: tolist")
            return args[0].held.tolist()
        if func in (torch.Tensor.numpy, torch.Tensor.__array__) and is_simulated(args[0]):
            raise MixedDevicesError(f"numpy cannot read the device, {place()}")
        return func(*args, **kwargs)

    def _moved(self, index):
        if not isinstance(index, (list, tuple, np.ndarray)):
            return index
        self.crossings.note("to the device: index of Python numbers")
        return SimulatedTensor(torch.as_tensor(index))


class Operations(TorchDispatchMode):
    """Computes on the held values, refuses mixed devices, and counts copies and waits."""

    def __init__(self, crossings: Crossings):
        super().__init__()
        self.crossings = crossings

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        asked = kwargs.get("device")
        if not (any(map(is_simulated, tensors)) or names_device(asked)):
            return func(*args, **kwargs)
        name = func._schema.name.split("::")[1]
        self._check(name, tensors, args)
        to_device = names_device(asked) if asked is not None else any(map(is_simulated, tensors))
        self._note(name, args, to_device)
        plain = {**kwargs, "device": torch.device("cpu")} if asked is not None else kwargs
        made = func(*tree_map(held, args), **tree_map(held, plain))
        if name in VALUES or not to_device:
            return made
        if any(argument.alias_info is not None and argument.alias_info.is_write for argument in func._schema.arguments):
            return kwargs.get("out", args[0]) if isinstance(made, torch.Tensor) else made
        return tree_map(lambda x: SimulatedTensor(x) if isinstance(x, torch.Tensor) else x, made)

    def _check(self, name, tensors, args):
        """Raise where a GPU would, for host tensors that are no numbers, indices or sources of a copy."""
        if name in INDEXING and not is_simulated(args[0]):
            raise MixedDevicesError(f"a host tensor indexed by the device's, {place()}")
        if name in BETWEEN_DEVICES or name == "index":
            return
        if name in INDEXING:
            tensors = [args[0], args[2]]  # the indices may be tensors of the host
        on_host = [tensor for tensor in tensors if not is_simulated(tensor) and tensor.dim()]
        if on_host and any(map(is_simulated, tensors)):
            raise MixedDevicesError(f"{name} of host and device, {place()}")

    def _note(self, name, args, to_device):
        if name in VALUES | SHAPES | ERRORS:
            self.crossings.note(f"to the host: {name}")
        elif name in INDEXING:
            for index in filter(torch.is_tensor, args[1]):
                if not is_simulated(index):
                    self.crossings.note("to the device: index of the host")
                if index.dtype == torch.bool:
                    self.crossings.note("to the host: boolean index")
        elif name == "_to_copy" and is_simulated(args[0]) != to_device:
            self.crossings.note("to the device: copy" if to_device else "to the host: copy")
        elif name == "copy_" and is_simulated(args[0]) != is_simulated(args[1]):
            self.crossings.note("to the device: copy_" if is_simulated(args[0]) else "to the host: copy_")


def is_simulated(tensor) -> bool:
    return isinstance(tensor, SimulatedTensor)


def names_device(device) -> bool:
    return device is not None and torch.device(device).type == NAME


def held(value):
    """Return the values of a tensor of the device, and anything else unchanged."""
    return value.held if is_simulated(value) else value


class Backend(_DummyBackendModule):
    """Functions that torch calls on the module of a device."""

    def get_amp_supported_dtype(self):
        return [torch.bfloat16]


@contextmanager
def simulated_device() -> Iterator[Crossings]:
    """Provide the device, and count its crossings: ``with simulated_device() as crossings``."""
    if torch._C._get_privateuse1_backend_name() != NAME:
        _setup_privateuseone_for_python_backend(NAME, Backend())
    crossings = Crossings()
    with without_inference_mode(), Calls(crossings), Operations(crossings):
        yield crossings


@contextmanager
def without_inference_mode() -> Iterator[None]:
    """Replace inference mode, whose tensors cannot be wrapped, by computing without gradients."""

    graded = {}

    def enter(mode):
        graded[mode] = torch.is_grad_enabled()
        torch.set_grad_enabled(False)

    def leave(mode, *raised):
        torch.set_grad_enabled(graded.pop(mode))

    with patch.multiple(torch.inference_mode, __enter__=enter, __exit__=leave):
        yield


def put(module: nn.Module) -> nn.Module:
    """Move a module's weights and buffers to the device, in place."""
    for part in module.modules():
        for name, weight in list(part.named_parameters(recurse=False)):
            moved = SimulatedTensor(weight.detach())
            setattr(part, name, nn.Parameter(moved, requires_grad=weight.requires_grad))
        for name, buffer in list(part.named_buffers(recurse=False)):
            setattr(part, name, SimulatedTensor(buffer))
    return module
