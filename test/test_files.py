"""Atomic writing of files, and checks of folders."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from dsm_ros.files import why_not_writable, write_whole


def test_threads_that_write_one_file_at_once_do_not_collide(tmp_path, monkeypatch):
    path, replace, all_written = tmp_path / "poses.tum", Path.replace, Barrier(4)

    def wait_and_replace(temporary, target):
        all_written.wait(10)
        return replace(temporary, target)

    monkeypatch.setattr(Path, "replace", wait_and_replace)
    contents = [bytes([65 + number]) * 1000 for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda content: write_whole(path, content), contents))
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_other_users_may_read_a_file_as_the_umask_says(tmp_path):
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / "poses.tum", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "poses.tum").stat().st_mode) == 0o644


def test_a_new_folder_is_writable_where_its_nearest_parent_is_and_nothing_is_made(tmp_path):
    assert why_not_writable(tmp_path / "new" / "deep") == ""
    (tmp_path / "file").touch()
    assert why_not_writable(tmp_path / "file" / "new") == f"{tmp_path / 'file'} is not writable (Not a directory)"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
