"""Peak memory of the current process."""

from __future__ import annotations

import re
import resource
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_rss_mb() -> float:
    """Return the peak resident memory of this process, MB.

    On systems without /proc, the value may be the larger peak of the parent process.
    """
    if STATUS.is_file() and (peak_kb := re.search(r"^VmHWM:\s+(\d+)", STATUS.read_text(), re.MULTILINE)):
        return int(peak_kb[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
