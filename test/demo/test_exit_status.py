"""Exit status and message of a program that fails or is interrupted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dsm_ros.demo.exit_status import exit_on_failure
from dsm_ros.errors import DsmError

ROOT = Path(__file__).resolve().parents[2]
# Python ends a program of -m with SIGINT after a KeyboardInterrupt within exec, which imports call.
# Shells let programs in the background ignore SIGINT, which must not keep SIGTERM from ending the program.
PROGRAM = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
from dsm_ros.demo.child_process import process
from dsm_ros.demo.exit_status import exit_on_failure
with exit_on_failure("demo"), process("timeit", "-n1", "-r1", "import time; time.sleep(60)") as child:
    print(child.pid, flush=True)
    exec("time.sleep(60)")
"""


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (DsmError("no map;\nbuild one"), 2, "demo: no map; build one\n"),
        (
            OSError(28, "disk full", "demo.png"),
            2,
            "demo: demo.png: disk full; correct the problem, or choose another folder\n",
        ),
        (BlockingIOError("busy"), 2, "demo: busy; correct the problem, or choose another folder\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_a_failure_gives_a_status_and_a_line(error, status, message, capsys):
    with pytest.raises(SystemExit) as exited, exit_on_failure("demo"):
        raise error
    assert (exited.value.code, capsys.readouterr().err) == (status, message)


def test_sigterm_ends_the_program_and_its_children(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "program"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe) as program:
        child = int(program.stdout.readline())
        program.send_signal(signal.SIGTERM)
        assert (program.wait(20), program.stderr.read()) == (143, b"")
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_signals_have_their_handlers_again():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with exit_on_failure("demo"):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
