"""The command ``dsm localize``."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsm_ros.cli.options import ImageSources, LocalizerOptions, MapUri, SequencePath, Single, with_options

if TYPE_CHECKING:
    from dsm_ros.geometry.pose import Pose44


@with_options
def localize(
    map_uri: MapUri,
    sequence: SequencePath,
    localizer_options: LocalizerOptions,
    sources: ImageSources,
    single: Single = False,
    out: Annotated[Path | None, typer.Option(help="File to which the poses are written; default: stdout.")] = None,
) -> None:
    """Localize every frame and write its camera pose in the map as a TUM line: stamp tx ty tz qx qy qz qw.

    Only images and their camera are read from the sequence. A frame that cannot be localized gets no line; stderr shows
    the number of such frames for each reason.

    Example: dsm localize kitchen.map kitchen/seq-01 --frames 280:500 --out poses.tum
    """
    from dsm_ros.cli.output import require_writable
    from dsm_ros.errors import ImageError
    from dsm_ros.localization.result import Localized, Reason
    from dsm_ros.localization.view import single_view
    from dsm_ros.progress import progress_bar

    if out:
        require_writable(out)
    localizer, opened, indices = localizer_options.open(map_uri, sequence, sources.options(), single)
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
    write_poses(lines, out)
    why = "".join(f", {count} {reason}" for reason, count in reasons.most_common())
    typer.echo(f"{len(lines)} of {len(indices)} frames localized{why}", err=True)


def write_poses(lines: list[str], out: Path | None) -> None:
    """Write TUM lines to a file, or to stdout if ``out`` is None."""
    from dsm_ros.files import write_whole

    text = "".join(lines)
    if out:
        write_whole(out, text.encode())
    else:
        sys.stdout.write(text)


def tum_line(stamp_ns: int, map_T_camera: Pose44) -> str:
    """Return a pose (4x4) as one line of the TUM trajectory format."""
    from dsm_ros.geometry.pose import quaternion_xyzw

    numbers = (*map_T_camera[:3, 3], *quaternion_xyzw(map_T_camera))
    return f"{stamp_ns // 10**9}.{stamp_ns % 10**9:09d} " + " ".join(f"{value:.7f}" for value in numbers) + "\n"
