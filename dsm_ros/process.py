"""Settings of the whole process that make CPU inference about twice as fast: programs make them, libraries do not."""

from __future__ import annotations

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
KEPT_BYTES = 1 << 30
MAX_DEFAULT_THREADS = 4  # leaves cores to the other programs of a robot


def prepare_process() -> None:
    """Keep freed memory in the process, NumPy's matrix products on one thread, and torch's waiting threads asleep.

    glibc returns every large block to the kernel; the network would get it back page by page, for each image.
    OpenBLAS's threads spin for a while after each product and take the core that the network needs.
    OpenMP's threads spin while they wait for each other: when other programs need the cores, torch becomes 20 times
    slower. Call this function before numpy and torch are imported, because OpenBLAS and OpenMP read their environment
    variables only once.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt:
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)


def use_threads(count: int) -> None:
    """Let torch compute with ``count`` threads in the calling thread; 0 means one per core, at most 4.

    OpenMP keeps a pool for each thread that computes, and two pools on one machine hold each other up: the program's
    main thread takes 1 when another thread is to localize.
    """
    import torch

    torch.set_num_threads(count or min(MAX_DEFAULT_THREADS, len(os.sched_getaffinity(0))))
