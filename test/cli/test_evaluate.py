"""dsm evaluate --ablation"""

import json
import sys

import pytest

from dsm_ros.cli.main import main
from dsm_ros.evaluation import ablation_variants


def dsm(monkeypatch, *arguments):
    """Return the exit status of a command line."""
    monkeypatch.setattr(sys, "argv", ["dsm", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code or 0


def test_an_ablation_as_json_and_plot(monkeypatch, capsys, tmp_path, room_map):
    monkeypatch.setattr(ablation_variants, "IMAGES", (1, 4))
    arguments = ("evaluate", room_map, "rooms:7", "--frames", "5:6", "--ablation", "images", "--plots", tmp_path)
    assert dsm(monkeypatch, *arguments, "--json", "-") == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["ablation"], figures["sequence"]) == ("images", "rooms:7")
    assert [(row["label"], row["n"]) for row in figures["variants"]] == [("N = 1", 1), ("N = 4", 1)]
    assert (tmp_path / "ablation-images.png").stat().st_size > 5_000


def test_heads_of_a_network_without_any(monkeypatch, capsys, room_map):
    assert dsm(monkeypatch, "evaluate", room_map, "rooms:7", "--frames", "5:6", "--ablation", "heads") == 2
    assert capsys.readouterr().err.strip().startswith("dsm: the model lite-")
