import os
import stat
import tempfile

import pytest
import torch
from torch import nn

from dsm_ros.network import onnx_cache
from dsm_ros.network.onnx_cache import cache_folder, cached_graph, identity


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "dsm_ros" / "onnx"


def refuse():
    raise AssertionError("made again")


def test_a_graph_is_made_once(folder):
    assert cached_graph("net", lambda: b"graph") == b"graph"
    assert cached_graph("net", refuse) == b"graph"
    assert [path.name for path in folder.iterdir()] == ["net.graph"]


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:-1], lambda b: b[:-1] + b"?", lambda b: b"0" * 99])
def test_a_damaged_file_is_made_again(folder, damage):
    cached_graph("net", lambda: b"graph")
    path = folder / "net.graph"
    path.write_bytes(damage(path.read_bytes()))
    assert cached_graph("net", lambda: b"graph") == b"graph"
    assert cached_graph("net", refuse) == b"graph"


def test_a_failed_export_leaves_nothing(folder):
    with pytest.raises(AssertionError):
        cached_graph("net", refuse)
    assert not folder.exists()


def test_an_unwritable_folder_costs_time_only(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cached_graph("net", lambda: b"graph") == b"graph"
    assert "cannot be cached" in caplog.text


def test_a_write_that_fails_leaves_the_old_file_and_no_part(folder, monkeypatch):
    cached_graph("net", lambda: b"graph")
    path = folder / "net.graph"
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: None)
    monkeypatch.setattr(onnx_cache.Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        onnx_cache.write_whole(path, b"new")
    assert path.read_bytes() == before
    assert list(folder.iterdir()) == [path]
    assert path.stat().st_mode & stat.S_IRUSR


def test_without_the_variable_or_with_a_relative_one_it_is_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert cache_folder() == tmp_path / ".cache" / "dsm_ros" / "onnx"


@pytest.mark.parametrize("home", ["", "relative", None])
def test_without_a_home_folder_it_is_a_temporary_folder_of_the_user(tmp_path, monkeypatch, home):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    base = tmp_path / f"dsm_ros-{os.getuid()}"
    assert cache_folder() == cache_folder() == base / "dsm_ros" / "onnx"
    assert stat.S_IMODE(base.stat().st_mode) == 0o700


def test_a_temporary_folder_of_another_user_is_not_used(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stranger = os.getuid() + 1
    planted = tmp_path / f"dsm_ros-{stranger}"
    planted.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: stranger)
    assert cache_folder().parents[1] != planted


@pytest.mark.parametrize("make", [lambda path: path.write_text(""), lambda path: path.symlink_to("nowhere")])
def test_a_file_or_a_link_in_place_of_the_temporary_folder_leads_to_one_other_folder(tmp_path, monkeypatch, make):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    make(tmp_path / f"dsm_ros-{os.getuid()}")
    assert cache_folder() == cache_folder()
    assert cached_graph("net", lambda: b"graph") == b"graph"
    assert cached_graph("net", refuse) == b"graph"


def test_an_export_deletes_graphs_that_no_program_has_read_for_a_long_time(folder):
    for name in ("unread", "read", "recent"):
        cached_graph(name, lambda: b"graph")
    (folder / ".half_written.graph.1234").write_bytes(b"gr")
    (folder / "engine.of.TensorRT").write_bytes(b"engine")
    for path in folder.iterdir():
        if path.stem != "recent":
            os.utime(path, (0, 0))
    assert cached_graph("read", refuse) == b"graph"
    cached_graph("new", lambda: b"graph")
    assert {path.name for path in folder.iterdir()} == {
        "read.graph",
        "recent.graph",
        "new.graph",
        "engine.of.TensorRT",
    }


def test_other_weights_another_torch_and_other_code_have_another_identity(tmp_path, monkeypatch):
    module = nn.Conv2d(3, 4, 1)
    found = [identity(module), identity(module)]
    assert found[0] == found[1]
    with torch.no_grad():
        module.bias[2] += 1e-6
    found.append(identity(module))
    monkeypatch.setattr(torch, "__version__", "99")
    found.append(identity(module))
    monkeypatch.setattr(onnx_cache, "__file__", str(tmp_path / "onnx_cache.py"))
    (tmp_path / "layers.py").write_text("")
    found.append(identity(module))
    (tmp_path / "layers.py").write_text("changed = True")
    found.append(identity(module))
    assert len(set(found)) == 5
