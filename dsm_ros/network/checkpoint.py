"""Weights on disk: safetensors with the network's configuration in their metadata."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dsm_ros.errors import ModelError
from dsm_ros.network.dsm_net import DsmNet, NetworkConfig
from dsm_ros.network.layers import fuse_norms
from dsm_ros.paths import models_folder

FORMAT_VERSION = 1
DEFAULT_WEIGHTS = "dsm_lite.safetensors"


def load_network(path: Path | None = None, device: str = "cpu") -> DsmNet:
    """Return the network ready for inference, by default with the shipped weights.

    Raises ModelError when the file is missing, damaged or made for another network.
    """
    path = path or models_folder() / DEFAULT_WEIGHTS
    if not path.is_file():
        raise ModelError(f"no weights at {path}; give the path of a .safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
        network = DsmNet(_read_config(metadata), hashlib.sha256(path.read_bytes()).hexdigest())
        network.load_state_dict(weights)
    except (SafetensorError, RuntimeError, TypeError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} holds no weights for this network ({reason}); get the file again") from error
    network.eval().requires_grad_(False)
    fuse_norms(network)
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def save_network(network: DsmNet, path: Path) -> None:
    """Write a network's weights (fp16) and configuration; counters of batch norms are left out."""
    state = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    weights = {key: value.half().contiguous() for key, value in state.items()}
    config = json.dumps(asdict(network.config))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, path, {"format_version": str(FORMAT_VERSION), "config": config})


def _read_config(metadata: dict[str, str]) -> NetworkConfig:
    if int(metadata["format_version"]) > FORMAT_VERSION:
        raise ValueError("it was written by a newer version of dsm_ros")
    return NetworkConfig(**json.loads(metadata["config"]))
