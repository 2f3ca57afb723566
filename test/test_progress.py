"""Progress bars write nothing before their first step."""

import threading

from dsm_ros.progress import progress_bar


def test_a_bar_that_never_moved_prints_nothing(capsys):
    with progress_bar("localizing"):
        pass
    assert capsys.readouterr().err == ""


def test_a_bar_that_moved_is_shown_on_stderr(capsys):
    with progress_bar("localizing") as on_progress:
        on_progress(1, 2)
    shown = capsys.readouterr()
    assert "localizing" in shown.err
    assert shown.out == ""


def test_no_thread_draws_while_steps_are_measured():
    before = threading.active_count()
    with progress_bar("localizing") as on_progress:
        on_progress(1, 2)
        assert threading.active_count() == before
