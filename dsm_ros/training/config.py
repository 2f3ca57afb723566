"""What a training run is: its recipe, read from config/train_PRESET.yaml."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dsm_ros.errors import DsmError
from dsm_ros.network.config import PRESETS


@dataclass(frozen=True)
class TrainConfig:
    """A recipe. A step takes ``episodes`` places of ``views`` images each and ``queries`` of every place.

    preset: of the network. width_px, height_px: of the images. max_images: map images per query, drawn 1..max.
    elsewhere: share of queries whose map is of another place. freeze_trunks: leave what others trained as it is.
    pool: how many different places; after as many the first ones come again.
    """

    preset: str = "lite"
    steps: int = 50_000
    episodes: int = 2
    views: int = 10
    queries: int = 4
    max_images: int = 5
    elsewhere: float = 0.1
    width_px: int = 256
    height_px: int = 192
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    warmup_steps: int = 200
    clip_norm: float = 1.0
    matching_weight: float = 0.2
    choice_weight: float = 0.2
    matching_temperature: float = 0.05
    freeze_trunks: bool = False
    pool: int = 10_000
    seed: int = 0
    save_every: int = 500


def read_config(path: Path) -> TrainConfig:
    """Read a recipe. Raises DsmError that names the key or value which is wrong."""
    known = {field.name: type(field.default) for field in fields(TrainConfig)}
    try:
        values = YAML(typ="safe").load(path.read_text()) or {}
    except (OSError, YAMLError) as error:
        raise DsmError(f"cannot read the recipe {path}: {str(error).splitlines()[0]}") from error
    for key, value in values.items():
        if key not in known:
            raise DsmError(f"{path}: '{key}' is no setting; known: {', '.join(known)}")
        if not isinstance(value, (int, float) if known[key] is float else known[key]):
            raise DsmError(f"{path}: {key} is {value!r}; it must be of type {known[key].__name__}")
    config = TrainConfig(**values)
    if config.preset not in PRESETS:
        raise DsmError(f"{path}: preset '{config.preset}' is unknown; known: {', '.join(PRESETS)}")
    return config
