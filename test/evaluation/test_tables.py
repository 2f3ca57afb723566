"""Tables on narrow screens and in pipes."""

from types import SimpleNamespace

import pytest

from dsm_ros.evaluation.evaluation_table import print_figures
from dsm_ros.evaluation.tables import print_table

WIDE = [f"{column} is {'wide' * 12}" for column in range(6)]


@pytest.fixture(params=[20, 80, 132])
def narrow(request, monkeypatch):
    """A screen that is narrower than the table."""
    monkeypatch.setenv("COLUMNS", str(request.param))


@pytest.mark.usefixtures("narrow")
def test_a_table_that_is_wider_than_the_screen_is_printed_whole(capsys):
    print_table("title", WIDE, [WIDE, ["none"]], ["a note"])
    said = capsys.readouterr().out
    assert "…" not in said
    assert all(said.count(cell) == 2 for cell in WIDE)
    assert "a note" in said


def test_a_narrow_table_leaves_the_rest_of_the_screen_free(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    print_table("title", ["a", "b"], [["1", "2"]])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 40


@pytest.mark.usefixtures("narrow")
def test_the_metrics_of_an_evaluation_are_printed_whole(capsys, monkeypatch):
    shown = {"peak memory": "1234567.8 MB", "model": f"lite-{'0123456789' * 13} on cpu"}
    monkeypatch.setattr("dsm_ros.evaluation.evaluation_table.readable", lambda figures: shown)
    print_figures(SimpleNamespace(figures={}, reasons={"few_inliers": 3}))
    said = capsys.readouterr().out
    assert all(value in said for value in (*shown.values(), "not localized: few_inliers"))
