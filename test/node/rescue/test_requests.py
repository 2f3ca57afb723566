import pytest
from reports import FAILED, FOUND

from dsm_ros.node.rescue.requests import Failure, RescueRequests


class Client:
    """A listener that remembers what it hears."""

    def __init__(self):
        self.is_canceled = False
        self.images, self.outcomes = [], []

    def cancel(self):
        self.is_canceled = True

    def on_image(self, request, report):
        self.images.append((request.frames, report))

    def on_end(self, request, outcome):
        self.outcomes.append(outcome)


class Now:
    """A clock that a test sets."""

    def __init__(self):
        self.set(100.0)

    def __call__(self):
        return self.time_s

    def set(self, time_s):
        self.time_s = time_s


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def successes():
    return []


@pytest.fixture
def requests(now, successes):
    return RescueRequests(now, successes.append)


def opened(requests, timeout_s=10.0):
    client = Client()
    requests.open(timeout_s, client).start()
    return client


def test_a_request_ends_with_the_first_pose(requests, successes):
    first, second = opened(requests), opened(requests)
    requests.deliver(FAILED)
    assert (first.images, first.outcomes) == ([(1, FAILED)], [])
    requests.deliver(FOUND)
    assert first.outcomes == second.outcomes == [FOUND]
    assert first.images == [(1, FAILED), (2, FOUND)]
    assert successes == [FOUND]
    assert not requests.any_open
    requests.deliver(FOUND)
    assert successes == [FOUND]


def test_an_image_from_before_the_start_is_no_answer(requests):
    client = Client()
    request = requests.open(10.0, client)
    requests.deliver(FOUND)
    assert (request.frames, client.outcomes) == (0, [])
    request.start()
    requests.deliver(FOUND)
    assert client.outcomes == [FOUND]


def test_without_images_the_timeout_says_so(requests, now):
    client = opened(requests)
    now.set(109.9)
    requests.check()
    assert client.outcomes == []
    now.set(110.1)
    requests.check()
    (failure,) = client.outcomes
    assert failure.reason == "timeout"
    assert "no image was processed within 10.0 s" in failure.detail


def test_the_timeout_repeats_the_last_reason(requests, now):
    client = opened(requests)
    requests.deliver(FAILED)
    now.set(111.0)
    requests.check()
    assert client.outcomes[0].reason == "too_few_inliers"
    assert "none of 1 images" in client.outcomes[0].detail
    assert "7 of 9" in client.outcomes[0].detail


def test_a_clock_that_is_set_back_starts_the_timeout_again(requests, now):
    client = opened(requests)
    now.set(5.0)
    requests.check()
    now.set(14.9)
    requests.check()
    assert client.outcomes == []
    now.set(15.1)
    requests.check()
    assert client.outcomes[0].reason == "timeout"


def test_a_canceled_request_ends_with_the_next_check(requests):
    client = opened(requests)
    client.cancel()
    requests.check()
    assert client.outcomes == [Failure("canceled", "canceled after 0 images")]
    assert not requests.any_open


def test_requests_are_refused_with_the_reason_until_they_are_accepted_again(requests):
    refusal = Failure("inactive", "the node was deactivated")
    before = opened(requests)
    requests.refuse(refusal)
    during = opened(requests)
    assert before.outcomes == during.outcomes == [refusal]
    requests.accept()
    after = opened(requests)
    requests.deliver(FOUND)
    assert after.outcomes == [FOUND]
