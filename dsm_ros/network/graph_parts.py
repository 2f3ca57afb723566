"""Trained parts of the network as graphs of a runtime other than torch; the matching always runs in torch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dsm_ros.network.confidence_head import ConfidenceHead
from dsm_ros.network.consistency import STEPS
from dsm_ros.network.coordinate_head import CoordinateHead
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.onnx_export import Part, learnt_parts


class GraphModule(nn.Module):
    """A graph with one input and one or several outputs, run by a runtime other than torch."""

    def __init__(self, device: torch.device):
        super().__init__()
        self.where = nn.Parameter(torch.empty(0, device=device), requires_grad=False)  # DsmNet.device reads it

    @property
    def runtime(self) -> str:
        """The library that runs the graph, for example "onnxruntime (CPU)"."""
        raise NotImplementedError

    def run(self, x_BCHW: Tensor) -> list[Tensor]:
        """Return all outputs of the graph (float32) on the input's device."""
        raise NotImplementedError

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return the first output of the graph."""
        return self.run(x_BCHW)[0]


class GraphEncoder(nn.Module):
    """The encoder as a graph."""

    def __init__(self, strides: tuple[int, ...], graph: GraphModule):
        super().__init__()
        self.strides, self.graph = strides, graph
        self.runtime = graph.runtime

    def forward(self, image_B3HW: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        *levels, descriptor_BD = self.graph.run(image_B3HW)
        by_cell = (level.contiguous(memory_format=torch.channels_last) for level in levels)  # as in torch's encoder
        return tuple(by_cell), descriptor_BD


class GraphLayers(nn.Module):
    """The layers of a head as a graph."""

    def __init__(self, graph: GraphModule):
        nn.Module.__init__(self)  # not the constructor of the head, which would create torch's layers
        self.graph = graph

    def layers(self, stacked_BCHW: Tensor) -> Tensor:
        return self.graph(stacked_BCHW)


class GraphCoordinateHead(GraphLayers, CoordinateHead):
    """Net_coords whose layers are a graph."""


class GraphConfidenceHead(GraphLayers, ConfidenceHead):
    """Net_conf whose layers are a graph, for any grid but very narrow ones, which torch computes.

    The graph mirrors the border of the grid by the largest distance of compared cells.
    """

    def __init__(self, graph: GraphModule, for_narrow_grids: ConfidenceHead):
        super().__init__(graph)
        self.for_narrow_grids = for_narrow_grids

    def layers(self, stacked_BCHW: Tensor) -> Tensor:
        narrow = min(stacked_BCHW.shape[2:]) <= max(STEPS)
        return self.for_narrow_grids.layers(stacked_BCHW) if narrow else self.graph(stacked_BCHW)


def use_graphs(network: DsmNet, open_part: Callable[[str, Part], GraphModule]) -> None:
    """Replace the trained parts of a network, which is on the CPU and in eval mode, by graphs.

    open_part: returns the graph of a part with a given name.
    """
    graphs = {name: open_part(name, part) for name, part in learnt_parts(network).items()}
    encoder = GraphEncoder(network.encoder.strides, graphs.pop("encoder"))
    confidence = graphs.pop("confidence", None)
    heads = {int(name.removeprefix("level_")): GraphCoordinateHead(graph) for name, graph in graphs.items()}
    head = network.confidence_head
    if confidence and isinstance(head, ConfidenceHead):
        head = GraphConfidenceHead(confidence, head)
    network.replace_parts(encoder, heads, head)
