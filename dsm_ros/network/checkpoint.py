"""Weights on disk, as safetensors with the network's configuration in the metadata."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from dsm_ros.errors import DsmError, ModelError
from dsm_ros.files import write_whole
from dsm_ros.network.config import HeadShape, NetworkConfig
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.fastest import encoding_s, fastest_network
from dsm_ros.network.layers import fuse_norms
from dsm_ros.network.onnx_net import use_onnxruntime
from dsm_ros.network.openvino_net import use_openvino
from dsm_ros.network.runtime import Runtime
from dsm_ros.paths import models_folder

FORMAT_VERSION = 3
DEFAULT_WEIGHTS = "dsm_lite.safetensors"
DEVICES = "choose cpu, cuda or cuda:NUMBER"
LENGTH_BYTES = 8  # size of the first number in a safetensors file, the length of the header


def load_network(path: Path | None = None, device: str = "cpu", runtime: Runtime = Runtime.TORCH) -> DsmNet:
    """Return a network ready for inference, by default with the shipped weights.

    device: cpu, cuda or cuda:NUMBER. Raises ModelError when the file is missing, damaged or of another network, and
    DsmError when this machine lacks the device or the runtime.
    """
    _require_device(device)
    if runtime == Runtime.FASTEST and torch.device(device).type == "cpu":  # CUDA graphs contain calls of torch only
        return fastest_network(partial(load_network, path, device), encoding_s)
    path = path or models_folder() / DEFAULT_WEIGHTS
    config, weights = read_weights(path)
    network = DsmNet(config, feature_hash(config, weights))
    put_weights(network, weights, path)
    network.eval().requires_grad_(False)
    fuse_norms(network)
    if runtime == Runtime.ONNXRUNTIME:
        use_onnxruntime(network, torch.device(device))
    if runtime == Runtime.OPENVINO:
        use_openvino(network, torch.device(device))
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def _require_device(device: str) -> None:
    """Raise DsmError unless a device is the CPU or a GPU that torch can use."""
    refused = f"the network cannot run on the device '{device}'"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise DsmError(f"{refused}; {DEVICES}")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA raises AssertionError
        raise DsmError(f"{refused} ({str(error).splitlines()[0]}); {DEVICES}") from error


def feature_hash(config: NetworkConfig, weights: dict[str, Tensor]) -> str:
    """Return the checksum of the encoder and of the size of its input, on which the features of keyframes depend.

    The features of a map remain valid when the heads change.
    """
    checksum = hashlib.sha256(f"{config.encoder} {config.channels} {config.long_side_px}".encode())
    for key in sorted(weights):
        if key.startswith("encoder."):
            checksum.update(key.encode())
            checksum.update(weights[key].numpy().tobytes())
    return checksum.hexdigest()


def read_weights(path: Path) -> tuple[NetworkConfig, dict[str, Tensor]]:
    """Return the configuration and the weights (float32) in a file. Raises ModelError for a file without weights."""
    if not path.is_file():
        raise ModelError(f"no weights at {path}; give the path of a .safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            config = _read_config(file.metadata() or {})
            return config, {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, TypeError, ValueError, KeyError) as error:
        raise _no_weights(path, error) from error


def put_weights(network: DsmNet, weights: dict[str, Tensor], path: Path) -> None:
    """Load the weights of a file into a network. Raises ModelError when the weights belong to another network."""
    counters = {key: value for key, value in network.state_dict().items() if key.endswith("num_batches_tracked")}
    try:
        network.load_state_dict(counters | weights)
    except RuntimeError as error:
        raise _no_weights(path, error) from error


def _no_weights(path: Path, error: Exception) -> ModelError:
    reason = str(error).splitlines()[0]
    return ModelError(f"{path} contains no weights for this network ({reason}); download the file again")


def save_network(network: DsmNet, path: Path) -> None:
    """Write a network's weights (fp16) and configuration, without the counters of batch norms."""
    state = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    weights = {key: value.half().contiguous() for key, value in state.items()}
    config = json.dumps(asdict(network.config))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, _in_order(save(weights, {"format_version": str(FORMAT_VERSION), "config": config})))


def _in_order(content: bytes) -> bytes:
    """Return a safetensors file with its keys sorted, so that equal weights have equal checksums."""
    start = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "little")
    header = json.dumps(json.loads(content[LENGTH_BYTES:start]), sort_keys=True).encode()
    header += b" " * (-len(header) % LENGTH_BYTES)
    return len(header).to_bytes(LENGTH_BYTES, "little") + header + content[start:]


def _read_config(metadata: dict[str, str]) -> NetworkConfig:
    if int(metadata["format_version"]) > FORMAT_VERSION:
        raise ValueError("it was written by a newer version of dsm_ros; update dsm_ros")
    values: Any = json.loads(metadata["config"])
    for head in ("coarse_head", "fine_head"):  # JSON has lists only
        values[head] = HeadShape(*values[head])
    values["agreement_m"] = tuple(values["agreement_m"])
    return NetworkConfig(**values)
