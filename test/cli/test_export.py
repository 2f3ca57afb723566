"""The command ``dsm export`` and the option ``--runtime``."""

import numpy as np
import onnxruntime
import pytest

from dsm_ros.paths import models_folder

ROOM = "rooms:2/size=128x96,frames=20"


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cli-cache"))


def test_an_export_runs_in_onnxruntime(tmp_path, dsm):
    out = tmp_path / "net.onnx"
    done = dsm("export", out)
    assert done.status == 0
    assert done.out.split() == [str(out), str(tmp_path / "net.confidence.onnx")]
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    found = session.run(["level_0", "descriptor"], {"input": np.full((1, 3, 64, 96), 90, np.float32)})
    assert [value.shape[:2] for value in found] == [(1, 64), (1, 320)]
    done = dsm("export", models_folder() / "dsm_lite.safetensors", tmp_path / "other.onnx")
    assert done.status == 0
    assert (tmp_path / "other.onnx").read_bytes() == out.read_bytes()


def test_trained_heads_are_files_beside_the_encoder(tmp_path, dsm):
    from dsm_ros.network.checkpoint import save_network
    from dsm_ros.network.dsm_net import DsmNet

    save_network(DsmNet().eval(), tmp_path / "mine.safetensors")
    done = dsm("export", tmp_path / "mine.safetensors", tmp_path / "net.onnx")
    assert done.status == 0
    parts = ["net.onnx", "net.confidence.onnx", "net.level_0.onnx", "net.level_1.onnx"]
    assert {path.name for path in tmp_path.iterdir()} == {"mine.safetensors", *parts}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.safetensors", "net.onnx"], "no weights at"),
        (["nowhere/net.onnx"], "existing, writable folder"),
        (["dsm_lite.safetensors"], "ends in .onnx"),
        ([], "Missing argument 'OUT.onnx'"),
        (["a.safetensors", "b.safetensors", "net.onnx"], "takes one MODEL; use: dsm export [MODEL] OUT.onnx"),
    ],
)
def test_bad_input_gives_one_line_and_no_file(tmp_path, dsm, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    done = dsm("export", *arguments)
    assert done.status == 2
    error = done.err
    assert error.count("\n") == 1
    assert said in error
    assert not list(tmp_path.iterdir())


def test_a_head_that_cannot_be_written_leaves_the_encoder_as_it_was(tmp_path, dsm):
    (tmp_path / "net.onnx").write_text("old")
    (tmp_path / "net.confidence.onnx").mkdir()
    done = dsm("export", tmp_path / "net.onnx")
    assert done.status == 2
    assert done.err.startswith(f"dsm: cannot write {tmp_path / 'net.confidence.onnx'}; ")
    assert (tmp_path / "net.onnx").read_text() == "old"


def test_the_help_shows_an_optional_model_before_the_required_file(dsm):
    usage, _, rest = dsm("export", "--help").out.partition("Export the network")
    assert usage.split() == ["Usage:", "dsm", "export", "[OPTIONS]", "[MODEL]", "{OUT.onnx}"]
    model, _, out = rest.partition("─ Arguments ")[2].partition("OUT.onnx")
    assert "[required]" not in model
    assert "[required]" in out


def test_a_map_is_built_and_localized_in_with_onnxruntime(tmp_path, dsm):
    room = tmp_path / "room"
    done = dsm("map", "build", ROOM, room, "--frames", "::4", "--runtime", "onnxruntime")
    assert done.status == 0
    done = dsm("localize", room, ROOM, "--frames", "::10", "--runtime", "onnxruntime", "--out", tmp_path / "poses")
    assert done.status == 0
    assert (tmp_path / "poses").exists()


@pytest.mark.parametrize("device", ["abacus", "meta", "cpu:7", "cuda:", "cuda:98", "CPU", ""])
def test_a_device_that_cannot_be_used_is_one_line(tmp_path, dsm, device):
    done = dsm("map", "build", ROOM, tmp_path / "room", "--device", device)
    assert done.status == 2
    (line,) = done.err.strip().splitlines()
    assert line.startswith(f"dsm: the network cannot run on the device '{device}'")
    assert line.endswith("choose cpu, cuda or cuda:NUMBER")
    assert not (tmp_path / "room").exists()
    assert not (tmp_path / "room").exists()
