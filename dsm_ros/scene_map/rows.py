"""Rows of a LanceDB table by key: where they are is read once, so that a few rows cost the same in a large table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa


class KeyedRows:
    """The rows of one table that meet a condition (SQL; none is all), found by an integer column.

    Where two rows have one key, any of them counts. Rows that this process adds are seen, those of others are not.
    """

    def __init__(self, table: Any, key: str, condition: str | None = None):
        self._table, self._key, self._condition = table, key, condition
        self._addresses: dict[int, int] = {}
        self._version: int | None = None  # of the table, when the addresses were read

    def read(self, keys: Iterable[int], columns: Sequence[str] | None = None) -> dict[int, dict[str, Any]]:
        """Return the rows (their columns, None is all) of those keys that are there."""
        if self._version != self._table.version:
            self._read_addresses()
        wanted = sorted({self._addresses[key] for key in keys if key in self._addresses})
        if not wanted:
            return {}
        query = self._table.take_row_ids(wanted)
        rows = (query.select([self._key, *columns]) if columns else query).to_arrow().to_pylist()
        return {row[self._key]: row for row in rows}

    def _read_addresses(self) -> None:
        version = self._table.version
        table = read_columns(self._table, [self._key], self._condition, with_row_id=True)
        self._addresses = dict(zip(table[self._key].to_pylist(), table["_rowid"].to_pylist(), strict=True))
        self._version = version


def read_columns(
    table: Any, columns: Sequence[str], condition: str | None = None, with_row_id: bool = False
) -> pa.Table:
    """Return columns of all rows that meet a condition (SQL; none is all)."""
    query = table.search().select(list(columns)).with_row_id(with_row_id).limit(table.count_rows() or 1)
    return (query.where(condition) if condition else query).to_arrow()
