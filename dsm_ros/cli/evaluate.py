"""dsm evaluate"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dsm_ros.cli.options import Device, Model, NetworkRuntime, reads_sequence
from dsm_ros.datasets.source_options import SourceOptions
from dsm_ros.evaluation.ablation_names import Ablation
from dsm_ros.network.runtime import Runtime


@reads_sequence
def evaluate(
    map_uri: Annotated[str, typer.Argument(metavar="MAP")],
    sequence: Annotated[str, typer.Argument(help="A sequence with true poses.")],
    sources: SourceOptions,
    frames: Annotated[str | None, typer.Option(help="START:STOP:STEP, in sequence order.")] = None,
    model: Model = None,
    runtime: NetworkRuntime = Runtime.TORCH,
    device: Device = "cpu",
    single: Annotated[bool, typer.Option(help="Every frame on its own: no temporal fusion.")] = False,
    ablation: Annotated[Ablation | None, typer.Option(help="Compare variants of one part of the method.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here; - for stdout.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for plots.")] = None,
) -> None:
    """Measure poses, coordinates and speed against ground truth.

    Examples: dsm evaluate kitchen.map kitchen/seq-01 --frames 280:500:2 --json figures.json --plots plots

    dsm evaluate kitchen.map kitchen/seq-01 --frames 280:500:10 --ablation images
    """
    from dsm_ros.cli.localizer_inputs import open_session
    from dsm_ros.cli.output import give_figures, require_writable_json
    from dsm_ros.evaluation.ablation import ablate
    from dsm_ros.evaluation.evaluate import evaluate as run
    from dsm_ros.evaluation.evaluation_table import print_figures
    from dsm_ros.evaluation.plots import save_plots
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.progress import progress_bar

    require_writable_json(json_file)
    load = partial(load_network, model, device, runtime)
    localizer, opened, indices = open_session(map_uri, sequence, sources, frames, single, load)
    draw: Callable[[Path], object]
    with progress_bar("evaluating") as on_progress:
        if ablation:
            report = ablate(ablation, localizer, opened, indices, on_progress)
            figures, show, draw = report.figures(), report.show, report.draw
        else:
            evaluation = run(localizer, opened, indices, on_progress)
            figures, show = evaluation.figures, partial(print_figures, evaluation)
            draw = partial(save_plots, evaluation, localizer.scene_map)
    give_figures(figures, json_file, show)
    if plots:
        draw(plots)
