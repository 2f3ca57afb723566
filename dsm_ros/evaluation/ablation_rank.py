"""Errors of the k-th best candidates of all cells, at the coarsest level [paper figure 7]."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.datasets.frame import Frame, FrameSequence
from dsm_ros.errors import SequenceError
from dsm_ros.evaluation.ablation_names import TITLES, Ablation
from dsm_ros.evaluation.plots import ESTIMATE_COLOR, TRUE_COLOR, new_figure, save
from dsm_ros.evaluation.tables import number, print_table
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.verification import Rejected, Verdict
from dsm_ros.localization.view import single_view
from dsm_ros.network.cost_volume import keep_best
from dsm_ros.network.dense_match import DenseMatch
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.features import Scene, gather_scene
from dsm_ros.network.temporal import PreviousFrame, fuse_previous, is_just_before, scene_weight

SHOWN = (1, 2, 3, 4, 6, 8, 12, 16)


@dataclass(frozen=True)
class RankRow:
    """Errors of the k-th best candidates over all cells with true depth, without and with the previous frame."""

    k: int
    single_mean_m: float
    single_median_m: float
    video_mean_m: float
    video_median_m: float


@dataclass(frozen=True)
class RankReport:
    """Errors on one sequence, with the numbers of frames and of frames that were fused with the previous frame."""

    sequence: str
    frames: int
    fused_frames: int
    rows: list[RankRow]

    def figures(self) -> dict[str, object]:
        """Return the result of the ablation for the JSON file."""
        ranks = [asdict(row) for row in self.rows]
        counts = {"frames": self.frames, "fused_frames": self.fused_frames}
        return {"ablation": Ablation.RANK, "sequence": self.sequence, **counts, "ranks": ranks}

    def show(self) -> None:
        """Print the table of the ablation."""
        cells = [
            [str(row.k)] + [number(value, 1, 100) for value in list(asdict(row).values())[1:]]
            for row in self.rows
            if row.k in SHOWN
        ]
        heads = ["k", "single, mean cm", "single, median cm", "video, mean cm", "video, median cm"]
        title = f"{self.sequence}: {TITLES[Ablation.RANK]}; previous frame used in {self.fused_frames} of {self.frames}"
        print_table(title, heads, cells)

    def draw(self, folder: Path) -> Path:
        """Write the error curves as a plot; return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        figure = new_figure(6, 3)
        axes = figure.add_subplot()
        ks = [row.k for row in self.rows]
        curves = {"single": ("-", ESTIMATE_COLOR), "video": ("--", TRUE_COLOR)}
        for name, (line, color) in curves.items():
            for kind, width in (("mean", 1.8), ("median", 0.9)):
                values = [100 * getattr(row, f"{name}_{kind}_m") for row in self.rows]
                axes.plot(ks, values, line, c=color, lw=width, label=f"{name}, {kind}")
        axes.set_title(self.sequence, fontsize=9)
        axes.set_xlabel("rank k of the candidate")
        axes.set_ylabel("coordinate error (cm)")
        axes.set_ylim(0)
        axes.legend()
        return save(figure, folder / f"ablation-{Ablation.RANK}.png")


def rank_candidates(
    localizer: Localizer,
    sequence: FrameSequence,
    indices: range,
    on_progress: Callable[[int, int], None],
    weigh_scene: Callable[[float], float] = scene_weight,
) -> RankReport:
    """Return the errors of the k-th best candidates of each frame, without and with the previous frame.

    weigh_scene: returns alpha of the temporal fusion for a mean confidence. Raises SequenceError when a frame has no
    true pose or no depth.
    """
    previous: PreviousFrame | None = None
    single: list[NDArray[np.float64]] = []
    video: list[NDArray[np.float64]] = []
    fused_frames = 0
    for count, index in enumerate(indices, 1):
        frame = sequence[index]
        views = single_view(frame.image_HW3, frame.camera)
        recent = previous and is_just_before(previous.stamp_ns, frame.stamp_ns, localizer.config.max_frame_gap_s)
        prior = previous.map_T_camera if previous and recent else None
        if verdict := localizer.find_pose(views, frame.stamp_ns, prior):
            image = verdict.estimates[0].image
            truth_P3, known_P = _true_points(localizer.network, frame, image.scene)
            match = localizer.network.match(image.query, image.scene)
            single.append(_errors_m(localizer, match, image.scene, truth_P3)[known_P])
            video.append(single[-1])
            alpha = weigh_scene(match.confidence)
            if alpha < 1 and previous and recent:
                fused_frames += 1
                fused = image.scene
                for level in range(len(fused.levels)):
                    fused = fuse_previous(fused, previous, alpha, level)
                match = localizer.network.match(image.query, fused)
                video[-1] = _errors_m(localizer, match, fused, truth_P3)[known_P]
            previous = _accepted(verdict, frame.stamp_ns)
        on_progress(count, len(indices))
    rows = _rows(np.concatenate(single), np.concatenate(video))
    return RankReport(sequence.name, len(indices), fused_frames, rows)


def _true_points(network: DsmNet, frame: Frame, scene: Scene) -> tuple[Tensor, Tensor]:
    """Return the true point of each cell of the coarsest level (P, 3; m, local frame), and whether depth is known."""
    if frame.depth_HW is None or frame.map_T_camera is None:
        raise SequenceError(f"frame {frame.name} has no true pose or no depth; use a sequence with both")
    features = network.encode_keyframe(frame.image_HW3, frame.depth_HW, frame.camera, frame.map_T_camera)
    level = gather_scene([features]).levels[0]
    local_T_camera_44 = torch.tensor(np.linalg.inv(scene.map_T_local) @ frame.map_T_camera).to(level.coords_N3HW)
    points_P3 = level.coords_N3HW[0].flatten(1).T @ local_T_camera_44[:3, :3].T + local_T_camera_44[:3, 3]
    return points_P3, level.valid_NHW[0].flatten()


def _errors_m(localizer: Localizer, match: DenseMatch, scene: Scene, truth_P3: Tensor) -> NDArray[np.float64]:
    """Return the error (m) of each candidate kept at the coarsest level (P, K), NaN where there is no candidate."""
    volume = keep_best(match.levels[0].searches[0].candidates, scene.levels[0], localizer.network.config.candidates)
    errors_PK = (volume.coords_PK3 - truth_P3[:, None]).norm(dim=2).masked_fill(~volume.valid_PK, torch.nan)
    return errors_PK.double().cpu().numpy()


def _accepted(verdict: Verdict, stamp_ns: int) -> PreviousFrame | None:
    if isinstance(verdict, Rejected):
        return None
    return PreviousFrame(verdict.estimates[0].image.query, verdict.map_T_rig, stamp_ns)


def _rows(single_PK: NDArray[np.float64], video_PK: NDArray[np.float64]) -> list[RankRow]:
    both = (single_PK, video_PK)
    columns = [reduce(errors_PK, axis=0) for errors_PK in both for reduce in (np.nanmean, np.nanmedian)]
    return [RankRow(k, *map(float, values)) for k, values in enumerate(zip(*columns, strict=True), 1)]
