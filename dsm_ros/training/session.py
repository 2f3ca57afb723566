"""A training run with its recipe, network, data and curves, from the arguments of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.datasets.rooms.texture_pack import TextureLibrary
from dsm_ros.errors import DsmError
from dsm_ros.network.checkpoint import DEFAULT_WEIGHTS, put_weights, read_weights
from dsm_ros.network.config import PRESETS
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.paths import config_folder, models_folder
from dsm_ros.progress import progress_bar
from dsm_ros.training.cached_episodes import CachedEpisodes, episodes_checksum
from dsm_ros.training.config import TrainConfig, read_config
from dsm_ros.training.devices import joined_devices
from dsm_ros.training.episode import EpisodeSource
from dsm_ros.training.rooms_source import RoomEpisodes
from dsm_ros.training.sequences import MixedEpisodes, SequenceEpisodes
from dsm_ros.training.state import STATE_FILE, require_state
from dsm_ros.training.train import OnStep, Run, Trained, train


def train_session(
    preset: str,
    out: Path,
    resume: bool,
    textures: Path | None,
    sequences: list[str],
    start: Path | None,
    cache_rooms: bool,
    workers: int,
) -> Trained | None:
    """Train, and return the result in the first process, None in the other processes of torchrun.

    Raises DsmError on bad input, before anything is written, and ModelError when all steps were skipped.
    """
    recipe = Path(preset) if preset.endswith(".yaml") else config_folder() / f"train_{preset}.yaml"
    config = read_config(recipe)
    if resume:
        require_state(out)
    elif (out / STATE_FILE).exists():
        raise DsmError(f"{out} already contains a run; continue the run with --resume, or choose another --out")
    source = _source(config, textures, sequences, out / "episodes" if cache_rooms else None)
    network = _start(config, start)
    out.mkdir(parents=True, exist_ok=True)
    with joined_devices() as devices, _curves(out, config.steps, devices.is_first) as on_step:
        trained = train(network, source, config, Run(out, devices, workers, on_step), resume)
        return trained if devices.is_first else None


def _source(config: TrainConfig, textures: Path | None, sequences: list[str], cache: Path | None) -> EpisodeSource:
    """Return the episodes of rooms and recordings, stored in a folder of ``cache`` if given."""
    library = TextureLibrary(textures) if textures else None
    recordings = [open_sequence(name) for name in sequences]
    recorded = [SequenceEpisodes(recording, config) for recording in recordings]
    source = MixedEpisodes([RoomEpisodes(config, library), *recorded])
    return CachedEpisodes(source, cache / episodes_checksum(config, library, recordings)) if cache else source


def _start(config: TrainConfig, weights: Path | None) -> DsmNet:
    """Return a network with the given weights, or an untrained network, which for lite has the shipped trunks."""
    torch.manual_seed(config.seed)
    network = DsmNet(PRESETS[config.preset])
    if weights:
        put_weights(network, read_weights(weights)[1], weights)
    elif config.preset == "lite":
        shipped = read_weights(models_folder() / DEFAULT_WEIGHTS)[1]
        trunks = {key: value for key, value in shipped.items() if key.split(".")[1] in network.encoder.pretrained}
        network.load_state_dict(trunks, strict=False)
    return network


@contextmanager
def _curves(folder: Path, steps: int, is_first: bool) -> Iterator[OnStep]:
    """Yield a function that shows each step in a progress bar and writes its losses for TensorBoard.

    The first step opens the file of the losses, because a run that cannot start must change nothing on disk.
    """
    if not is_first:
        yield lambda step, losses: None
        return
    with ExitStack() as files, progress_bar("training") as on_progress:
        writer = cache(lambda: files.enter_context(SummaryWriter(folder)))

        def on_step(step: int, losses: dict[str, float]) -> None:
            for name, value in losses.items():
                writer().add_scalar(name, value, step)
            on_progress(step, steps)

        yield on_step
