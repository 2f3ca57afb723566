"""A network in ONNX Runtime gives the results of torch."""

import sys
from copy import deepcopy

import numpy as np
import pytest
import torch

from dsm_ros.errors import DsmError, ModelError
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Localized
from dsm_ros.localization.view import single_view
from dsm_ros.network import dsm_net, onnx_net
from dsm_ros.network.checkpoint import load_network
from dsm_ros.network.config import HeadShape, NetworkConfig
from dsm_ros.network.dsm_net import DsmNet, without_heads
from dsm_ros.network.features import gather_scene
from dsm_ros.network.grids import by_cell
from dsm_ros.network.layers import enlarge, fuse_norms
from dsm_ros.network.onnx_cache import cache_folder
from dsm_ros.network.onnx_export import export_part, learnt_parts
from dsm_ros.network.onnx_net import OnnxModule, choose_providers, open_session, use_onnxruntime
from dsm_ros.network.runtime import Runtime
from dsm_ros.scene_map.scene_map import SceneMap

from .conftest import make_keyframe

SMALL = HeadShape(channels=8, blocks=1, growth=4, layers=2)
CPU, CUDA = torch.device("cpu"), torch.device("cuda:1")
OFFERED = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def onnx_network(cache):
    return load_network(runtime=Runtime.ONNXRUNTIME)


@pytest.fixture(scope="module")
def with_heads():
    """A network with heads that are not at their start."""
    torch.manual_seed(0)
    network = DsmNet(NetworkConfig(coarse_head=SMALL, fine_head=SMALL, confidence_channels=8)).eval()
    for head in network.coordinate_heads:
        torch.nn.init.normal_(head.output.weight, std=0.05)
    network.requires_grad_(False)
    fuse_norms(network)
    return network


def test_features_agree_on_a_real_image(network, onnx_network, kitchen):
    frame = kitchen[0]
    wanted, found = (net.encode(frame.image_HW3, frame.camera) for net in (network, onnx_network))
    for a, b in zip(wanted.levels, found.levels, strict=True):
        assert torch.allclose(a, b, atol=1e-4)
        assert by_cell(a[None]).is_contiguous()
        assert by_cell(b[None]).is_contiguous()  # else fusion reads them six times as slowly
    assert torch.allclose(wanted.descriptor_D, found.descriptor_D, atol=1e-5)


@pytest.mark.parametrize(
    "indices", [range(4, 220, 67), pytest.param(range(220, 470, 5), marks=pytest.mark.slow)], ids=len
)
def test_poses_and_coordinates_agree_on_real_frames(network, onnx_network, kitchen, kitchen_map, indices):
    nets = network, onnx_network
    alone = LocalizerConfig(temporal=False)  # in a video, a rounding error can grow from frame to frame
    locate = [Localizer(SceneMap.open(kitchen_map, net.model_hash), net, alone).localize for net in nets]
    cells_apart_m = []
    for index in indices:
        frame = kitchen[index]
        wanted, found = (localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns) for localize in locate)
        assert type(found) is type(wanted)
        if isinstance(wanted, Localized) and isinstance(found, Localized):
            assert found.support.keyframe_ids == wanted.support.keyframe_ids
            assert np.abs(found.map_T_camera - wanted.map_T_camera).max() < 1e-3
            cells_apart_m.append(np.linalg.norm(found.coordinates.coords_HW3 - wanted.coordinates.coords_HW3, axis=2))
    assert len(cells_apart_m) > 0.7 * len(indices)
    assert (np.concatenate(cells_apart_m) < 1e-3).mean() > 0.999


def test_trained_heads_agree(with_heads):
    other = deepcopy(with_heads)
    use_onnxruntime(other, CPU)
    scene = gather_scene([make_keyframe(seed, x=0.1 * seed, channels=64) for seed in range(4)])
    query = make_keyframe(50, channels=64).image
    levels = with_heads.match_levels([query], [scene])
    initial_B3HW = enlarge(levels[0].coords_B3HW) + 0.01  # no window is centred between two cells
    for level, start_B3HW in enumerate((levels[0].coords_B3HW, initial_B3HW)):
        wanted, found = (net.level_matcher(level).match([query], [scene], start_B3HW) for net in (with_heads, other))
        assert torch.allclose(wanted.weights_BQHW, found.weights_BQHW, atol=1e-5)
        assert torch.allclose(wanted.coords_B3HW, found.coords_B3HW, atol=1e-4)
    wanted, found = (net.confidence_logits([query], levels) for net in (with_heads, other))
    assert torch.allclose(wanted, found, atol=1e-4)
    assert wanted.std() > 1e-3


