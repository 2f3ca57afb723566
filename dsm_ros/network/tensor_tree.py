"""Trees of tensors: tuples, lists and dataclasses whose leaves are tensors and constants."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from torch import Tensor

T = TypeVar("T")


def map_tensors(tree: T, change: Callable[[Tensor], Tensor]) -> T:
    """Return a tree with a function applied to all tensors in a fixed order, and with None instead of NumPy arrays."""
    value: Any = tree
    if isinstance(value, Tensor):
        return change(value)  # type: ignore[return-value]
    if isinstance(value, np.ndarray):
        return None  # type: ignore[return-value]
    if isinstance(value, (tuple, list)):
        return type(value)(map_tensors(part, change) for part in value)  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        parts = {name: (part, map_tensors(part, change)) for name, part in _parts(value)}
        changed = {name: new for name, (old, new) in parts.items() if new is not old}
        return replace(value, **changed) if changed else tree  # type: ignore[return-value]
    return tree


def signature(tree: object) -> Hashable:
    """Return a key that is equal for trees with the same structure, constants, tensor shapes and tensor types."""
    if isinstance(tree, Tensor):
        return tree.shape, tree.dtype, tree.device
    if isinstance(tree, np.ndarray):
        return np.ndarray
    if isinstance(tree, (tuple, list)):
        return type(tree), tuple(signature(part) for part in tree)
    if is_dataclass(tree):
        return type(tree), tuple(signature(part) for _, part in _parts(tree))
    return tree


def tensors_of(tree: object) -> list[Tensor]:
    """Return the tensors of a tree in the order of ``map_tensors``."""
    found: list[Tensor] = []
    map_tensors(tree, lambda tensor: found.append(tensor) or tensor)  # type: ignore[func-returns-value]
    return found


def _parts(value: Any) -> list[tuple[str, object]]:
    return [(field.name, getattr(value, field.name)) for field in fields(value)]
