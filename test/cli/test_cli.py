import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOM = "rooms:2/size=128x96,frames=40"


def digest(folder: Path):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, dsm):
    folder = tmp_path_factory.mktemp("cli")
    assert dsm("map", "build", ROOM, folder / "room", "--frames", "::8").status == 0
    (folder / "empty").mkdir()
    (folder / "file").write_text("no map")
    shutil.copytree(folder / "room", folder / "newer")
    import lancedb

    table = lancedb.connect(str(folder / "newer")).open_table("meta")
    table.update(where="key = 'format_version'", values={"value": "99"})
    return folder


BAD_INPUT = {
    "missing sequence": ["map", "build", "{w}/nowhere", "{w}/new"],
    "unknown layout": ["map", "build", "{w}/empty", "{w}/new"],
    "bad room": ["map", "build", "rooms:2/walk=7", "{w}/new"],
    "map exists": ["map", "build", ROOM, "{w}/room"],
    "target is a file": ["map", "build", ROOM, "{w}/file"],
    "empty range": ["map", "build", ROOM, "{w}/new", "--frames", "100:200"],
    "malformed range": ["map", "build", ROOM, "{w}/new", "--frames", "a:b"],
    "no map named": ["map", "build", ROOM],
    "malformed step": ["map", "build", ROOM, "{w}/new", "--every", "0.3"],
    "append to nothing": ["map", "build", ROOM, "{w}/new", "--append"],
    "missing map": ["map", "info", "{w}/nowhere"],
    "not a map": ["map", "verify", "{w}/empty"],
    "newer format": ["localize", "{w}/newer", ROOM],
    "evaluate without a map": ["evaluate", "{w}/nowhere", ROOM],
    "unwritable output": ["localize", "{w}/room", ROOM, "--out", "{w}/nowhere/poses.tum"],
    "unwritable metrics": ["evaluate", "{w}/room", ROOM, "--json", "/proc/metrics.json"],
    "plots into a file": ["evaluate", "{w}/room", ROOM, "--frames", ":1", "--plots", "{w}/file"],
    "plots below a file": ["evaluate", "{w}/room", ROOM, "--frames", ":1", "--plots", "{w}/file/plots"],
    "rooms into a folder": ["rooms", "{w}/empty"],
    "unknown option": ["map", "build", "--bogus"],
    "missing argument": ["map", "info"],
    "too many arguments": ["map", "info", "{w}/room", "more"],
    "bad number": ["rooms", "{w}/new", "--seed", "abc"],
    "bad choice": ["bench", "--runtime", "abacus"],
    "unknown command": ["fly"],
    "a map that is a room": ["map", "build", ROOM, "rooms:7"],
    "a map of an unknown scheme": ["map", "info", "foo://x"],
    "a map where nothing can be made": ["map", "build", ROOM, "/proc/new"],
}


@pytest.mark.parametrize("arguments", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_gives_one_line_and_changes_nothing(workspace, dsm, arguments):
    before = digest(workspace)
    done = dsm(*(argument.format(w=workspace) for argument in arguments))
    assert done.status == 2
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("dsm: ")
    assert done.out == ""
    assert digest(workspace) == before
    assert not (workspace / "new").exists()


def test_usage_errors_name_the_help_of_their_command(dsm):
    told = dsm("map", "build", "--bogus").err
    assert told.startswith("dsm: No such option: --bogus")
    assert told.endswith("; see dsm map build --help\n")


def test_no_arguments_show_the_help_alone(dsm):
    done = dsm("map")
    assert done.status == 2
    assert "verify" in done.out
    assert done.err == ""


def test_ctrl_c_is_told(dsm, workspace, monkeypatch):
    import dsm_ros.scene_map.statistics

    def interrupted(uri):
        raise KeyboardInterrupt

    monkeypatch.setattr(dsm_ros.scene_map.statistics, "map_statistics", interrupted)
    done = dsm("map", "info", workspace / "room")
    assert done.status == 130
    assert done.err == "dsm: interrupted\n"


def test_a_map_of_few_keyframes_is_built_with_a_warning(tmp_path, dsm):
    done = dsm("map", "build", ROOM, tmp_path / "m", "--frames", ":1")
    assert done.status == 0
    assert (
        "warning: only 1 keyframe in this recording; images can be localized only where they overlap a keyframe"
        in done.err
    )


def test_a_process_of_its_own_ends_with_status_2(workspace):
    command = [sys.executable, "-m", "dsm_ros", "map", "info", str(workspace / "nowhere")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("dsm: there is no map at")


def test_localize_writes_tum_lines(workspace, dsm):
    out = workspace / "poses.tum"
    done = dsm("localize", workspace / "room", ROOM, "--frames", "::10", "--out", out)
    assert done.status == 0, done.err
    rows = np.loadtxt(out, ndmin=2)
    assert rows.shape[1] == 8
    assert np.linalg.norm(rows[:, 4:], axis=1) == pytest.approx(1)
    assert "of 4 frames localized" in done.err


def test_evaluate_prints_json_alone(workspace, dsm):
    done = dsm("evaluate", workspace / "room", ROOM, "--frames", "::10", "--json", "-", "--plots", workspace / "plots")
    assert done.status == 0, done.err
    figures = json.loads(done.out)
    assert figures["n"] == 4
    assert set(figures["ms_per_frame"]) == {"encode", "retrieve", "match", "pnp", "total"}
    assert (workspace / "plots" / "trajectory.png").stat().st_size > 10_000


def test_info_and_verify_of_a_sound_map(workspace, dsm):
    figures = json.loads(dsm("map", "info", workspace / "room", "--json").out)
    assert figures["keyframes"] == 5
    assert dsm("map", "verify", workspace / "room").status == 0


def test_keyframes_by_motion_and_how_many_were_looked_at(tmp_path, dsm):
    done = dsm("map", "build", ROOM, tmp_path / "m", "--frames", ":20", "--every", "1m / 90deg")
    assert done.status == 0, done.err
    assert "keyframes added from 20 frames" in done.out
    taken = json.loads(dsm("map", "info", tmp_path / "m", "--json").out)["keyframes"]
    assert 1 < taken < 10


def test_a_sparse_map_is_sound_with_a_note(workspace, dsm):
    done = dsm("map", "verify", workspace / "room")
    assert done.status == 0
    assert done.out.splitlines()[-1].endswith("room: no problems found")


def test_a_map_without_features_is_not_sound(workspace, tmp_path, dsm):
    import lancedb

    shutil.copytree(workspace / "room", tmp_path / "m")
    lancedb.connect(str(tmp_path / "m")).open_table("features").delete("true")
    done = dsm("map", "verify", tmp_path / "m")
    assert done.status == 2
    assert "5 keyframes have no features" in done.out
    assert done.err.splitlines()[-1] == f"dsm: the map {tmp_path / 'm'} has 1 problem; follow the advice above"


def test_a_fault_of_the_system_is_one_line(workspace, dsm, monkeypatch):
    import dsm_ros.files

    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(dsm_ros.files, "write_whole", full)
    done = dsm("localize", workspace / "room", ROOM, "--frames", ":1", "--out", workspace / "poses.tum")
    assert done.status == 2
    assert done.err.splitlines()[-1].startswith(f"dsm: {workspace / 'poses.tum'}: No space left on device")


COMMANDS = ("", "map", "map build", "map info", "map verify", "inspect", "localize", "evaluate", "export", "rooms")


@pytest.mark.parametrize("command", [*COMMANDS, "train", "bench"])
def test_help_shows_an_example(dsm, command):
    assert f"dsm {command}".strip() in dsm(*command.split(), "--help").out.partition("Example")[2]
