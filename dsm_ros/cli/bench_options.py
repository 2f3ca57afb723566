"""Checks of the options of ``dsm bench``: options that a mode does not use, and comma-separated lists."""

from __future__ import annotations

import typer

from dsm_ros.errors import DsmError

NETWORK = {"model", "runtime", "device", "json_file", "plots"}
ROOM, PEERS, ROS = "bench without MAP", "bench MAP SEQUENCE", "bench --ros"
USED = {
    ROOM: {"map_keyframes", "keyframes", "sizes", "beside", *NETWORK},
    PEERS: {"map_uri", "sequence", "peers", "frames", *NETWORK},
    ROS: {"ros", "json_file"},
}


def mode_of(context: typer.Context) -> str:
    """Return the mode that the arguments of ``dsm bench`` choose. Raises DsmError for an option that is not used."""
    mode = ROS if context.params["ros"] else ROOM if context.params["map_uri"] is None else PEERS
    unused = [
        parameter.opts[0] if parameter.opts[0].startswith("-") else str(parameter.metavar).strip("[]")
        for parameter in context.command.params
        if _is_given(context, str(parameter.name)) and parameter.name not in USED[mode]
    ]
    if unused:
        raise DsmError(f"{mode} does not use {', '.join(unused)}; leave out {', '.join(unused)}")
    return mode


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def numbers(text: str, option: str, example: str, most: int) -> list[int]:
    """Return the numbers in a comma-separated list. Raises DsmError unless all numbers are from 1 to ``most``."""
    try:
        values = [int(part) for part in text.split(",")]
    except ValueError:
        values = [0]
    if min(values) < 1 or max(values) > most:
        raise DsmError(f"--{option} '{text}' is not a list of numbers from 1 to {most}; try --{option} {example}")
    return values


def peer_names(text: str) -> list[str]:
    """Return the method names in a comma-separated list. Raises DsmError for an unknown name."""
    from dsm_ros.evaluation.bench_peers import METHODS

    names = list(dict.fromkeys(text.split(",")))
    if not set(names) <= set(METHODS):
        raise DsmError(f"--peers '{text}' is not a list of methods; choose among {', '.join(METHODS)}")
    return names
