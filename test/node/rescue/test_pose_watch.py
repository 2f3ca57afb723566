import pytest

from dsm_ros.node.rescue.pose_watch import TopicHealth


def test_silence_counts_after_the_first_message_and_once():
    health = TopicHealth(timeout_s=1.0, max_sigma_m=0.5)
    assert health.new_problem(100.0) is None
    health.add((0.01, 0.01, 0.01), 100.0)
    assert health.new_problem(100.9) is None
    assert "no message for 1.1 s" in health.new_problem(101.1)
    assert health.new_problem(105.0) is None
    health.add((0.01, 0.01, 0.01), 106.0)
    assert "no message" in health.new_problem(108.0)


def test_a_clock_that_is_set_back_starts_the_silence_again():
    health = TopicHealth(timeout_s=1.0, max_sigma_m=0.5)
    health.add((0.01, 0.01, 0.01), 100.0)
    assert health.new_problem(50.0) is None
    assert health.new_problem(50.9) is None
    assert "no message for 1.1 s" in health.new_problem(51.1)


@pytest.mark.parametrize("variance", [1.0, float("inf"), float("nan")])
def test_a_covariance_that_explodes_counts_once(variance):
    health = TopicHealth(timeout_s=1.0, max_sigma_m=0.5)
    health.add((0.01, variance, 0.01), 100.0)
    assert "standard deviation" in health.new_problem(100.1)
    health.add((0.01, variance, 0.01), 100.2)
    assert health.new_problem(100.3) is None
    health.add((0.01, 0.01, 0.01), 100.4)
    health.add((0.01, variance, 0.01), 100.5)
    assert "standard deviation" in health.new_problem(100.6)
