"""The recipe of a training run, read from config/train_PRESET.yaml."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dsm_ros.datasets.text_file import read_text
from dsm_ros.errors import DsmError, SequenceError
from dsm_ros.geometry.rectify import SIDE_MULTIPLE_PX
from dsm_ros.network.config import PRESETS

MANY = 1_000_000_000
LONGEST_SIDE_PX = 4096
LARGEST_WEIGHT = 1e6


def setting(default: Any, low: float | None = None, high: float = MANY, step: int = 1) -> Any:
    """Return the field of a setting from ``low`` to ``high``; whole numbers are multiples of ``step``."""
    return field(default=default, metadata={"low": low, "high": high, "step": step})


def weight(default: float) -> Any:
    """Return the field of a weight, which may be 0."""
    return setting(default, 0.0, LARGEST_WEIGHT)


def side_px(default: int) -> Any:
    """Return the field of a side of the images."""
    return setting(default, SIDE_MULTIPLE_PX, LONGEST_SIDE_PX, SIDE_MULTIPLE_PX)


@dataclass(frozen=True)
class TrainConfig:
    """Recipe of a training run; the fields are the keys of the YAML file.

    An episode is a set of views of one place. A step trains on a few episodes. In each episode, some views are query
    images, which are matched against other views.
    """

    preset: str = setting("lite")  # preset of the network, lite or paper
    steps: int = setting(50_000, 1)  # number of training steps
    episodes: int = setting(2, 1, 1000)  # episodes per step
    views: int = setting(10, 2, 1000)  # views per episode
    queries: int = setting(4, 1, 1000)  # query images per episode
    max_images: int = setting(5, 1, 1000)  # maximum number of map images per query; drawn between 1 and the maximum
    elsewhere: float = setting(0.1, 0.0, 1.0)  # share of queries whose map images are of another place
    width_px: int = side_px(256)  # width of the images
    height_px: int = side_px(192)  # height of the images
    learning_rate: float = setting(5e-4, 1e-9, 1.0)  # learning rate after the warm-up
    weight_decay: float = weight(1e-4)  # weight decay of the optimizer, AdamW
    warmup_steps: int = setting(200, 0)  # steps in which the learning rate grows linearly to learning_rate
    clip_norm: float = setting(1.0, 1e-6, 1e6)  # maximum norm of the gradient
    matching_weight: float = weight(0.2)  # weight of the matching loss
    choice_weight: float = weight(0.2)  # weight of the choice loss
    matching_temperature: float = setting(0.05, 1e-3, 1e3)  # temperature of the softmax in the matching loss
    freeze_trunks: bool = setting(False)  # keep the published weights of the encoder's trunks
    trunk_cache_mb: int = setting(1000, 0)  # memory for outputs of frozen trunks; a view of 256x192 takes 0.22 MB
    pool: int = setting(10_000, 1)  # number of different episodes; later steps use the same episodes again
    augmentations: int = setting(100, 1)  # number of different augmentations of each episode
    seed: int = setting(0, 0, 2**63 - 1)  # seed of all random numbers
    save_every: int = setting(500, 1)  # steps between two saved states


def read_config(path: Path) -> TrainConfig:
    """Read a recipe. Raises DsmError, which names the invalid key or value."""
    values = _read_mapping(path)
    known = {item.name: item for item in fields(TrainConfig)}
    for key, value in values.items():
        if key not in known:
            raise DsmError(f"{path}: '{key}' is not a setting; use one of {', '.join(known)}")
        if problem := _problem(known[key], value):
            raise DsmError(f"{path}: {key} is {value!r}; {problem}")
    config = TrainConfig(**values)
    if config.preset not in PRESETS:
        raise DsmError(f"{path}: preset '{config.preset}' is unknown; use one of {', '.join(PRESETS)}")
    return config


def _read_mapping(path: Path) -> dict[Any, Any]:
    """Return the content of a YAML file, empty for a file that contains only comments."""
    try:
        content = YAML(typ="safe").load(read_text(path))
    except SequenceError as error:
        raise DsmError(f"{error}; use {', '.join(PRESETS)} or the path of a recipe (.yaml)") from error
    except (YAMLError, ValueError) as error:
        raise DsmError(f"{path} is not YAML ({_reason(error)}); write one 'key: value' per line") from error
    if content is not None and not isinstance(content, dict):
        raise DsmError(f"{path} contains no settings; write one 'key: value' per line")
    return content or {}


def _reason(error: Exception) -> str:
    """Return what is wrong with a YAML file, in one line."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    reason = str(problem or error).splitlines()[0]
    return f"line {mark.line + 1}: {reason}" if mark else reason


def _problem(item: Field[Any], value: Any) -> str:
    """Return why a setting cannot have a value; empty for a possible value."""
    kind, low, high, step = type(item.default), item.metadata["low"], item.metadata["high"], item.metadata["step"]
    if type(value) is not kind and not (kind is float and type(value) is int):  # isinstance takes a bool for an int
        return f"it must be of type {kind.__name__}"
    if low is None or (low <= value <= high and (kind is float or value % step == 0)):
        return ""
    return f"choose {low} to {high}" + (f", a multiple of {step}" if step > 1 else "")
