"""Peak memory is of this program alone."""

import subprocess
import sys
from pathlib import Path

import pytest

MB = 2**20
PRINT_PEAK = "from dsm_ros.evaluation.memory import peak_rss_mb; print(peak_rss_mb())"


def peak_of(code):
    """The peak that a program of its own measures."""
    ran = subprocess.run([sys.executable, "-c", f"{code}; {PRINT_PEAK}"], check=True, capture_output=True, text=True)
    return float(ran.stdout)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="no /proc")
def test_what_was_allocated_counts_and_what_the_starting_program_has_does_not():
    held = bytearray(b"x" * (300 * MB))
    assert 300 < peak_of(f"held = bytearray(b'x' * {300 * MB}); del held") < 1000
    assert peak_of("pass") < 200 < len(held)
