"""Learnt peers: what is missing is said; where kornia and its weights are, they find themselves."""

import sys
from types import ModuleType, SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.evaluation.peers.learnt import AlikedLightGlue, XFeat
from dsm_ros.evaluation.peers.peer import PeerUnavailable

CPU = torch.device("cpu")
PEERS = pytest.mark.parametrize("method", [XFeat, AlikedLightGlue])


def refuse(*args, **kwargs):
    raise RuntimeError("failed after many attempts\nand many lines") from URLError("no route")


@PEERS
def test_without_kornia_the_reason_says_how_to_install_it(monkeypatch, method):
    monkeypatch.setitem(sys.modules, "kornia", None)
    with pytest.raises(PeerUnavailable, match=r"needs kornia .*; run pip install '\.\[peers\]' in the checkout"):
        method(CPU)


@PEERS
def test_without_weights_the_reason_is_one_line(monkeypatch, method):
    method_class = SimpleNamespace(from_pretrained=refuse)
    features = SimpleNamespace(XFeat=method_class, ALIKED=method_class)
    monkeypatch.setitem(sys.modules, "kornia", ModuleType("kornia"))
    monkeypatch.setitem(sys.modules, "kornia.feature", features)
    with pytest.raises(PeerUnavailable, match=r"^weights could not be downloaded \(.*no route.*\); try again .*$"):
        method(CPU)


@PEERS
def test_an_image_matches_itself(method):
    pytest.importorskip("kornia")
    try:
        opened = method(CPU)
    except PeerUnavailable as error:
        pytest.skip(str(error))
    found = opened.describe(open_rooms("rooms:3/size=320x224")[0].image_HW3)
    pairs_M2 = opened.match(found, found)
    assert len(pairs_M2) > 50
    assert np.mean(pairs_M2[:, 0] == pairs_M2[:, 1]) > 0.95
    assert len(opened.match(found, found.of(np.arange(0)))) == 0
