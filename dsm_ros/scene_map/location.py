"""Locations of maps, folders and buckets: checks for existing maps and for write access."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import lancedb

from dsm_ros.errors import MapError
from dsm_ros.files import why_not_writable
from dsm_ros.scene_map.storage_errors import translate_read_errors

BUCKETS = ("s3", "gs", "az", "abfss", "s3+ddb", "oss", "cos")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//)?")
# Without these limits LanceDB waits three minutes for a server that does not answer.
SERVER_LIMITS = {"connect_timeout": "3s", "client_max_retries": "2", "client_retry_timeout": "10"}


def connect(uri: str) -> Any:
    """Return LanceDB's connection to a folder or bucket. Raises MapError for any other ``uri``."""
    scheme, advice = SCHEME.match(uri), "give a folder, or a location in a bucket such as s3://BUCKET/NAME"
    if not uri:
        raise MapError(f"the name of the map is empty; {advice}")
    if scheme and not (scheme[1] in BUCKETS and scheme[2]):
        raise MapError(f"'{uri}' is not a MAP; {advice}" + ("" if scheme[2] else f"; for a folder, write ./{uri}"))
    return lancedb.connect(uri, storage_options=None if is_folder(uri) else SERVER_LIMITS)


def is_folder(uri: str) -> bool:
    """Return whether a map's location is a folder rather than a bucket."""
    return "://" not in uri


def table_names(database: Any) -> list[str]:
    """Return the names of all tables of a database."""
    return list(database.list_tables().tables)


def map_exists(uri: str) -> bool:
    """Return whether a location contains a complete map, without creating files."""
    return "meta" in _tables(uri)


def check_target(uri: str, append: bool) -> None:
    """Raise MapError unless a build may write to a location: a new location, or with ``append`` an existing map."""
    exists = map_exists(uri)
    if exists and not append:
        raise MapError(f"the map {uri} already exists; choose another name, or add to the map with --append")
    if not exists:
        require_finished(uri)
    if append and not exists:
        raise MapError(f"there is no map at {uri} to append to; leave out --append")
    if not exists and is_folder(uri) and Path(uri).exists() and not _contains_only_tables(Path(uri)):
        raise MapError(f"{uri} exists and is not a map; choose another name")
    require_writable(uri)


def require_finished(uri: str) -> None:
    """Raise MapError when a location without a complete map contains rows of a map.

    A build that is killed before its first commit leaves only empty tables, which are accepted.
    """
    if any(_may_have_rows(uri, name) for name in _tables(uri)):
        raise MapError(f"{uri} contains a damaged or incomplete map; remove the map, or choose another name")


def require_writable(uri: str) -> None:
    """Raise MapError when a folder, or the nearest existing parent of a new folder, is not writable.

    Write access to buckets is not checked.
    """
    if is_folder(uri) and (reason := why_not_writable(Path(uri))):
        raise MapError(f"cannot write the map {uri}: {reason}; choose another folder")


def _tables(uri: str) -> list[str]:
    if is_folder(uri) and not SCHEME.match(uri) and not Path(uri).is_dir():
        return []
    with translate_read_errors(uri):
        return table_names(connect(uri))


def _may_have_rows(uri: str, table: str) -> bool:
    try:
        return bool(connect(uri).open_table(table).count_rows())
    except (OSError, RuntimeError, ValueError):
        return True  # a damaged table must not be overwritten


def _contains_only_tables(path: Path) -> bool:
    return path.is_dir() and all(entry.suffix == ".lance" for entry in path.iterdir())
