"""A training step on a simulated device: the losses and weights of the host, and few crossings."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# To the device: images and depths of two episodes, matrices of the scenes, matrices of the ground truth. To the host:
# the norm of the gradient and the losses.
STEP = 8


@pytest.fixture(scope="module")
def report():
    program = Path(__file__).with_name("step_elsewhere.py")
    run = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("queries", ["2", "4"])
def test_losses_and_weights_are_those_of_the_host(report, queries):
    here, elsewhere = report[queries]["here"], report[queries]["elsewhere"]
    assert elsewhere["losses"] == pytest.approx(here["losses"], abs=1e-6)
    assert elsewhere["weights"] == pytest.approx(here["weights"], abs=1e-5)


def test_a_step_crosses_as_often_however_many_queries_there_are(report):
    for queries in report.values():
        assert queries["elsewhere"]["crossings"] == STEP, f"\n{queries['elsewhere']['where']}"
