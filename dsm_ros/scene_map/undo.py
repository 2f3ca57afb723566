"""What a build wrote is removed when it fails: a new map as a whole, of an older one the rows it added."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dsm_ros.errors import MapError
from dsm_ros.scene_map.place import connect, is_folder, table_names
from dsm_ros.scene_map.reported_errors import uninterrupted, writing_reported
from dsm_ros.scene_map.store import MapStore

RESERVE_BYTES = 1_000_000


@contextmanager
def undone_on_failure(uri: str, store: MapStore | None) -> Iterator[list[int]]:
    """Give a list for the ids of keyframes; on any exception remove them, or the whole map unless ``store`` is given.

    Other builders' rows stay. Raises MapError where an older map cannot be cleaned, with the cause.
    """
    is_new_folder = is_folder(uri) and not Path(uri).exists()
    written: list[int] = []
    with _reserve(uri, store) as reserve:
        try:
            yield written
        except BaseException as error:
            reserve.close()
            with uninterrupted():
                if store is None:
                    _remove_map(uri, is_new_folder)
                elif written:
                    _remove_rows(store, written, error)
            raise


@contextmanager
def _reserve(uri: str, store: MapStore | None) -> Iterator[IO[bytes]]:
    """Keep some of a disk free: on a full one, rows cannot be removed either. The file has no name and dies with us."""
    is_needed = store is not None and is_folder(uri)
    with tempfile.TemporaryFile(dir=uri if is_needed else None) as reserve:
        if is_needed:
            with writing_reported(uri):
                os.posix_fallocate(reserve.fileno(), 0, RESERVE_BYTES)
        yield reserve


def _remove_map(uri: str, is_new_folder: bool) -> None:
    if is_new_folder:
        shutil.rmtree(uri, ignore_errors=True)
        return
    with suppress(MapError), writing_reported(uri):
        database = connect(uri)
        for name in table_names(database):
            database.drop_table(name)


def _remove_rows(store: MapStore, ids: list[int], cause: BaseException) -> None:
    try:
        store.remove(ids)
    except MapError as error:
        told = f"{cause or type(cause).__name__}; up to {len(ids)} keyframes of this build could not be taken back"
        raise MapError(f"{told}, dsm map verify {store.uri} shows what it holds") from error
