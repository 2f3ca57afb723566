"""The command ``dsm evaluate --ablation``."""

import json

import pytest

from dsm_ros.evaluation import ablation_variants


def test_an_ablation_as_json_and_plot(dsm, monkeypatch, tmp_path, room_map):
    monkeypatch.setattr(ablation_variants, "KEYFRAMES", (1, 4))
    arguments = ("evaluate", room_map, "rooms:7", "--frames", "5:6", "--ablation", "keyframes", "--plots", tmp_path)
    done = dsm(*arguments, "--json", "-")
    assert done.status == 0
    figures = json.loads(done.out)
    assert (figures["ablation"], figures["sequence"]) == ("keyframes", "rooms:7")
    assert [(row["label"], row["n"]) for row in figures["variants"]] == [("N = 1", 1), ("N = 4", 1)]
    assert (tmp_path / "ablation-keyframes.png").stat().st_size > 5_000


@pytest.mark.parametrize("option", ["--plots", "--json"])
def test_outputs_are_refused_before_the_map_is_opened(dsm, option):
    done = dsm("evaluate", "nowhere", "rooms:7", option, "/proc/x")
    assert done.status == 2
    assert "/proc/x" in done.err
