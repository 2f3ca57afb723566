from dataclasses import replace

import numpy as np
import pytest
import torch

from dsm_ros.errors import ModelError
from dsm_ros.geometry.camera import Camera
from dsm_ros.network.checkpoint import load_network, save_network
from dsm_ros.network.dsm_net import DsmNet, without_heads
from dsm_ros.network.layers import fuse_norms


def test_encoding_has_unit_features_at_both_levels(network):
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    features = network.encode(image, Camera(640, 480, 500, 500, 320, 240))
    assert [tuple(level.shape) for level in features.levels] == [(64, 24, 32), (64, 48, 64)]
    for level in features.levels:
        assert level.norm(dim=0).mean().item() == pytest.approx(1, abs=1e-5)
    assert features.descriptor_D.norm().item() == pytest.approx(1, abs=1e-5)


def test_the_same_weights_give_the_same_hash_and_other_weights_another(tmp_path):
    torch.manual_seed(0)
    network = DsmNet().eval()
    save_network(network, tmp_path / "a.safetensors")
    first = load_network(tmp_path / "a.safetensors")
    for _ in range(8):
        save_network(network, tmp_path / "again.safetensors")
        assert load_network(tmp_path / "again.safetensors").model_hash == first.model_hash
    network.encoder.lateral_16.conv.weight.data.add_(1)
    save_network(network, tmp_path / "b.safetensors")
    assert load_network(tmp_path / "b.safetensors").model_hash != first.model_hash


def test_the_hash_of_the_features_does_not_depend_on_the_heads(tmp_path):
    torch.manual_seed(0)
    network = DsmNet().eval()
    save_network(network, tmp_path / "a.safetensors")
    network.confidence_head.output.weight.data.add_(1)
    save_network(network, tmp_path / "b.safetensors")
    analytic = without_heads(network)
    save_network(analytic, tmp_path / "c.safetensors")
    hashes = {load_network(tmp_path / f"{name}.safetensors").model_hash for name in "abc"}
    larger = DsmNet(replace(network.config, long_side_px=640), share=network)
    save_network(larger, tmp_path / "d.safetensors")
    assert len(hashes) == 1
    assert load_network(tmp_path / "d.safetensors").model_hash not in hashes


def test_folding_the_norms_changes_nothing():
    torch.manual_seed(0)
    network = DsmNet().eval()
    image = torch.rand(1, 3, 64, 64) * 255
    before, _ = network.encoder(image)
    fuse_norms(network)
    after, _ = network.encoder(image)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"\x08\0\0\0\0\0\0\0{}      "])
def test_damaged_weights_are_refused(tmp_path, content):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.safetensors"):
        load_network(path)
    with pytest.raises(ModelError, match="no weights at"):
        load_network(tmp_path / "missing.safetensors")
