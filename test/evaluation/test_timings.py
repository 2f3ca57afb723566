import pytest

from dsm_ros.evaluation.timings import TimingRow, print_timings, timing


def test_median_and_95th_percentile():
    assert timing("stage", list(range(101)), 60.0) == TimingRow("stage", 50.0, 95.0, 60.0)


@pytest.mark.parametrize(("median_ms", "exceeded"), [(4.9, False), (5.1, True)])
def test_the_table_says_when_a_limit_is_exceeded(capsys, median_ms, exceeded):
    print_timings("title", [TimingRow("ROS", median_ms, 9.0, 5.0), TimingRow("localizer", 100.0, 200.0)])
    said = capsys.readouterr().out
    assert f"{median_ms}" in said
    assert ("exceeded" in said) is exceeded
