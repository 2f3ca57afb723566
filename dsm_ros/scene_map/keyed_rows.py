"""Access to the rows of a LanceDB table by key, with cached row addresses so that large tables are not slower."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa


class KeyedRows:
    """Lookup of the rows of a table by an integer key column, among the rows that meet an optional SQL condition.

    When two rows have the same key, either may be returned. Rows added by this process are found, rows added by
    another process are not.
    """

    def __init__(self, table: Any, key: str, condition: str | None = None):
        self._table, self._key, self._condition = table, key, condition
        self._addresses: dict[int, int] = {}
        self._version: int | None = None  # version of the table at which the addresses were read

    def read(self, keys: Iterable[int], columns: Sequence[str] | None = None) -> dict[int, dict[str, Any]]:
        """Return the rows of all keys that exist, with the given columns or, for None, all columns."""
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
    """Return columns of all rows that meet an optional SQL condition."""
    query = table.search().select(list(columns)).with_row_id(with_row_id).limit(table.count_rows() or 1)
    return (query.where(condition) if condition else query).to_arrow()
