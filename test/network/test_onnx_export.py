"""Exported graphs give the results of torch for any batch and size, and name their model."""

import sys
from copy import deepcopy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from dsm_ros.errors import DsmError
from dsm_ros.network.config import PRESETS
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.layers import fuse_norms
from dsm_ros.network.onnx_export import export_part, learnt_parts

SIZES = [(1, 64, 96), (2, 96, 64), (3, 128, 160)]


@pytest.fixture(scope="module", params=["lite", pytest.param("paper", marks=pytest.mark.slow)])
def trained(request):
    """A network of each preset, none of whose layers is at its start."""
    torch.manual_seed(0)
    network = DsmNet(PRESETS[request.param]).eval()
    for head in network.coordinate_heads:
        torch.nn.init.normal_(head.output.weight, std=0.05)
    network.requires_grad_(False)
    fuse_norms(network)
    return network


def run(graph, x_BCHW):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": x_BCHW.numpy()})


def flat(outputs):
    return [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)


def test_every_part_gives_what_torch_gives_for_any_batch_and_size(trained):
    parts = learnt_parts(trained)
    levels = [f"level_{i}" for i in range(len(trained.encoder.strides))]
    assert list(parts) == ["encoder", *levels, "confidence"]
    for part in parts.values():
        graph = export_part(part, {})
        for count, height, width in SIZES:
            x_BCHW = torch.rand(count, part.channels, height, width) * (255 if part.channels == 3 else 1)
            wanted = flat(part.module(x_BCHW))
            found = run(graph, x_BCHW)
            assert len(found) == len(wanted) == len(part.outputs)
            for a, b in zip(wanted, found, strict=True):
                np.testing.assert_allclose(b, a, atol=1e-4 * max(1.0, float(a.abs().max())))


def test_no_graph_declares_the_size_of_a_map(trained):
    for part in learnt_parts(trained).values():
        graph = onnx.load_model_from_string(export_part(part, {})).graph
        for tensor in (*graph.input, *graph.output):
            axes = tensor.type.tensor_type.shape.dim
            free = [axes[0], *axes[-2:]] if len(axes) > 2 else [axes[0]]
            assert all(axis.dim_param for axis in free), tensor


def test_half_precision_keeps_the_features_and_their_type(network):
    part = learnt_parts(network)["encoder"]
    x_BCHW = torch.nn.functional.interpolate(torch.rand(1, 3, 24, 32) * 255, scale_factor=16.0, mode="bilinear")
    whole, half = export_part(part, {}), export_part(part, {}, half=True)
    assert len(half) < 0.55 * len(whole)
    for a, b in zip(run(whole, x_BCHW), run(half, x_BCHW), strict=True):
        assert b.dtype == np.float32
        assert (a * b).sum(axis=1).min() > 0.995


def test_a_graph_names_its_model(network):
    graph = onnx.load_model_from_string(export_part(learnt_parts(network)["encoder"], {"model": network.name}))
    assert {entry.key: entry.value for entry in graph.metadata_props} == {"model": network.name}
    assert graph.opset_import[0].version == 18


def test_without_onnx_the_error_says_what_to_install(network, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(DsmError, match="pip install"):
        export_part(learnt_parts(network)["encoder"], {})


def test_export_leaves_the_network_as_it_was(network):
    before = deepcopy(network.state_dict())
    export_part(learnt_parts(network)["encoder"], {})
    assert not network.encoder.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
