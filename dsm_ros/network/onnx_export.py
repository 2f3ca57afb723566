"""Export of the trained parts of the network as ONNX graphs, without the matching."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dsm_ros.errors import DsmError
from dsm_ros.network.confidence_head import ConfidenceHead
from dsm_ros.network.coordinate_head import CoordinateHead
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.encoder import Encoder
from dsm_ros.network.onnx_cache import cached_graph, identity

OPSET = 18
EXAMPLE_HW = (64, 96)
WIDE_RANGE_OPS = ["InstanceNormalization", "Pow", "ReduceL2", "ReduceMean"]  # values or sums overflow float16
NOT_INSTALLED = "the export needs onnx, which is not installed; pip install onnx onnxruntime"


@dataclass(frozen=True)
class Part:
    """A trained part of the network, whose input is one tensor (B, channels, H, W).

    H and W are multiples of 32 for the encoder, and at least 5 for Net_conf.
    """

    module: nn.Module
    channels: int
    outputs: tuple[str, ...]


class FlatEncoder(nn.Module):
    """An encoder that returns its levels and the descriptor as one tuple."""

    def __init__(self, encoder: Encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, image_B3HW: Tensor) -> tuple[Tensor, ...]:
        levels, descriptor_BD = self.encoder(image_B3HW)
        return (*levels, descriptor_BD)


class HeadLayers(nn.Module):
    """The layers of a head, whose input is one stacked tensor."""

    def __init__(self, head: CoordinateHead | ConfidenceHead):
        super().__init__()
        self.head = head

    def forward(self, stacked_BCHW: Tensor) -> Tensor:
        return self.head.layers(stacked_BCHW)


def learnt_parts(network: DsmNet) -> dict[str, Part]:
    """Return the parts that have weights, by name: encoder, level_0, level_1, ..., confidence."""
    levels = tuple(f"level_{i}" for i in range(len(network.encoder.strides)))
    parts = {"encoder": Part(FlatEncoder(network.encoder), 3, (*levels, "descriptor"))}
    for name, head in zip(levels, network.coordinate_heads, strict=True):
        if isinstance(head, CoordinateHead):
            parts[name] = Part(HeadLayers(head), head.input_channels, ("output",))
    head = network.confidence_head
    if isinstance(head, ConfidenceHead):
        parts["confidence"] = Part(HeadLayers(head), head.input_channels, ("logits",))
    return parts


def export_part(part: Part, about: dict[str, str], half: bool = False) -> bytes:
    """Return the ONNX graph of a part, which is on the CPU in eval mode, with float32 inputs and outputs.

    about: metadata of the graph. half: use float16 in all operators whose results fit into float16. Raises DsmError
    without onnx.
    """
    try:
        import onnx
    except ImportError as error:
        raise DsmError(NOT_INSTALLED) from error
    model = onnx.load_model_from_string(_trace(part))
    if half:
        from onnxruntime.transformers.float16 import convert_float_to_float16

        model = convert_float_to_float16(model, keep_io_types=True, op_block_list=WIDE_RANGE_OPS)
    onnx.helper.set_model_props(model, about)
    return model.SerializeToString()


def cached_part(network: DsmNet, name: str, part: Part, half: bool = False) -> bytes:
    """Return the ONNX graph of a part of a network from the cache, or export a missing graph; see ``export_part``."""
    key = "-".join([network.name, name, "fp16" if half else "fp32", identity(part.module)])
    return cached_graph(key, lambda: export_part(part, {"model": network.name, "part": name}, half))


def _trace(part: Part) -> bytes:
    """Trace a part with torch's older exporter, which needs only seconds and no package besides onnx."""
    graph, example = io.BytesIO(), torch.zeros(1, part.channels, *EXAMPLE_HW)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch warns of deprecation, and of constants that it does not fold
        results = part.module.eval()(example)
        outputs = zip(part.outputs, results if isinstance(results, tuple) else (results,), strict=True)
        torch.onnx.export(
            part.module,
            (example,),
            graph,  # type: ignore[arg-type]  # its annotation leaves files in memory out
            dynamo=False,
            opset_version=OPSET,
            input_names=["input"],
            output_names=list(part.outputs),
            dynamic_axes={name: _free_axes(name, tensor) for name, tensor in [("input", example), *outputs]},
        )
    return graph.getvalue()


def _free_axes(name: str, tensor: Tensor) -> dict[int, str]:
    """Return the names of the axes of a graph's input or output whose size is free: the batch, and those of a map."""
    last = tensor.dim() - 1
    return {0: "batch"} | ({last - 1: f"{name}_height", last: f"{name}_width"} if last > 1 else {})
