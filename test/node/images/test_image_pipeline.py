import threading

import pytest

from dsm_ros.node.images.image_pipeline import ImageCounts, ImagePipeline, Stage

WAIT_S = 10


class Gate:
    """A stage that notes its items, and waits in each item until it is opened."""

    def __init__(self, is_open=False):
        self.seen, self.entered, self.opened = [], threading.Semaphore(0), threading.Semaphore(1000 if is_open else 0)

    def __call__(self, item):
        self.seen.append(item)
        self.entered.release()
        assert self.opened.acquire(timeout=WAIT_S)
        return item


@pytest.fixture
def pipelines():
    made = []

    def make(first, second):
        made.append(ImagePipeline(Stage(first), Stage(second), ImageCounts()))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.stop()


def while_one_item_is_processed_and_one_is_prepared(pipelines):
    first, second = Gate(is_open=True), Gate()
    pipeline = pipelines(first, second)
    pipeline.put(0)
    assert second.entered.acquire(timeout=WAIT_S)
    pipeline.put(1)
    for _ in range(2):
        assert first.entered.acquire(timeout=WAIT_S)
    return first, second, pipeline


def test_the_newest_item_wins_and_the_rest_are_counted(pipelines):
    first, second = Gate(), Gate(is_open=True)
    pipeline = pipelines(first, second)
    pipeline.put(0)
    assert first.entered.acquire(timeout=WAIT_S)
    assert [pipeline.put(item) for item in range(1, 10)] == [None, *range(1, 9)]  # what each item replaces
    first.opened.release(2)
    for _ in range(2):
        assert second.entered.acquire(timeout=WAIT_S)
    assert first.seen == second.seen == [0, 9]
    assert (pipeline.counts.received, pipeline.counts.dropped, pipeline.counts.failed) == (10, 8, 0)


def test_one_item_is_prepared_while_another_is_processed_and_the_next_is_chosen_late(pipelines):
    first, second, pipeline = while_one_item_is_processed_and_one_is_prepared(pipelines)
    pipeline.put(2)
    pipeline.put(3)
    assert not first.entered.acquire(timeout=0.2)
    second.opened.release()
    assert first.entered.acquire(timeout=WAIT_S)
    assert first.seen == [0, 1, 3]
    second.opened.release(2)


def test_stop_waits_for_the_current_item_and_drops_the_prepared_item(pipelines):
    _, second, pipeline = while_one_item_is_processed_and_one_is_prepared(pipelines)
    stopping = threading.Thread(target=pipeline.stop)
    stopping.start()
    stopping.join(0.2)
    assert stopping.is_alive()
    second.opened.release()
    stopping.join(WAIT_S)
    assert not stopping.is_alive()
    assert second.seen == [0]


@pytest.mark.parametrize("broken", [0, 1])
def test_an_exception_does_not_end_a_thread(pipelines, broken):
    done = threading.Event()

    def fail_once(item):
        if item == "bad":
            raise RuntimeError("on purpose")
        return item

    stages = [lambda item: item, lambda item: done.set() if item == "good" else None]
    stages[broken] = (lambda stage: lambda item: stage(fail_once(item)))(stages[broken])
    pipeline = pipelines(*stages)
    pipeline.put("bad")
    while not pipeline.counts.failed:
        pass
    pipeline.put("good")
    assert done.wait(WAIT_S)
    assert pipeline.counts.failed == 1


def test_both_threads_begin_before_the_first_item():
    seen, done = [], threading.Event()
    first = Stage(lambda item: seen.append("first") or item, lambda: seen.append("first begins"))
    second = Stage(lambda item: (seen.append("second"), done.set()), lambda: seen.append("second begins"))
    pipeline = ImagePipeline(first, second, ImageCounts())
    pipeline.put("item")
    assert done.wait(WAIT_S)
    pipeline.stop()
    assert seen.index("first begins") < seen.index("first") < seen.index("second")
    assert seen.index("second begins") < seen.index("second")


def test_the_same_exception_is_logged_once_in_a_while(pipelines, caplog):
    pipeline = pipelines(lambda item: [][item], print)
    for count in range(1, 4):
        pipeline.put(0)
        while pipeline.counts.failed < count:
            pass
    assert pipeline.counts.failed == 3
    assert len(caplog.records) == 1
    assert "IndexError" in caplog.text
