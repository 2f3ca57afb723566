"""Cache of exported ONNX graphs in the user's cache folder."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import torch
from torch import nn

from dsm_ros.files import write_whole

KEPT_S = 60 * 24 * 3600.0  # 60 days
DIGEST_BYTES = hashlib.sha256().digest_size

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the folder of the cached ONNX graphs; the user may delete the folder at any time."""
    base, home = Path(os.environ.get("XDG_CACHE_HOME", "")), Path(os.environ.get("HOME", ""))
    if not base.is_absolute():
        base = home / ".cache" if home.is_absolute() else _temporary_folder(tempfile.gettempdir(), os.getuid())
    return base / "dsm_ros" / "onnx"


@cache  # so that a process makes at most one other folder
def _temporary_folder(parent: str, user: int) -> Path:
    """Return a folder for temporary files that the user owns, so that no other user can put graphs into it."""
    folder = Path(parent) / f"dsm_ros-{user}"
    with suppress(OSError):  # another user may have put a file or a link there
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.lstat().st_uid == user:
            return folder
    return Path(tempfile.mkdtemp(prefix="dsm_ros-", dir=parent))


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
        with suppress(OSError):  # the folder may be read-only
            os.utime(path)  # many computers do not note when a file is read
        return graph
    graph = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, hashlib.sha256(graph).digest() + graph)
        _delete_old_graphs(path.parent)
    except OSError as error:
        logger.warning("the exported network cannot be cached in %s (%s)", path.parent, error)
    return graph


def _delete_old_graphs(folder: Path) -> None:
    """Delete graphs that no program has read for ``KEPT_S``, and remains of graphs that were never written whole."""
    for graph in folder.glob("*.graph*"):
        with suppress(OSError):  # another program may delete the same graph
            if time.time() - graph.stat().st_mtime > KEPT_S:
                graph.unlink()
