"""The dsm command: one line on bad input, exit status 2; anything else stays loud."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from dsm_ros.cli.bench import bench
from dsm_ros.cli.evaluate import evaluate
from dsm_ros.cli.export import export
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
INTERRUPTED = 130  # what typer makes of Ctrl-C

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.info.help = "Camera relocalization in a prebuilt map: build maps, localize images, measure both."
map_app = typer.Typer(no_args_is_help=True, help="Build and inspect maps.")
app.add_typer(map_app, name="map")
map_app.command()(build)
map_app.command()(info)
map_app.command()(verify)
app.command()(inspect)
app.command()(localize)
app.command()(evaluate)
app.command()(export)
app.command()(rooms)
app.command()(train)
app.command()(bench)


def main() -> None:
    """Run the command line."""
    prepare_process()
    try:
        status = app(prog_name="dsm", standalone_mode=False)
    except typer.TyperException as error:
        _refuse(_usage_fault(error))
    except DsmError as error:
        _refuse(str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _refuse(f"{place}{error.strerror or error}; mend that, or choose another place")
    if status == INTERRUPTED:
        print("dsm: interrupted", file=sys.stderr)
    sys.exit(status)


def _usage_fault(error: typer.TyperException) -> str:
    """Return what is wrong with the arguments; nothing where there were none, and the help is shown already."""
    told = error.format_message().replace("Value error, ", "").strip().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{told}; see {context.command_path} --help" if told and context else told


def _refuse(why: str) -> NoReturn:
    if why:
        print(f"dsm: {' '.join(why.split())}", file=sys.stderr)
    sys.exit(BAD_INPUT)
