"""A training step on a device that is not there: the host's losses and weights, and few crossings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# Images and depths of two episodes; matrices of scenes, of the truth and of what is judged, and the cells' sizes; back
# come the gradient's norm and the losses.
STEP = 10


@pytest.fixture(scope="module")
def report():
    program = Path(__file__).with_name("step_elsewhere.py")
    run = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("queries", ["2", "4"])
def test_losses_and_weights_are_the_hosts(report, queries):
    here, elsewhere = report[queries]["here"], report[queries]["elsewhere"]
    assert elsewhere["losses"] == pytest.approx(here["losses"], abs=1e-6)
    assert elsewhere["weights"] == pytest.approx(here["weights"], abs=1e-5)


def test_a_step_crosses_as_often_however_many_queries_there_are(report):
    for queries in report.values():
        assert queries["elsewhere"]["crossings"] == STEP, f"\n{queries['elsewhere']['where']}"
