"""Faults of disks, servers and users cause one line and leave nothing of the build."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import map_helpers as helpers
import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.errors import MapError
from dsm_ros.scene_map.builder import build_map, refresh_features
from dsm_ros.scene_map.location import map_exists
from dsm_ros.scene_map.statistics import map_statistics


@pytest.fixture(scope="module")
def room():
    return open_rooms(helpers.ROOM)


def build(room, uri, stop, append=False, encoder=None):
    return build_map(room, range(stop), str(uri), encoder or helpers.FakeEncoder(), "s", append, helpers.quiet)


def mounted(folder, *options):
    """Mount a small disk; skip the test when this user may not mount."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "none", str(folder)], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("this user may not mount a disk")
    return folder


@pytest.fixture
def small_disk(tmp_path):
    folder = mounted(tmp_path / "disk", "-o", "size=2500k")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("append", [False, True])
def test_a_full_disk_leaves_the_map_as_it_was(small_disk, room, append):
    uri = small_disk / "m"
    if append:
        build(room, uri, 16)
    with pytest.raises(MapError, match=f"cannot write the map {uri}: No space left on device; free some space"):
        build(room, uri, 300, append)
    assert uri.exists() == append
    if append:
        assert map_statistics(str(uri))["keyframes"] == 16
        assert map_statistics(str(uri))["features"] == {"fake": 16}


@pytest.fixture
def limited_file_size():
    """Limit files to 50 KB, a write error that any user can cause."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_write_that_fails_removes_the_new_map(tmp_path, room, limited_file_size):
    with pytest.raises(MapError, match=r"cannot write the map .*File too large"):
        build(room, tmp_path / "m", 40)
    assert not (tmp_path / "m").exists()


@pytest.fixture
def read_only(tmp_path, room):
    """A read-only folder that contains a map."""
    if os.geteuid():
        folder = tmp_path / "disk"
        folder.mkdir()
        build(room, folder / "m", 16)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)
        return
    folder = mounted(tmp_path / "disk")
    build(room, folder / "m", 16)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_read_only_place_is_refused_before_any_work(read_only, room):
    with pytest.raises(MapError, match=r"Read-only file system|Permission denied"):
        build(room, read_only / "new" / "m", 16)
    assert map_statistics(str(read_only / "m"))["keyframes"] == 16
    if os.geteuid() == 0:
        with pytest.raises(MapError, match=r"Read-only file system|Permission denied"):
            build(room, read_only / "m", 16, append=True)
        with pytest.raises(MapError, match=r"Read-only file system|Permission denied"):
            refresh_features(str(read_only / "m"), helpers.FakeEncoder(), helpers.quiet)


class Failing(helpers.FakeEncoder):
    """An encoder that fails at the 20th keyframe, after one batch is written."""

    count = 0

    def encode_keyframe(self, *arguments):
        self.count += 1
        if self.count == 20:
            raise KeyboardInterrupt
        return super().encode_keyframe(*arguments)


def test_an_interrupted_build_takes_back_what_it_wrote_and_nothing_else(tmp_path, room):
    uri = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        build(room, uri, 60, encoder=Failing())
    assert not uri.exists()
    uri.mkdir()  # an existing folder stays
    with pytest.raises(KeyboardInterrupt):
        build(room, uri, 60, encoder=Failing())
    assert uri.is_dir()
    assert not map_exists(str(uri))
    build(room, uri, 4)
    with pytest.raises(KeyboardInterrupt):
        build(room, uri, 60, append=True, encoder=Failing())
    assert map_statistics(str(uri))["keyframes"] == 4


INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores the signal
sys.path.insert(0, {folder!r})
import map_helpers as helpers
from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.scene_map.builder import build_map
print("started", flush=True)
build_map(open_rooms({room!r}), range(300), {uri!r}, helpers.FakeEncoder(), "s", False, helpers.quiet)
"""


@pytest.mark.parametrize("batches", [1, 3])
def test_ctrl_c_leaves_no_map(tmp_path, batches):
    uri = tmp_path / "m"
    code = INTERRUPTED.format(folder=str(Path(__file__).parent), room=helpers.ROOM, uri=str(uri))
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    deadline_s = time.monotonic() + 60
    while len(list(uri.glob("keyframes.lance/data/*"))) < batches and time.monotonic() < deadline_s:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in told
    assert not uri.exists()


def test_a_server_that_is_gone_is_told_in_one_line_soon(monkeypatch, room):
    for name, value in {
        "AWS_ENDPOINT": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    start_s = time.monotonic()
    with pytest.raises(MapError, match="cannot read the map s3://maps/office: Connection refused; check") as told:
        map_statistics("s3://maps/office")
    assert "\n" not in str(told.value)
    assert time.monotonic() - start_s < 20


def test_an_empty_name_of_a_map_is_told():
    with pytest.raises(MapError, match="the name of the map is empty; give a folder"):
        map_statistics("")
