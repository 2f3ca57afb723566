"""Rate at which the demo publishes images."""

from __future__ import annotations

from argparse import ArgumentTypeError
from math import inf

CAMERA_RATE_HZ, MIN_RATE_HZ = 30.0, 0.01


def parse_rate(text: str) -> float:
    """Return a rate in Hz. Raises ArgumentTypeError unless the text is a finite number of at least MIN_RATE_HZ."""
    try:
        rate_hz = float(text)
    except ValueError:
        rate_hz = 0.0
    if not MIN_RATE_HZ <= rate_hz < inf:
        raise ArgumentTypeError(f"'{text}' is not a rate; give frames per second, at least {MIN_RATE_HZ}")
    return rate_hz
