"""The table of ``dsm evaluate``."""

from __future__ import annotations

from rich.table import Table

from dsm_ros.evaluation.evaluate import Evaluation, stage_times_ms
from dsm_ros.evaluation.tables import number, print_whole


def print_figures(evaluation: Evaluation) -> None:
    """Print the metrics of an evaluation to stdout."""
    table = Table(show_header=False)
    for name, value in readable(evaluation.figures).items():
        table.add_row(name, value)
    for reason, count in evaluation.reasons.items():
        table.add_row(f"not localized: {reason}", str(count))
    print_whole(table)


def readable(figures: dict[str, object]) -> dict[str, str]:
    """Return metrics as text, lengths in cm and shares in percent. Raises TypeError without stage times."""
    without_truth = f"{figures['n_without_truth']}, of which {figures['n_without_truth_localized']} localized"
    return {
        "frames with ground truth": str(figures["n"]),
        "frames without ground truth": without_truth,
        "unreadable images": str(figures["n_unreadable"]),
        "localized": _percent(figures["n_localized"], figures["n"]),
        "median translation error": _scaled(figures["median_translation_m"], 100, "cm"),
        "median rotation error": _scaled(figures["median_rotation_deg"], 1, "degrees"),
        "within 5 cm and 5 degrees": _scaled(figures["recall_5cm_5deg"], 100, "%"),
        "within 2 cm and 2 degrees": _scaled(figures["recall_2cm_2deg"], 100, "%"),
        "coordinates within 10 cm": _scaled(figures["coordinate_within_10cm"], 100, "%"),
        "accepted with an error over 50 cm": str(figures["false_accepts_over_50cm"]),
        "true error inside the 95 % ellipsoid": _scaled(figures["covariance_coverage_95"], 100, "%"),
        "ms per frame": ", ".join(f"{stage} {ms:.0f}" for stage, ms in stage_times_ms(figures).items()),
        "frames per second": _scaled(figures["frames_per_second"], 1, ""),
        "peak memory": _scaled(figures["peak_rss_mb"], 1, "MB"),
        "model": f"{figures['model']} on {figures['device']}",
    }


def _percent(part: object, whole: object) -> str:
    return f"{part} ({100 * float(str(part)) / float(str(whole)):.1f} %)"


def _scaled(value: object, factor: float, unit: str) -> str:
    return f"{number(value, 2, factor, missing='none')} {unit if value is not None else ''}".rstrip()
