"""Print a summary of the GPU check from the files of its steps, and write all measurements into one JSON file.

python scripts/gpu_summary.py FOLDER FIGURES.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

OUTCOMES = {0: "done", 124: "stopped at its time limit", 137: "stopped at its time limit"}


def main(folder: Path, target: Path) -> None:
    """Print the summary of a folder and write the measurements of each step as JSON."""
    figures = dict(_figures(folder))
    target.write_text(json.dumps(figures, indent=1))
    print("\n".join([*_steps(folder), *(line for name, value in figures.items() for line in _lines(name, value))]))
    if (run := _training(folder / "train")) is not None:
        print(run)


def _steps(folder: Path) -> Iterator[str]:
    for row in (folder / "steps.tsv").read_text().splitlines():
        name, status, seconds = row.split("\t")
        outcome = OUTCOMES.get(int(status), f"failed with exit status {status}") if status.isdigit() else status
        yield f"{name}: {outcome}, {seconds} s"


def _figures(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.glob("*.json")):
        try:
            yield path.stem, json.loads(path.read_text())
        except ValueError:
            print(f"{path.name} is incomplete")


def _lines(name: str, figures: dict[str, Any]) -> list[str]:
    """Return lines with the measurements of one step, a line for each setting of ``dsm bench``."""
    if "sweep" not in figures:
        return [f"{name}: " + ", ".join(f"{key} {_short(value)}" for key, value in figures.items())]
    video = ", ".join(f"{stage['name']} {stage['median_ms']:.2f}" for stage in figures["stages"])
    first = figures["stages"][0]
    setting = f"N = {first['keyframes']}, long side {first['long_side_px']} px"
    lines = [f"{name}, {first['runtime']}, video, {setting}: {video} ms"]
    for row in figures["sweep"]:
        stages = ", ".join(f"{key} {value:.2f}" for key, value in row["ms_per_frame"].items())
        memory = f"{row['peak_rss_mb']:.0f} MB process memory, GPU {_short(row['gpu_mb'])} MB"
        setting = f"{row['map_keyframes']} keyframes, N {row['keyframes']}, {row['width_px']}x{row['height_px']}"
        lines.append(f"{name}, {row['runtime']} on {row['device']}, {setting}: {stages} ms; {memory}")
    return lines


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _training(folder: Path) -> str | None:
    """Return a line with the training steps per second from the stamps of the curves, None without a training run."""
    if not folder.is_dir():
        return None
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves = EventAccumulator(str(folder)).Reload()
    names = curves.Tags()["scalars"]
    stamps_s = [event.wall_time for event in curves.Scalars(names[0])] if names else []
    half = stamps_s[len(stamps_s) // 2 :]  # the first half also waits for data
    if len(half) < 2:
        return f"train: {len(stamps_s)} steps, too few for a rate"
    rate = (len(half) - 1) / max(half[-1] - half[0], 1e-9)
    return f"train: {len(stamps_s)} steps, {rate:.2f} per second in the second half"


if __name__ == "__main__":
    print(datetime.now(timezone.utc).isoformat(timespec="seconds"))
    main(Path(sys.argv[1]), Path(sys.argv[2]))
