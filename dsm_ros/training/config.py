"""The recipe of a training run, read from config/train_PRESET.yaml."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dsm_ros.errors import DsmError
from dsm_ros.network.config import PRESETS


@dataclass(frozen=True)
class TrainConfig:
    """Recipe of a training run; the fields are the keys of the YAML file.

    An episode is a set of views of one place. A step trains on a few episodes. In each episode, some views are query
    images, which are matched against other views.
    """

    preset: str = "lite"  # preset of the network, lite or paper
    steps: int = 50_000  # number of training steps
    episodes: int = 2  # episodes per step
    views: int = 10  # views per episode
    queries: int = 4  # query images per episode
    max_images: int = 5  # maximum number of map images per query; the number is drawn between 1 and the maximum
    elsewhere: float = 0.1  # share of queries whose map images are of another place
    width_px: int = 256  # width of the images
    height_px: int = 192  # height of the images
    learning_rate: float = 5e-4  # learning rate after the warm-up
    weight_decay: float = 1e-4  # weight decay of the optimizer, AdamW
    warmup_steps: int = 200  # steps in which the learning rate grows linearly to learning_rate
    clip_norm: float = 1.0  # maximum norm of the gradient
    matching_weight: float = 0.2  # weight of the matching loss
    choice_weight: float = 0.2  # weight of the choice loss
    matching_temperature: float = 0.05  # temperature of the softmax in the matching loss
    freeze_trunks: bool = False  # keep the published weights of the encoder's trunks
    trunk_cache_mb: int = 1000  # memory for cached outputs of frozen trunks; a view of 256x192 takes 0.22 MB
    pool: int = 10_000  # number of different episodes; later steps use the same episodes again
    augmentations: int = 100  # number of different augmentations of each episode
    seed: int = 0  # seed of all random numbers
    save_every: int = 500  # steps between two saved states


def read_config(path: Path) -> TrainConfig:
    """Read a recipe. Raises DsmError, which names the invalid key or value."""
    known = {field.name: type(field.default) for field in fields(TrainConfig)}
    try:
        values = YAML(typ="safe").load(path.read_text()) or {}
    except (OSError, YAMLError) as error:
        raise DsmError(f"cannot read the recipe {path}: {str(error).splitlines()[0]}") from error
    for key, value in values.items():
        if key not in known:
            raise DsmError(f"{path}: '{key}' is not a setting; use one of {', '.join(known)}")
        if not isinstance(value, (int, float) if known[key] is float else known[key]):
            raise DsmError(f"{path}: {key} is {value!r}; it must be of type {known[key].__name__}")
    config = TrainConfig(**values)
    if config.preset not in PRESETS:
        raise DsmError(f"{path}: preset '{config.preset}' is unknown; use one of {', '.join(PRESETS)}")
    return config
