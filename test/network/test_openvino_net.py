"""A network whose encoder runs in OpenVINO finds the poses that it finds in torch."""

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from dsm_ros.errors import DsmError
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Localized
from dsm_ros.localization.view import single_view
from dsm_ros.network.checkpoint import load_network
from dsm_ros.network.grids import by_cell
from dsm_ros.network.openvino_net import use_openvino
from dsm_ros.network.runtime import Runtime
from dsm_ros.scene_map.scene_map import SceneMap

needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
MIN_COSINE = 0.99  # of a feature in bfloat16, with 8 bits, and in float32


@pytest.fixture(scope="module")
def openvino_network(tmp_path_factory):
    if find_spec("openvino") is None:
        pytest.skip("OpenVINO is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield load_network(runtime=Runtime.OPENVINO)


def test_features_agree_on_a_real_image_whatever_its_size(network, openvino_network, kitchen):
    frame = kitchen[0]
    half = frame.camera.resized(320, 240)
    for image_HW3, camera in ((frame.image_HW3, frame.camera), (frame.image_HW3[::2, ::2].copy(), half)):
        wanted, found = (net.encode(image_HW3, camera) for net in (network, openvino_network))
        for a, b in zip(wanted.levels, found.levels, strict=True):
            assert (a * b).sum(0).min() > MIN_COSINE
            assert by_cell(b[None]).is_contiguous()
        assert wanted.descriptor_D @ found.descriptor_D > MIN_COSINE


def test_features_of_an_image_outlive_the_next_image(openvino_network, kitchen):
    first = openvino_network.encode(kitchen[0].image_HW3, kitchen[0].camera)
    before = first.levels[1].clone()
    openvino_network.encode(kitchen[100].image_HW3, kitchen[100].camera)
    assert torch.equal(first.levels[1], before)


def test_threads_that_share_a_network_get_the_features_of_their_own_images(openvino_network, kitchen):
    frames = [kitchen[0], kitchen[100]]
    wanted = [openvino_network.encode(frame.image_HW3, frame.camera).descriptor_D for frame in frames]

    def largest_difference(number):
        torch.set_num_threads(1)
        frame = frames[number]
        found = [openvino_network.encode(frame.image_HW3, frame.camera).descriptor_D for _ in range(30)]
        return max(float((each - wanted[number]).abs().max()) for each in found)

    with ThreadPoolExecutor(2) as threads:
        assert max(threads.map(largest_difference, range(2))) < 1e-2


def test_a_grid_of_few_cells_has_the_confidence_that_torch_computes(network, openvino_network):
    stacked_BCHW = torch.rand(1, network.confidence_head.input_channels, 4, 64)
    wanted, found = (net.confidence_head.layers(stacked_BCHW) for net in (network, openvino_network))
    assert found == pytest.approx(wanted, abs=1e-4)


def test_a_damaged_installation_is_named(tmp_path, monkeypatch):
    (tmp_path / "openvino.py").write_text("raise OSError('libopenvino.so: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "openvino", raising=False)
    with pytest.raises(DsmError, match=r"openvino cannot be imported.*reinstall"):
        load_network(runtime=Runtime.OPENVINO)


def test_poses_agree_on_real_frames(network, openvino_network, kitchen, kitchen_map):
    nets = network, openvino_network
    locate = [Localizer(SceneMap.open(kitchen_map, net.model_hash), net).localize for net in nets]
    apart_m = []
    for index in range(4, 220, 67):
        frame = kitchen[index]
        wanted, found = (localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns) for localize in locate)
        if isinstance(wanted, Localized) and isinstance(found, Localized):
            apart_m.append(np.linalg.norm(found.map_T_camera[:3, 3] - wanted.map_T_camera[:3, 3]))
    assert len(apart_m) >= 3
    assert np.median(apart_m) < 0.005


def test_the_network_knows_its_runtime(openvino_network):
    assert openvino_network.runtime in ("openvino (bf16)", "openvino (f32)")
    assert openvino_network.device == torch.device("cpu")


def test_what_is_missing_is_named(network, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(DsmError, match="pip install openvino"):
        load_network(runtime=Runtime.OPENVINO)


@needs_openvino
def test_a_gpu_is_refused(network, monkeypatch):
    with pytest.raises(DsmError, match="--device cpu"):
        use_openvino(network, torch.device("cuda"))
    assert network.runtime == "torch"
