"""Rollback of a failed build: a new map is removed, an existing map loses only the rows of the build."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dsm_ros.errors import MapError
from dsm_ros.scene_map.location import connect, is_folder, table_names
from dsm_ros.scene_map.storage_errors import delay_interrupts, translate_write_errors
from dsm_ros.scene_map.store import MapStore

RESERVE_BYTES = 1_000_000


@contextmanager
def rollback_on_failure(uri: str, store: MapStore | None) -> Iterator[list[int]]:
    """Yield a list for the ids of written keyframes; on any exception, undo the build.

    In an existing map (``store``), the listed keyframes are removed and the rows of other builders remain. A new map is
    removed whole. Raises MapError with the original cause when the keyframes cannot be removed.
    """
    is_new_folder = is_folder(uri) and not Path(uri).exists()
    written: list[int] = []
    with _reserve(uri, store) as reserve:
        try:
            yield written
        except BaseException as error:
            reserve.close()
            with delay_interrupts():
                if store is None:
                    _remove_map(uri, is_new_folder)
                elif written:
                    _remove_rows(store, written, error)
            raise


@contextmanager
def _reserve(uri: str, store: MapStore | None) -> Iterator[IO[bytes]]:
    """Reserve disk space for the rollback in an unnamed temporary file, because removing rows needs disk space too."""
    is_needed = store is not None and is_folder(uri)
    with tempfile.TemporaryFile(dir=uri if is_needed else None) as reserve:
        if is_needed:
            with translate_write_errors(uri):
                os.posix_fallocate(reserve.fileno(), 0, RESERVE_BYTES)
        yield reserve


def _remove_map(uri: str, is_new_folder: bool) -> None:
    if is_new_folder:
        shutil.rmtree(uri, ignore_errors=True)
        return
    with suppress(MapError), translate_write_errors(uri):
        database = connect(uri)
        for name in table_names(database):
            database.drop_table(name)


def _remove_rows(store: MapStore, ids: list[int], cause: BaseException) -> None:
    try:
        store.remove(ids)
    except MapError as error:
        failure = f"{cause or type(cause).__name__}; up to {len(ids)} keyframes of this build could not be removed"
        raise MapError(f"{failure}; check the map with: dsm map verify {store.uri}") from error
