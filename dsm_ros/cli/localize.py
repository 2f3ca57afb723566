"""dsm localize"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsm_ros.cli.options import Device, Model, NetworkRuntime, reads_images
from dsm_ros.datasets.source_options import SourceOptions
from dsm_ros.network.runtime import Runtime

if TYPE_CHECKING:
    from dsm_ros.geometry.pose import Pose44


@reads_images
def localize(
    map_uri: Annotated[str, typer.Argument(metavar="MAP")],
    sequence: Annotated[str, typer.Argument(help="Folder, bag or rooms:SEED.")],
    sources: SourceOptions,
    frames: Annotated[str | None, typer.Option(help="START:STOP:STEP, in sequence order.")] = None,
    model: Model = None,
    runtime: NetworkRuntime = Runtime.TORCH,
    device: Device = "cpu",
    single: Annotated[bool, typer.Option(help="Every frame on its own: no temporal fusion.")] = False,
    out: Annotated[Path | None, typer.Option(help="File for the poses; stdout without it.")] = None,
) -> None:
    """Localize every frame; write TUM lines: stamp tx ty tz qx qy qz qw, camera in map.

    Images and their camera are all that is read of the sequence. Frames without a pose have no line; the reasons are
    counted on stderr.

    Example: dsm localize kitchen.map kitchen/seq-01 --frames 280:500 --out poses.tum
    """
    from dsm_ros.cli.localizer_inputs import open_session
    from dsm_ros.cli.output import require_writable
    from dsm_ros.errors import ImageError
    from dsm_ros.localization.result import Localized, Reason
    from dsm_ros.localization.view import single_view
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.progress import progress_bar

    if out:
        require_writable(out)
    load = partial(load_network, model, device, runtime)
    localizer, opened, indices = open_session(map_uri, sequence, sources, frames, single, load)
    lines, reasons = [], Counter[str]()
    with progress_bar("localizing") as on_progress:
        for done, index in enumerate(indices, 1):
            with suppress(ImageError):
                frame = opened.query(index)
                result = localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
                if isinstance(result, Localized):
                    lines.append(tum_line(frame.stamp_ns, result.map_T_camera))
                else:
                    reasons[result.reason] += 1
            on_progress(done, len(indices))
    if unreadable := len(indices) - len(lines) - reasons.total():
        reasons[Reason.UNREADABLE_IMAGE] = unreadable
    give_poses(lines, out)
    why = "".join(f", {count} {reason}" for reason, count in reasons.most_common())
    typer.echo(f"{len(lines)} of {len(indices)} frames localized{why}", err=True)


def give_poses(lines: list[str], out: Path | None) -> None:
    """Write TUM lines to a file, or to stdout without one."""
    from dsm_ros.files import write_whole

    text = "".join(lines)
    if out:
        write_whole(out, text.encode())
    else:
        sys.stdout.write(text)


def tum_line(stamp_ns: int, map_T_camera: Pose44) -> str:
    """Return one line of the TUM trajectory format."""
    from dsm_ros.geometry.pose import quaternion_xyzw

    numbers = (*map_T_camera[:3, 3], *quaternion_xyzw(map_T_camera))
    return f"{stamp_ns // 10**9}.{stamp_ns % 10**9:09d} " + " ".join(f"{value:.7f}" for value in numbers) + "\n"
