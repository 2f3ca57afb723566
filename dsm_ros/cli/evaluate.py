"""The command ``dsm evaluate``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from dsm_ros.cli.options import (
    AllSources,
    JsonFile,
    LocalizerOptions,
    MapUri,
    Plots,
    SequencePath,
    Single,
    with_options,
)
from dsm_ros.evaluation.ablation_names import Ablation


@with_options
def evaluate(
    map_uri: MapUri,
    sequence: SequencePath,
    localizer_options: LocalizerOptions,
    sources: AllSources,
    single: Single = False,
    ablation: Annotated[Ablation | None, typer.Option(help="Compare variants of one part of the method.")] = None,
    json_file: JsonFile = None,
    plots: Plots = None,
) -> None:
    """Measure poses, scene coordinates and speed on a sequence with ground-truth poses.

    Examples: dsm evaluate kitchen.map kitchen/seq-01 --frames 280:500:2 --json metrics.json --plots plots

    dsm evaluate kitchen.map kitchen/seq-01 --frames 280:500:10 --ablation keyframes
    """
    from dsm_ros.cli.output import require_writable_json, require_writable_plots, write_metrics
    from dsm_ros.evaluation.ablation import ablate
    from dsm_ros.evaluation.evaluate import evaluate as run
    from dsm_ros.evaluation.evaluation_table import print_figures
    from dsm_ros.evaluation.plots import save_plots
    from dsm_ros.progress import progress_bar

    require_writable_json(json_file)
    require_writable_plots(plots)
    localizer, opened, indices = localizer_options.open(map_uri, sequence, sources.options(), single)
    draw: Callable[[Path], object]
    with progress_bar("evaluating") as on_progress:
        if ablation:
            report = ablate(ablation, localizer, opened, indices, on_progress)
            metrics, show, draw = report.figures(), report.show, report.draw
        else:
            evaluation = run(localizer, opened, indices, on_progress)
            metrics, show = evaluation.figures, partial(print_figures, evaluation)
            draw = partial(save_plots, evaluation, localizer.scene_map)
    write_metrics(metrics, json_file, show)
    if plots:
        draw(plots)
