"""The command ``dsm train`` with the smallest recipe."""

from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from dsm_ros.training import session
from dsm_ros.training.devices import Devices
from dsm_ros.training.train import Trained

RECIPE = "steps: 2\nepisodes: 1\nviews: 3\nqueries: 2\nwidth_px: 96\nheight_px: 64\npool: 1\nsave_every: 1\n"


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def test_a_run_leaves_weights_a_state_and_curves_and_is_not_overwritten(dsm, tmp_path, recipe):
    textures = tmp_path / "textures"
    textures.mkdir()
    for i in range(8):
        pixels = np.random.default_rng(i).integers(0, 255, (256, 256, 3), dtype=np.uint8)
        cv2.imwrite(str(textures / f"{i}.jpg"), pixels)
    out = tmp_path / "run"
    done = dsm("train", recipe, "--out", out, "--textures", textures, "--workers", 0)
    assert done.status == 0, done.err
    assert {"dsm_lite.safetensors", "last.pt"} <= {path.name for path in out.iterdir()}
    assert list(out.glob("events.out.tfevents.*"))
    again = dsm("train", recipe, "--out", out)
    assert again.status == 2
    assert "--resume" in again.err


def test_bad_input_is_one_line_and_leaves_no_folder(dsm, tmp_path, recipe):
    impossible = tmp_path / "impossible.yaml"
    impossible.write_text(RECIPE.replace("pool: 1", "pool: 0"))
    sources = ["--textures", tmp_path / "none"], ["--sequence", "nowhere"], ["--sequence", "rooms:7/size=64x320"]
    for arguments in (["huge"], [impossible], [recipe, "--resume"], *([recipe, *source] for source in sources)):
        done = dsm("train", *arguments, "--out", tmp_path / "run")
        assert done.status == 2, arguments
        assert done.err.startswith("dsm: ")
        assert done.err.count("\n") == 1
        assert not (tmp_path / "run").exists()


def test_a_damaged_state_is_one_line_and_stays_as_it_is(dsm, tmp_path, recipe):
    out = tmp_path / "run"
    out.mkdir()
    (out / "last.pt").write_bytes(b"")
    done = dsm("train", recipe, "--out", out, "--resume", "--cache-rooms", "--workers", 0)
    assert done.status == 2
    assert done.err.startswith("dsm: ")
    assert "last.pt" in done.err
    assert done.err.count("\n") == 1
    assert [path.name for path in out.iterdir()] == ["last.pt"]


@pytest.fixture
def trained(monkeypatch):
    """Replace the training by its result, with the given number of skipped steps."""

    def replace(skipped):
        monkeypatch.setattr(session, "train", lambda *arguments: Trained(Path("dsm_lite.safetensors"), 9, skipped))

    return replace


@pytest.mark.parametrize(("skipped", "warning"), [(0, ""), (2, "warning: 2 of 9 steps were skipped")])
def test_skipped_steps_are_reported_with_the_weights(dsm, tmp_path, recipe, trained, skipped, warning):
    trained(skipped)
    done = dsm("train", recipe, "--out", tmp_path / "run")
    assert done.status == 0
    assert done.out.count("use these weights") == 1
    assert done.err.startswith(warning)
    assert bool(done.err) == bool(skipped)


def test_only_the_first_process_of_torchrun_reports_the_weights(dsm, tmp_path, recipe, trained, monkeypatch):
    trained(2)
    second = Devices(torch.device("cpu"), rank=1, ranks=2)
    monkeypatch.setattr(session, "joined_devices", lambda: nullcontext(second))
    done = dsm("train", recipe, "--out", tmp_path / "run")
    assert (done.status, done.out, done.err) == (0, "", "")
