"""Where a map is or may be: folders and buckets, what they hold, and whether they can be written."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import lancedb

from dsm_ros.errors import MapError
from dsm_ros.scene_map.reported_errors import damage_reported

BUCKETS = ("s3", "gs", "az", "abfss", "s3+ddb", "oss", "cos")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//)?")
# Of a server that is gone: LanceDB's own limit is three minutes.
SERVER_LIMITS = {"connect_timeout": "3s", "client_max_retries": "2", "client_retry_timeout": "10"}


def connect(uri: str) -> Any:
    """Return LanceDB's connection to a folder or bucket. Raises MapError when the text names neither."""
    scheme = SCHEME.match(uri)
    if scheme and not (scheme[1] in BUCKETS and scheme[2]):
        told = f"'{uri}' is no MAP: a map is a folder, or a place in a bucket such as s3://BUCKET/NAME"
        raise MapError(told if scheme[2] else f"{told}; for a folder of this name, write ./{uri}")
    return lancedb.connect(uri, storage_options=None if is_folder(uri) else SERVER_LIMITS)


def is_folder(uri: str) -> bool:
    """Return whether a map is, or would be, on a disk rather than on a server."""
    return "://" not in uri


def table_names(database: Any) -> list[str]:
    """Return the names of all tables at a place."""
    return list(database.list_tables().tables)


def map_exists(uri: str) -> bool:
    """Return whether there is a complete map; never creates anything."""
    return "meta" in _tables(uri)


def check_target(uri: str, append: bool) -> None:
    """Raise MapError unless a build may write there: a new place, or with ``append`` an existing map."""
    exists = map_exists(uri)
    if exists and not append:
        raise MapError(f"{uri} is a map already; choose another name, or add to it with --append")
    if not exists:
        require_finished(uri)
    if append and not exists:
        raise MapError(f"no map at {uri} to append to; leave out --append")
    if not exists and is_folder(uri) and Path(uri).exists() and not _holds_tables_alone(Path(uri)):
        raise MapError(f"{uri} exists and is no map; choose another name")
    require_writable(uri)


def require_finished(uri: str) -> None:
    """Raise MapError where a place that is no map holds rows of one; a build killed at its start leaves none."""
    if any(_may_hold_rows(uri, name) for name in _tables(uri)):
        raise MapError(f"{uri} holds a map that is damaged or unfinished; remove it, or choose another name")


def require_writable(uri: str) -> None:
    """Raise MapError when nothing can be written in a folder, or where it would be made; servers are not asked."""
    if not is_folder(uri):
        return
    place = Path(uri).absolute()
    while not place.exists():
        place = place.parent
    try:
        # Rights alone do not tell: some file systems refuse new folders even to root.
        tempfile.TemporaryDirectory(dir=place).cleanup()
    except OSError as error:
        told = f"cannot write the map {uri}: nothing can be made in {place} ({error.strerror})"
        raise MapError(f"{told}; choose another place") from error


def _tables(uri: str) -> list[str]:
    if is_folder(uri) and not SCHEME.match(uri) and not Path(uri).is_dir():
        return []
    with damage_reported(uri):
        return table_names(connect(uri))


def _may_hold_rows(uri: str, table: str) -> bool:
    try:
        return bool(connect(uri).open_table(table).count_rows())
    except (OSError, RuntimeError, ValueError):
        return True  # a damaged table is not ours to replace


def _holds_tables_alone(path: Path) -> bool:
    return path.is_dir() and all(entry.suffix == ".lance" for entry in path.iterdir())
