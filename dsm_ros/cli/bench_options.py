"""Parsing of the options of ``dsm bench`` that take lists."""

from __future__ import annotations

from dsm_ros.errors import DsmError


def numbers(text: str, option: str) -> list[int]:
    """Return the numbers in a comma-separated list. Raises DsmError unless all numbers are positive."""
    try:
        values = [int(part) for part in text.split(",")]
    except ValueError:
        values = [0]
    if min(values) < 1:
        raise DsmError(f"--{option} '{text}' is not a list of positive numbers; try --{option} 10,100,1000")
    return values


def peer_names(text: str) -> list[str]:
    """Return the method names in a comma-separated list. Raises DsmError for an unknown name."""
    from dsm_ros.evaluation.bench_peers import METHODS

    names = list(dict.fromkeys(text.split(",")))
    if unknown := [name for name in names if name not in METHODS]:
        raise DsmError(f"--peers '{unknown[0]}' is unknown; choose among {', '.join(METHODS)}")
    return names
