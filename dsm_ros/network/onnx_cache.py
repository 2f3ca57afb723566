"""Cache of exported ONNX graphs in the user's cache folder."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
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
        base = home / ".cache" if home.is_absolute() else _temporary_folder()
    return base / "dsm_ros" / "onnx"


def _temporary_folder() -> Path:
    """Return a folder for temporary files that the user owns, so that no other user can put graphs into it."""
    folder = Path(tempfile.gettempdir()) / f"dsm_ros-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder if folder.lstat().st_uid == os.getuid() else Path(tempfile.mkdtemp(prefix="dsm_ros-"))


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
        _delete_old_graphs(path)
    except OSError as error:
        logger.warning("the exported network cannot be cached in %s (%s)", path.parent, error)
    return graph


def _delete_old_graphs(path: Path) -> None:
    """Delete graphs of the same part that no program has read for ``KEPT_S``, for example of earlier weights."""
    for other in path.parent.glob(f"{path.stem.rpartition('-')[0]}-*{path.suffix}"):
        with suppress(OSError):  # another program may delete the same graph
            if time.time() - other.stat().st_atime > KEPT_S:
                other.unlink()
