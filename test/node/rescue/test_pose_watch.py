import pytest

from dsm_ros.node.rescue.pose_watch import TopicHealth


def test_silence_is_a_problem_after_the_first_message_and_until_the_next():
    health = TopicHealth(timeout_s=1.0, max_sigma_m=0.5)
    assert health.problem(100.0) is None
    health.add((0.01, 0.01, 0.01), 100.0)
    assert health.problem(100.9) is None
    assert "no message for 1.1 s" in health.problem(101.1)
    assert "no message for 5.0 s" in health.problem(105.0)
    health.add((0.01, 0.01, 0.01), 106.0)
    assert health.problem(106.5) is None
    assert "no message" in health.problem(108.0)


def test_a_clock_that_is_set_back_starts_the_silence_again():
    health = TopicHealth(timeout_s=1.0, max_sigma_m=0.5)
    health.add((0.01, 0.01, 0.01), 100.0)
    assert health.problem(50.0) is None
    assert health.problem(50.9) is None
    assert "no message for 1.1 s" in health.problem(51.1)


@pytest.mark.parametrize("variance", [1.0, float("inf"), float("nan")])
def test_a_covariance_that_explodes_is_a_problem_until_it_shrinks(variance):
    health = TopicHealth(timeout_s=1.0, max_sigma_m=0.5)
    health.add((0.01, variance, 0.01), 100.0)
    assert "standard deviation" in health.problem(100.1)
    health.add((0.01, variance, 0.01), 100.2)
    assert "standard deviation" in health.problem(100.3)
    health.add((0.01, 0.01, 0.01), 100.4)
    assert health.problem(100.5) is None
