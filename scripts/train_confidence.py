"""Train Net_conf for the shipped encoder, on matches that the localizer makes in rendered rooms and in a recording.

python scripts/train_confidence.py collect --recording fr1_rpy --out out/net_conf
python scripts/train_confidence.py fit --out out/net_conf --weights out/net_conf/dsm_lite.safetensors

collect localizes images of each room, and images of another room, in a map of the room. The command writes a file for
each room, with the input of Net_conf and the correctness of each cell, and keeps existing files. Only images of the
recording (fr1_rpy of TUM RGB-D) before frame 140 are used. fit trains Net_conf and writes it with the shipped encoder.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from dsm_ros.process import prepare_process, use_threads

prepare_process()  # before the imports of numpy and torch

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from dsm_ros.datasets.frame import Frame
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.evaluation.metrics import WITHIN_M
from dsm_ros.evaluation.pose_table import EVERY_POSE, localizer_on
from dsm_ros.files import write_whole
from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.geometry.rectify import rectify_depth
from dsm_ros.geometry.sampling import pool_depth
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.matching import MatchedImage, Matcher
from dsm_ros.localization.view import single_view
from dsm_ros.network.checkpoint import DEFAULT_WEIGHTS, load_network, read_weights, save_network
from dsm_ros.network.confidence_head import ConfidenceHead, with_surroundings
from dsm_ros.network.config import PRESETS
from dsm_ros.network.cost_volume import MIN_DEPTH_M
from dsm_ros.network.dsm_net import DsmNet, without_heads
from dsm_ros.network.grids import pixel_rays
from dsm_ros.paths import models_folder
from dsm_ros.training.level_losses import RIGHT_CELLS
from dsm_ros.training.loss import confidence_loss

ROOMS = (*range(2000, 2016), *range(2040, 2057))
STYLES = ("furnished=1", "furnished=1", "furnished=1,blank=1", "clutter=16", "blank=1", "furnished=1", "repeat=1")
SIZE = "size=512x384"
OTHER_ROOM = 700  # difference between the seed of a room and the seed of another place
STEPS, IMAGES, CELLS = 1500, 8, 640  # steps, images per step and cells per image
LEARNING_RATE, WEIGHT_DECAY, CLIP_NORM = 4e-3, 1e-2, 1.0
STRIDE_PX = 8  # stride of the finest level
RECORDED_WEIGHT = 2.5  # probability of drawing an image of the recording, relative to a rendered image


@dataclass(frozen=True)
class Job:
    """A map and the query images to match in the map.

    queries: sequences, frames, and whether they show another place. keyframes: numbers of keyframes, used in turn.
    """

    name: str
    map_sequence: str
    map_frames: range
    queries: tuple[tuple[str, range, bool], ...]
    keyframes: tuple[int, ...]


def room_job(seed: int) -> Job:
    """Return a map of a room, and images of the room with random camera effects and of another room."""
    rng, style = np.random.default_rng(seed), STYLES[seed % len(STYLES)]

    def effects(limit: float) -> str:
        exposure, noise = rng.uniform(0, limit), rng.uniform(0, limit)
        return f"exposure={exposure:.1f},noise={noise:.1f},blur={rng.choice([0, 0, rng.uniform(0.3, 1.5)]):.1f}"

    step, stop, first = int(rng.choice([10, 15, 30])), int(rng.choice([300, 300, 150])), int(rng.integers(0, 30))
    queries = (
        (f"rooms:{seed}/walk=1,{style},{SIZE},{effects(1)}", range(first, 300, 75), False),
        (f"rooms:{seed}/walk={rng.choice([2, 3])},{style},{SIZE},{effects(2.5)}", range(first + 20, 300, 75), False),
        (f"rooms:{seed + OTHER_ROOM}/walk=0,{style},{SIZE}", range(first, 300, 250), True),
    )
    map_frames = range(0, stop, step)
    return Job(f"room_{seed}", f"rooms:{seed}/walk=0,{style},{SIZE}", map_frames, queries, (4, 4, 10, 2))


def recording_jobs(path: str) -> list[Job]:
    """Return jobs with maps of parts of the recording, and a job with the map of another place, a room."""
    room, turns = f"rooms:2900/walk=0,furnished=1,{SIZE}", (4, 10)
    return [
        Job("recorded_near", path, range(0, 140, 8), ((path, range(4, 140, 4), False),), turns),
        Job("recorded_far", path, range(70, 140, 12), ((path, range(0, 140, 6), False),), turns),
        Job("recorded_elsewhere", room, range(0, 300, 15), ((path, range(1, 140, 20), True),), turns),
    ]


class RecordingMatcher(Matcher):
    """Matches images and keeps the first match and the guided match of the last image."""

    matches: list[MatchedImage]

    def first_match(self, *inputs: Any) -> MatchedImage:
        """Return the first match, and keep it."""
        self.matches = [super().first_match(*inputs)]
        return self.matches[0]

    def guided_match(self, *inputs: Any) -> MatchedImage:
        """Return the guided match, and keep it."""
        self.matches.append(super().guided_match(*inputs))
        return self.matches[-1]


def matches_of(job: Job, network: DsmNet) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the input of Net_conf (C, H, W) and the correctness of the cells (H, W), 0..1, of each match of a job."""
    matcher = RecordingMatcher(network)
    with tempfile.TemporaryDirectory() as folder:
        scene_map = localizer_on(job.map_sequence, job.map_frames, folder, network).scene_map
        for name, frames, elsewhere in job.queries:
            sequence = open_sequence(name)
            for index in frames:
                frame, count = sequence[index], job.keyframes[index % len(job.keyframes)]
                if frame.map_T_camera is None:
                    continue
                config = replace(EVERY_POSE.with_keyframes(count), guided_confidence=np.inf)
                localizer = Localizer(scene_map, network, config, matcher)
                localizer.find_pose(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
                for match in matcher.matches:
                    right_HW = correctness(match, frame, frame.map_T_camera)
                    yield inputs_of(match, network), right_HW * (not elsewhere)


def inputs_of(match: MatchedImage, network: DsmNet) -> torch.Tensor:
    """Return the input of Net_conf (C, H, W) for a match."""
    cells = network.confidence_input([match.query], match.match.levels)
    return with_surroundings(cells.features())[0].half()


def correctness(match: MatchedImage, frame: Frame, map_T_camera: Pose44) -> torch.Tensor:
    """Return the correctness of each cell, (H, W): the mean of two marks of 0 or 1.

    The projection mark is 1 where the coordinate projects onto its own cell in the camera at its true pose [paper 3.4].
    The distance mark is 1 where the coordinate is within 10 cm of the true surface.
    """
    camera, coords_HW3 = match.query.camera, match.match.coords_HW3
    height, width = coords_HW3.shape[:2]
    camera_T_local = torch.from_numpy(invert(map_T_camera) @ match.scene.map_T_local).float()
    found_3HW = (coords_HW3 @ camera_T_local[:3, :3].T + camera_T_local[:3, 3]).movedim(2, 0)
    grid, rays_2HW = camera.resized(width, height), pixel_rays(camera, height, width, coords_HW3.device)
    seen_2HW = found_3HW[:2] / found_3HW[2].clamp(min=MIN_DEPTH_M)
    away_2HW = (seen_2HW - rays_2HW).abs() * torch.tensor([grid.fx, grid.fy])[:, None, None]
    own_HW = (found_3HW[2] > MIN_DEPTH_M) & (away_2HW.sum(0) < RIGHT_CELLS)
    if frame.depth_HW is None:
        return own_HW.float()
    depth_HW = pool_depth(torch.from_numpy(rectify_depth(frame.depth_HW, frame.camera, camera)), STRIDE_PX)
    true_3HW = torch.cat([rays_2HW, torch.ones(1, height, width)]) * depth_HW
    near_HW = (found_3HW - true_3HW).norm(dim=0) < WITHIN_M
    return (own_HW.float() + torch.where(depth_HW > 0, near_HW, own_HW).float()) / 2


def collect_job(job: Job, out: Path) -> str:
    """Write the file of a job unless the file exists."""
    path = out / f"{job.name}.npz"
    if not path.exists():
        use_threads(1)
        inputs, right = zip(*matches_of(job, without_heads(load_network())), strict=True)
        content = io.BytesIO()
        np.savez(content, inputs=torch.stack(inputs).numpy(), right=torch.stack(right).numpy())
        write_whole(path, content.getvalue())
    return job.name


def collect(a: argparse.Namespace) -> None:
    """Write the files of all jobs, several jobs at a time."""
    a.out.mkdir(parents=True, exist_ok=True)
    jobs = [*map(room_job, a.rooms), *recording_jobs(a.recording)]
    with ProcessPoolExecutor(a.workers, mp_context=get_context("spawn")) as pool:
        for name in pool.map(collect_job, jobs, [a.out] * len(jobs)):
            print(name, flush=True)


def read_matches(out: Path) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return inputs (M, C, P), correctness of cells (M, P) and weight (M,) of the matches of all files."""
    inputs, right, weights = [], [], []
    for path in sorted(out.glob("*.npz")):
        with np.load(path) as file:
            inputs.append(torch.from_numpy(file["inputs"]).flatten(2))
            right.append(torch.from_numpy(file["right"]).flatten(1))
        weights += [RECORDED_WEIGHT if path.stem.startswith("recorded") else 1.0] * len(right[-1])
    return torch.cat(inputs), torch.cat(right), torch.tensor(weights)


def train(head: ConfidenceHead, out: Path) -> None:
    """Train Net_conf on a few cells of a few matches per step, with the loss of ``dsm train``."""
    inputs_MCP, right_MP, weights_M = read_matches(out)
    optimizer = AdamW(head.train().parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS)
    for step in range(STEPS):
        chosen = torch.multinomial(weights_M, IMAGES).tolist()
        cells = [torch.randperm(right_MP.shape[1])[:CELLS] for _ in chosen]
        some_BCX = torch.stack([inputs_MCP[i][:, at] for i, at in zip(chosen, cells, strict=True)]).float()
        right_BX = torch.stack([right_MP[i][at] for i, at in zip(chosen, cells, strict=True)]).float()
        loss = confidence_loss(head.classify(some_BCX[:, :, None]), right_BX[:, None])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(head.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    head.eval()


def fit(a: argparse.Namespace) -> None:
    """Train Net_conf and write the weights of the shipped encoder with Net_conf."""
    torch.manual_seed(0)
    network = DsmNet(replace(PRESETS["lite"], trained_coordinates=False))
    shipped = read_weights(models_folder() / DEFAULT_WEIGHTS)[1]
    network.load_state_dict(network.state_dict() | {key: shipped[key] for key in shipped if key.startswith("encoder.")})
    train(network.confidence_head, a.out)  # type: ignore[arg-type]
    save_network(network.eval(), a.weights)


def arguments() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    collecting = commands.add_parser("collect")
    collecting.add_argument("--recording", required=True)
    collecting.add_argument("--rooms", type=int, nargs="*", default=ROOMS)
    collecting.add_argument("--workers", type=int, default=2)
    fitting = commands.add_parser("fit")
    fitting.add_argument("--weights", type=Path, required=True)
    for command, run in ((collecting, collect), (fitting, fit)):
        command.add_argument("--out", type=Path, required=True)
        command.set_defaults(run=run)
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    given.run(given)
