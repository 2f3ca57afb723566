"""Rows are found by key after any change of the table."""

import lancedb
import pyarrow as pa
import pytest

from dsm_ros.scene_map.keyed_rows import KeyedRows

SCHEMA = pa.schema([("id", pa.int64()), ("kind", pa.string()), ("text", pa.string())])


def rows(ids, kind="a"):
    return [{"id": i, "kind": kind, "text": f"{kind}{i}"} for i in ids]


@pytest.fixture
def table(tmp_path):
    table = lancedb.connect(str(tmp_path)).create_table("t", rows([5, 3, 9]), schema=SCHEMA)
    table.add(rows([5, 7], "b"))
    return table


def test_only_rows_that_are_asked_for_and_meet_the_condition(table):
    found = KeyedRows(table, "id", "kind = 'a'").read([9, 5, 5, 7, 100])
    assert {key: row["text"] for key, row in found.items()} == {5: "a5", 9: "a9"}
    assert KeyedRows(table, "id").read([]) == {}


def test_only_the_columns_that_are_asked_for(table):
    assert KeyedRows(table, "id", "kind = 'b'").read([7], ["text"]) == {7: {"id": 7, "text": "b7"}}


def test_rows_that_were_added_moved_or_deleted_since(table):
    keyed = KeyedRows(table, "id", "kind = 'a'")
    keyed.read([3])
    table.add(rows([11]))
    assert keyed.read([11])[11]["text"] == "a11"
    table.delete("id = 3")
    table.optimize()
    assert {key: row["text"] for key, row in keyed.read([3, 5, 11]).items()} == {5: "a5", 11: "a11"}
