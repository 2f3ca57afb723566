"""The command ``dsm``; invalid input ends with an error message of one line and exit status 2."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from dsm_ros.cli.bench import bench
from dsm_ros.cli.evaluate import evaluate
from dsm_ros.cli.export import ExportCommand, export
from dsm_ros.cli.inspect import inspect
from dsm_ros.cli.localize import localize
from dsm_ros.cli.map_build import build
from dsm_ros.cli.map_info import info
from dsm_ros.cli.map_verify import verify
from dsm_ros.cli.rooms import rooms
from dsm_ros.cli.train import train
from dsm_ros.errors import DsmError
from dsm_ros.process import prepare_process

BAD_INPUT = 2
INTERRUPTED = 130  # typer's exit status after Ctrl-C
HELP = """Camera relocalization in a prebuilt map: build maps, localize images, measure accuracy.

Example: dsm map build rooms:7 room.map, then dsm localize room.map rooms:7/walk=1"""
MAP_HELP = """Build, show and verify maps.

Example: dsm map build kitchen/seq-01 kitchen.map"""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=HELP)
map_app = typer.Typer(no_args_is_help=True, help=MAP_HELP)
app.add_typer(map_app, name="map")
map_app.command()(build)
map_app.command()(info)
map_app.command()(verify)
app.command()(inspect)
app.command()(localize)
app.command()(evaluate)
app.command(cls=ExportCommand)(export)
app.command()(rooms)
app.command()(train)
app.command()(bench)


def main() -> None:
    """Run the command ``dsm`` with the arguments of the process."""
    prepare_process()
    try:
        status = app(prog_name="dsm", standalone_mode=False)
    except typer.TyperException as error:
        _exit_with_error(_usage_message(error))
    except DsmError as error:
        _exit_with_error(str(error))
    except OSError as error:
        file = f"{error.filename}: " if error.filename else ""
        _exit_with_error(f"{file}{error.strerror or error}; correct the problem, or choose another file")
    if status == INTERRUPTED:
        print("dsm: interrupted", file=sys.stderr)
    sys.exit(status)


def _usage_message(error: typer.TyperException) -> str:
    """Return the problem of the arguments, empty without arguments, because typer then shows the help."""
    problem = error.format_message().replace("Value error, ", "").strip().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{problem}; see {context.command_path} --help" if problem and context else problem


def _exit_with_error(message: str) -> NoReturn:
    if message:
        print(f"dsm: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(BAD_INPUT)
