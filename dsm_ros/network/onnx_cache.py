"""Cache of exported ONNX graphs in the user's cache folder."""

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
    """Return the folder of the cached ONNX graphs; the user may delete the folder at any time."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "dsm_ros" / "onnx"


def identity(module: nn.Module) -> str:
    """Return a checksum of a module's weights, of this folder's code and of torch's version.

    A cached graph whose name has this checksum cannot be stale.
    """
    digest = hashlib.sha256(torch.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    for name, value in module.state_dict().items():
        digest.update(f"{name} {tuple(value.shape)}".encode())
        digest.update(value.cpu().contiguous().numpy())
    return digest.hexdigest()[:32]


def cached_graph(name: str, make: Callable[[], bytes]) -> bytes:
    """Return the cached graph of a name, or make a missing graph and cache it if the folder is writable."""
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
        logger.warning("the exported network cannot be cached in %s (%s)", path.parent, error)
    return graph
