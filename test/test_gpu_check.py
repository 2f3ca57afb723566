"""The check for a GPU, in the form that runs without one, and the scripts that it calls."""

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
STEPS = {
    "tests",
    "lite",
    "map",
    "profile-lite",
    "room-evaluate",
    "room-device",
    "room-cpu",
    "room-poses",
    "paper",
    "lite-onnxruntime",
    "paper-onnxruntime",
    "train",
}


@pytest.mark.slow
def test_the_short_form_runs_every_step_without_a_gpu(tmp_path):
    environment = {**os.environ, "OUT": str(tmp_path), "PYTHON": sys.executable}
    subprocess.run(["bash", SCRIPTS / "gpu_check.sh", "--device", "cpu"], env=environment, check=True)
    said = (tmp_path / "summary.txt").read_text()
    assert {line.split(": ")[0] for line in said.splitlines() if ": done, " in line} >= STEPS
    assert "per second in the second half" in said
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["room-poses"]["both"] == 3
    assert figures["room-poses"]["max_translation_m"] == 0
    assert figures["lite"]["sweep"][0]["map_keyframes"] == 20
    assert "idle share" in (tmp_path / "profile.txt").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures.json", "log.txt", "profile.txt", "summary.txt"]


STAND_IN = """#!/usr/bin/env bash
case "$*" in
    *gpu_summary.py*) exec {python} "$@" ;;
    *"map build"*) exec {python} -c '
import sys, time
try:
    print("step started", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("step interrupted")
    sys.exit(1)' ;;
esac
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_step_and_the_summary_is_written(tmp_path, sent):
    python, log = tmp_path / "python", tmp_path / "out" / "log.txt"
    python.write_text(STAND_IN.format(python=sys.executable))
    python.chmod(0o755)
    environment = {**os.environ, "OUT": str(log.parent), "PYTHON": str(python)}
    command = ["env", "--default-signal=INT", "bash", SCRIPTS / "gpu_check.sh", "--device", "cpu", "map", "train"]
    with subprocess.Popen(command, env=environment) as script:
        while not (log.exists() and "step started" in log.read_text()) and script.poll() is None:
            time.sleep(0.05)
        script.send_signal(sent)
        assert script.wait(20) == 128 + sent
    assert "step interrupted" in log.read_text()
    said = (log.parent / "summary.txt").read_text()
    assert "map: interrupted, " in said
    assert "train" not in said


def test_a_python_without_torch_is_refused_with_what_to_do(tmp_path):
    empty = {"PATH": "/usr/bin:/bin", "OUT": str(tmp_path), "PYTHON": "no-such-python"}
    copy = tmp_path / "scripts" / "gpu_check.sh"
    copy.parent.mkdir()
    copy.write_text((SCRIPTS / "gpu_check.sh").read_text())
    run = subprocess.run(["bash", copy], env=empty, capture_output=True, text=True, check=False)
    if run.returncode == 3:
        pytest.skip("the system's own Python has torch")
    assert run.returncode == 2
    assert "name one: PYTHON=" in run.stdout


def test_poses_are_compared_by_stamp(tmp_path):
    script = runpy.run_path(str(SCRIPTS / "compare_poses.py"))
    (tmp_path / "a.tum").write_text("1.0 0 0 0 0 0 0 1\n2.0 1 0 0 0 0 0 1\n4.0 0 0 0 0 0 0 1\n")
    (tmp_path / "b.tum").write_text("1.0 0 0 0 0 0 0 1\n2.0 1 0.5 0 0 0 0 1\n3.0 0 0 0 0 0 0 1\n")
    found = script["compare"](*(script["read_tum"](tmp_path / name) for name in ("a.tum", "b.tum")))
    assert (found["both"], found["only_first"], found["only_second"]) == (2, 1, 1)
    assert (found["max_translation_m"], found["median_translation_m"]) == (0.5, 0.25)
    assert script["compare"]({}, {})["max_translation_m"] is None


def test_the_summary_tells_how_each_step_ended(tmp_path, capsys):
    (tmp_path / "steps.tsv").write_text("tests\t0\t12\nbench\t124\t60\nmap\t1\t2\ntrain\tleft out, no time\t0\n")
    (tmp_path / "room-poses.json").write_text('{"both": 3, "max_translation_m": 0.00012}')
    (tmp_path / "torn.json").write_text("{")
    runpy.run_path(str(SCRIPTS / "gpu_summary.py"))["main"](tmp_path, tmp_path / "out.json")
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "torn.json is incomplete",
        "tests: done, 12 s",
        "bench: stopped at its time limit, 60 s",
        "map: failed with exit status 1, 2 s",
        "train: left out, no time, 0 s",
        "room-poses: both 3, max_translation_m 0.00012",
    ]


def test_the_summary_gives_the_setting_of_each_time(tmp_path, capsys):
    (tmp_path / "steps.tsv").touch()
    stage = {"name": "total", "median_ms": 24.0, "keyframes": 2, "long_side_px": 128, "runtime": "torch"}
    (tmp_path / "lite.json").write_text(json.dumps({"stages": [stage], "sweep": []}))
    runpy.run_path(str(SCRIPTS / "gpu_summary.py"))["main"](tmp_path, tmp_path / "out.json")
    assert capsys.readouterr().out == "lite, torch, video, N = 2, long side 128 px: total 24.00 ms\n"


def test_needs_name_the_packages_that_are_installed(monkeypatch):
    needs = runpy.run_path(str(SCRIPTS / "gpu_needs.py"))
    named = needs["installed_name"]
    found = {"onnxruntime": ["onnxruntime"], "cv2": ["other", "opencv-python-headless"], "ruamel": ["ruamel.yaml"]}
    assert named("onnxruntime", "onnxruntime-gpu", found) == "onnxruntime"
    assert named("cv2", "opencv-python-headless", found) == "opencv-python-headless"
    assert named("ruamel.yaml", "ruamel.yaml", found) == "ruamel.yaml"
    assert named("cv2", "opencv-python-headless", {}) == "cv2"


def test_needs_name_what_is_lacking(monkeypatch):
    needs = runpy.run_path(str(SCRIPTS / "gpu_needs.py"))
    monkeypatch.setitem(sys.modules, "poselib", None)
    assert "poselib" in needs["lacking"]()
    assert "poselib: lacking (optional; " in needs["report"]()
    assert "torch" not in needs["lacking"]()


@pytest.mark.parametrize(
    "arguments", [["nosuchstep"], ["--help"], ["--device", "tpu"], ["--device"], ["map", "--device"]]
)
def test_wrong_arguments_are_named_and_leave_earlier_results(arguments, tmp_path):
    (tmp_path / "summary.txt").write_text("earlier")
    script, environment = SCRIPTS / "gpu_check.sh", {**os.environ, "OUT": str(tmp_path)}
    done = subprocess.run(["bash", script, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: bash scripts/gpu_check.sh" in done.stderr
    assert (tmp_path / "summary.txt").read_text() == "earlier"


def test_each_step_of_the_script_can_be_named():
    script = (SCRIPTS / "gpu_check.sh").read_text()
    names = re.search(r'NAMES="(.*?)"', script, re.DOTALL)[1].split()
    steps = re.findall(r"^\s*(?:\[.*\] && )?(?:step|bench|profile) ([a-z][a-z-]*)", script, re.MULTILINE)
    assert len(steps) >= 9
    assert set(steps) <= set(names)
