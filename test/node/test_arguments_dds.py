"""Arguments and parameters of the program: each error is one line, and the program ends with status 2."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dds_peer import FAKE

RELIABILITY = "qos_overrides./image.subscription.reliability"
DEPTH = "qos_overrides./image.subscription.depth"
MODULE = [sys.executable, "-m", "dsm_ros.node"]


def run(*arguments):
    command = [sys.executable, str(FAKE), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--params-file", "/nowhere.yaml"], "Couldn't parse params file: '--params-file /nowhere.yaml'"),
        (["-p", "foo"], "Couldn't parse parameter override rule: '-p foo'"),
        (["-r", "nonsense"], "Couldn't parse remap rule: '-r nonsense'"),
        (["-r", "__ns:=noslash"], "'-r __ns:=noslash'"),
        (["-r", "__node:=my node"], "'-r __node:=my node'"),
        (["--log-level", "loud"], "Couldn't parse log level: '--log-level loud'"),
        (["--loud"], "unknown ROS arguments: --loud"),
        (["-p", "min_confidence:=.nan"], "min_confidence is out of range; use 0.0 to 1.0"),
        (["-p", "threads:=999"], "threads is out of range; use 0 to 256"),
        (["-p", "threads:=1.5"], "threads must be of type integer"),
        (["-p", "continuous:=1"], "continuous must be of type bool"),
        (["-p", "map:=[a, b]"], "map must be of type string"),
        (["-p", "use_sim_time:=maybe"], "use_sim_time"),
        (
            ["-p", "qos_overrides./diagnostics.publisher.depth:=0"],
            "publisher.depth is out of range; use 1 to",
        ),
    ],
)
def test_an_argument_that_cannot_be_used_is_one_line(arguments, words):
    done = run("--ros-args", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert len([line for line in done.stderr.splitlines() if "[WARN]" not in line]) == 1
    assert "/src/" not in done.stderr


def test_arguments_that_are_not_for_ros_are_refused():
    done = run("min_inliers:=5", "--ros-args", "-p", "map:=fake")
    assert done.returncode == 2
    assert "unknown arguments: min_inliers:=5" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (f"{RELIABILITY}:=bogus", f"{RELIABILITY} is 'bogus'; use best_effort"),
        (f"{RELIABILITY}:=7", f"{RELIABILITY} must be of type string"),
        (f"{DEPTH}:=-3", f"{DEPTH} is out of range; use 1 to"),
        (f"{DEPTH}:=0", f"{DEPTH} is out of range; use 1 to"),
        (f"{DEPTH}:=many", f"{DEPTH} must be of type integer"),
        ("qos_overrides./relocalizer/pose.publisher.durability:=7", "pose.publisher.durability must be of type string"),
    ],
)
def test_a_qos_that_cannot_be_used_is_one_line_with_its_parameter(override, words):
    done = run("--ros-args", "-p", "map:=fake", "-p", override)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if "map fake is loaded" not in line]
    assert len(lines) == 1
    assert words in lines[0]


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_a_few_lines(option):
    done = subprocess.run([*MODULE, option], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: " in done.stdout
    assert "--params-file" in done.stdout
    assert len(done.stdout.splitlines()) < 15


def handles_interrupts(process):
    """Whether the process has a handler of SIGINT. Python sets its own first, which prints a traceback."""
    caught = re.search(r"SigCgt:\s+(\w+)", Path(f"/proc/{process.pid}/status").read_text())[1]
    return bool(int(caught, 16) & 1 << signal.SIGINT - 1)


def wait_until_begun(process):
    """Wait until the program removes Python's handler; what Python prints before this moment, no program can change.

    A busy machine may hide the moment, because the node soon sets its own handler. The wait then ends a while later.
    """
    latest_s = time.monotonic() + 10
    for handled in (True, False):
        while handles_interrupts(process) != handled and time.monotonic() < latest_s:
            assert process.poll() is None


@pytest.mark.parametrize("wait_s", [0.0, 0.1, 0.2, 0.4, 0.8])
def test_interrupted_while_it_starts_the_program_ends_without_a_word(wait_s):
    process = subprocess.Popen([*MODULE, "--ros-args", "-p", "autostart:=false"], stderr=subprocess.PIPE, text=True)
    wait_until_begun(process)
    time.sleep(wait_s)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)[1]
    assert said == ""
    assert process.returncode in (0, -signal.SIGINT)
