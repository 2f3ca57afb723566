"""Busy and idle time of overlapping work."""

import pytest

from dsm_ros.evaluation.busy_time import Work, busy_time, gap_lines


def test_overlapping_work_counts_once_and_gaps_are_between_what_ended_last_and_what_came_next():
    found = busy_time([Work("c", 30, 40), Work("a", 0, 20), Work("b", 5, 10)])
    assert (found.span_us, found.busy_us) == (40, 30)
    assert [(gap.length_us, gap.before, gap.after) for gap in found.gaps] == [(10, "a", "c")]
    assert found.idle_share == pytest.approx(0.25)


def test_no_work_is_no_time():
    assert busy_time([]).idle_share == 0


def test_gaps_are_listed_by_length():
    found = busy_time([Work("a", 0, 1), Work("b", 2, 3), Work("c", 2003, 2004)])
    lines = gap_lines(found.gaps)
    assert lines[0] == "gaps up to 10 us: 1, 0.00 ms in total"
    assert lines[3] == "gaps up to inf us: 1, 2.00 ms in total"
    assert "between b and c" in lines[4]