def test_heads_in_the_runtime_are_used(with_heads):
    other = deepcopy(with_heads)
    with torch.no_grad():
        other.confidence_head.output.bias.add_(5)
    use_onnxruntime(other, CPU)
    scene, query = gather_scene([make_keyframe(1, channels=64)]), make_keyframe(50, channels=64).image
    assert other.match(query, scene).confidence > with_heads.match(query, scene).confidence + 0.1
    assert without_heads(other).runtime == "onnxruntime (CPU)"


def test_a_network_with_shared_graphs_is_not_recorded_either(onnx_network, monkeypatch):
    """A CUDA graph contains calls of torch only."""

    def refuse():
        raise AssertionError("recorded")

    monkeypatch.setattr(dsm_net, "Recorder", refuse)
    assert without_heads(onnx_network).runtime == "onnxruntime (CPU)"


def test_the_network_knows_its_runtime_and_its_device(network, onnx_network):
    assert (network.runtime, onnx_network.runtime) == ("torch", "onnxruntime (CPU)")
    assert onnx_network.device == CPU
    assert onnx_network.model_hash == network.model_hash


def test_it_computes_with_as_many_threads_as_torch(with_heads, monkeypatch):
    opened = []

    def noting(graph, device, threads, half):
        opened.append(threads)
        return open_session(graph, device, threads, half)

    monkeypatch.setattr(onnx_net, "open_session", noting)
    part = learnt_parts(with_heads)["confidence"]
    module, x_BCHW = OnnxModule(export_part(part, {}), CPU), torch.zeros(1, part.channels, 8, 8)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 1)
        module(x_BCHW)
        module(x_BCHW)
    finally:
        torch.set_num_threads(before)
    assert opened == [before, before + 1]


def test_a_second_start_takes_the_graph_from_the_cache(onnx_network, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert load_network(runtime=Runtime.ONNXRUNTIME).runtime == "onnxruntime (CPU)"
    for path in cache_folder().iterdir():
        path.write_bytes(b"damaged")
    with pytest.raises(DsmError, match="onnx"):
        load_network(runtime=Runtime.ONNXRUNTIME)


def test_the_best_provider_that_is_offered_comes_first():
    assert [name for name, _ in choose_providers(CPU, OFFERED, False)] == OFFERED[2:]
    providers = choose_providers(CUDA, OFFERED, True)
    assert [name for name, _ in providers] == OFFERED
    assert {options["device_id"] for _, options in providers[:2]} == {"1"}
    assert providers[0][1]["trt_fp16_enable"] == "1"
    assert choose_providers(CUDA, OFFERED, False)[0][1]["trt_fp16_enable"] == "0"  # float32 stays float32
    assert [name for name, _ in choose_providers(CUDA, OFFERED[1:], False)] == OFFERED[1:]
    with pytest.raises(DsmError, match="onnxruntime-gpu"):
        choose_providers(CUDA, OFFERED[2:], False)


def test_what_is_missing_is_named(monkeypatch):
    with pytest.raises(DsmError, match="cannot run on the device"):
        load_network(device="abacus")
    with pytest.raises(ModelError, match="ONNX Runtime cannot use"):
        OnnxModule(b"no graph", CPU)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DsmError, match="pip install onnxruntime") as caught:
        load_network(runtime=Runtime.ONNXRUNTIME)
    assert "\n" not in str(caught.value)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_features_agree_on_a_gpu(network, kitchen):
    frame = kitchen[0]
    found = load_network(device="cuda", runtime=Runtime.ONNXRUNTIME).encode(frame.image_HW3, frame.camera)
    wanted = network.encode(frame.image_HW3, frame.camera)
    for a, b in zip(wanted.levels, found.levels, strict=True):
        assert (a * b.cpu()).sum(0).min() > 0.995  # float16
