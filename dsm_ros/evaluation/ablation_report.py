"""The result of an ablation as table, JSON and plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from dsm_ros.evaluation.ablation_names import TITLES, Ablation
from dsm_ros.evaluation.evaluate import Evaluation, stage_times_ms
from dsm_ros.evaluation.plots import all_coordinate_errors_m, draw_coordinate_errors, new_figure, save
from dsm_ros.evaluation.tables import number, print_table

EXPLAINED = "shares in %; coords: coordinates within 10 cm; wrong: accepted with an error over 50 cm"
BARS = {"n_localized": ("localized", "#cccccc"), "recall_5cm_5deg": ("5 cm 5\u00b0", "#1b9e77")}
BARS |= {"recall_2cm_2deg": ("2 cm 2\u00b0", "#7570b3")}
COLUMNS = {
    "5cm 5°": ("recall_5cm_5deg", 100, 0),
    "2cm 2°": ("recall_2cm_2deg", 100, 0),
    "median cm": ("median_translation_m", 100, 2),
    "mean cm": ("mean_translation_m", 100, 2),
    "median °": ("median_rotation_deg", 1, 2),
    "mean °": ("mean_rotation_deg", 1, 2),
    "coords": ("coordinate_within_10cm", 100, 1),
    "wrong": ("false_accepts_over_50cm", 1, 0),
}


@dataclass(frozen=True)
class VariantResult:
    """The evaluation of one variant of the method."""

    label: str
    evaluation: Evaluation

    def figures(self) -> dict[str, object]:
        """Return the metrics of ``dsm evaluate``, and the mean errors of the localized frames."""
        localized = [score for score in self.evaluation.scores if score.map_T_camera is not None]
        means = {
            "mean_translation_m": _mean([score.translation_m for score in localized]),
            "mean_rotation_deg": _mean([score.rotation_deg for score in localized]),
        }
        return {"label": self.label, **self.evaluation.figures, **means}


@dataclass(frozen=True)
class AblationReport:
    """The results of all variants of one ablation on one sequence."""

    ablation: Ablation
    sequence: str
    results: list[VariantResult]

    def figures(self) -> dict[str, object]:
        """Return the result of the ablation for the JSON file."""
        rows = [result.figures() for result in self.results]
        return {"ablation": self.ablation, "sequence": self.sequence, "variants": rows}

    def show(self) -> None:
        """Print the table of the ablation."""
        rows = [result.figures() for result in self.results]
        print_table(
            f"{self.sequence}: {TITLES[self.ablation]}\n{EXPLAINED}",
            ["", "localized", *COLUMNS, "ms"],
            [_cells(row) for row in rows],
        )

    def draw(self, folder: Path) -> Path:
        """Write bars of recall and curves of coordinate errors for each variant; return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        figure = new_figure(9.5, 3)
        figure.suptitle(self.sequence, fontsize=9)
        bars, curves = figure.subplots(1, 2, width_ratios=(3, 2))
        _draw_bars(bars, self.results)
        _draw_curves(curves, self.results)
        return save(figure, folder / f"ablation-{self.ablation}.png")


def _cells(row: dict[str, object]) -> list[str]:
    shown = [number(row[name], digits, factor) for name, factor, digits in COLUMNS.values()]
    return [str(row["label"]), f"{row['n_localized']} of {row['n']}", *shown, number(stage_times_ms(row)["total"], 0)]


def _draw_bars(axes: Axes, results: Sequence[VariantResult]) -> None:
    rows = [result.figures() for result in results]
    places = np.arange(len(rows))
    for name, (label, color) in BARS.items():
        shares = [float(str(row[name])) / (int(str(row["n"])) if name == "n_localized" else 1) for row in rows]
        axes.barh(places, [100 * share for share in shares], color=color, label=label)
    axes.set_yticks(places, [result.label for result in results], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("frames (%)")
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(BARS), frameon=False)


def _draw_curves(axes: Axes, results: Sequence[VariantResult]) -> None:
    errors_of = {result.label: all_coordinate_errors_m(result.evaluation.scores) for result in results}
    draw_coordinate_errors(axes, errors_of)
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
