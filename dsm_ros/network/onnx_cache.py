"""Exported graphs, kept in the user's cache folder: never stale, and made again when damaged."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from dsm_ros.files import write_whole

DIGEST_BYTES = hashlib.sha256().digest_size

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return where graphs are kept; deleting it costs the time to make them again."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "dsm_ros" / "onnx"


def identity(module: nn.Module) -> str:
    """Return a checksum of all that a module's graph is made of: its weights, this folder's code and torch's version.

    Names with it cannot go stale, whatever was changed.
    """
    digest = hashlib.sha256(torch.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    for name, value in module.state_dict().items():
        digest.update(f"{name} {tuple(value.shape)}".encode())
        digest.update(value.cpu().contiguous().numpy())
    return digest.hexdigest()[:32]


def cached_graph(name: str, make: Callable[[], bytes]) -> bytes:
    """Return the graph of a name; made, and kept as far as the folder can be written, when it is not there whole."""
    path = cache_folder() / f"{name}.graph"
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    graph = content[DIGEST_BYTES:]
    if content and hashlib.sha256(graph).digest() == content[:DIGEST_BYTES]:
        return graph
    graph = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, hashlib.sha256(graph).digest() + graph)
    except OSError as error:
        logger.warning("the exported network cannot be kept in %s (%s)", path.parent, error)
    return graph
