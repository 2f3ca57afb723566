"""Choice of the runtime that encodes images fastest on this machine, by measurement."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import numpy as np

from dsm_ros.errors import DsmError
from dsm_ros.geometry.camera import Camera
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.runtime import Runtime

CAMERA = Camera(640, 480, 525.0, 525.0, 319.5, 239.5)
ROUNDS = 5

logger = logging.getLogger(__name__)


def fastest_network(load: Callable[[Runtime], DsmNet], encoding_s: Callable[[DsmNet], float]) -> DsmNet:
    """Return the network of the fastest runtime among torch and the optional runtimes that work on this machine.

    load: returns a network with a runtime, and raises DsmError when this machine cannot use the runtime. encoding_s:
    returns the time of a network for an image. An optional runtime that fails in any other way is not used either, and
    the log says so.
    """
    fastest = load(Runtime.TORCH)
    least_s = encoding_s(fastest)
    for runtime in (Runtime.ONNXRUNTIME, Runtime.OPENVINO):
        try:
            other = load(runtime)
            taken_s = encoding_s(other)
        except DsmError as error:
            logger.debug("%s is not used: %s", runtime, error)
        except Exception as error:  # a damaged installation may raise anything
            logger.warning("%s is installed but does not work, so it is not used: %r", runtime, error)
        else:
            if taken_s < least_s:
                fastest, least_s = other, taken_s
            del other  # before the next network is loaded
    return fastest


def encoding_s(network: DsmNet) -> float:
    """Return the least processor time of ``ROUNDS`` encodings of a 640x480 image on a CPU, s.

    The wall time depends on the programs that start at the same time, for example the other nodes of a launch file.
    """
    image_HW3 = np.random.default_rng(0).integers(0, 256, (CAMERA.height_px, CAMERA.width_px, 3), dtype=np.uint8)
    network.encode(image_HW3, CAMERA)  # the first image includes compiling
    times_s = []
    for _ in range(ROUNDS):
        start_s = time.process_time()
        network.encode(image_HW3, CAMERA)
        times_s.append(time.process_time() - start_s)
    return min(times_s)
