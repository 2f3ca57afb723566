"""Ablations, which localize the same frames with variants of the method; each variant changes one part at run time.

All variants use the same weights; no network is trained for a variant.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.evaluation.ablation_names import Ablation
from dsm_ros.evaluation.ablation_rank import rank_candidates
from dsm_ros.evaluation.ablation_report import AblationReport, VariantResult
from dsm_ros.evaluation.ablation_variants import VARIANTS, Setting
from dsm_ros.evaluation.evaluate import evaluate
from dsm_ros.localization.localizer import Localizer

Progress = Callable[[int, int], None]


class Report(Protocol):
    """The result of an ablation as JSON, table and plot."""

    def figures(self) -> dict[str, object]:
        """Return the result of the ablation for the JSON file."""

    def show(self) -> None:
        """Print the table of the ablation."""

    def draw(self, folder: Path) -> object:
        """Write the plot of the ablation to a folder."""


def ablate(
    ablation: Ablation, localizer: Localizer, sequence: FrameSequence, indices: range, on_progress: Progress
) -> Report:
    """Localize the same frames with each variant of a localizer. Raises SequenceError when no frame has a true pose."""
    if ablation == Ablation.RANK:
        return rank_candidates(localizer, sequence, indices, on_progress)
    results: list[VariantResult] = []
    with TemporaryDirectory() as folder:
        variants = VARIANTS[ablation](Setting(localizer, sequence, indices, Path(folder)))
        steps = len(variants) * len(indices)
        for variant in variants:
            on_frame = partial(_advance, on_progress, len(results) * len(indices), steps)
            results.append(VariantResult(variant.label, evaluate(variant.make(), sequence, indices, on_frame)))
    return AblationReport(ablation, sequence.name, results)


def _advance(on_progress: Progress, before: int, steps: int, done: int, frames: int) -> None:
    on_progress(before + done, steps)
