import threading

from dsm_ros.node.images.latest_image_worker import LatestImageWorker, WorkerCounts


def test_the_newest_item_wins_and_the_rest_are_counted():
    entered, release, seen, done = threading.Event(), threading.Event(), [], threading.Event()

    def process(item):
        seen.append(item)
        entered.set()
        assert release.wait(10)
        if item == 9:
            done.set()

    worker = LatestImageWorker(process, WorkerCounts())
    worker.put(0)
    assert entered.wait(10)
    for item in range(1, 10):
        worker.put(item)
    release.set()
    assert done.wait(10)
    worker.stop()
    assert seen == [0, 9]
    assert (worker.counts.received, worker.counts.dropped, worker.counts.failed) == (10, 8, 0)


def test_an_exception_does_not_end_the_worker():
    done = threading.Event()

    def process(item):
        if item == "bad":
            raise RuntimeError("on purpose")
        done.set()

    worker = LatestImageWorker(process, WorkerCounts())
    worker.put("bad")
    while not worker.counts.failed:
        pass
    worker.put("good")
    assert done.wait(10)
    worker.stop()
    assert worker.counts.failed == 1


def test_the_thread_is_prepared_before_the_first_item():
    seen, done = [], threading.Event()
    worker = LatestImageWorker(
        lambda item: (seen.append(item), done.set()), WorkerCounts(), lambda: seen.append("prepared")
    )
    worker.put("item")
    assert done.wait(10)
    worker.stop()
    assert seen == ["prepared", "item"]


def test_the_same_exception_is_logged_once_in_a_while(caplog):
    worker = LatestImageWorker(lambda item: [][item], WorkerCounts())
    for count in range(1, 4):
        worker.put(0)
        while worker.counts.failed < count:
            pass
    worker.stop()
    assert worker.counts.failed == 3
    assert len(caplog.records) == 1
    assert "IndexError" in caplog.text
