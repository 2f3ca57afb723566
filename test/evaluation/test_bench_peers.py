"""Ours and others on the same frames: every method gets a row, figures or the reason."""

import numpy as np
import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.evaluation import bench_peers
from dsm_ros.evaluation.bench_peers import Contestant, MethodRow, compare, retrieve, score
from dsm_ros.evaluation.bench_plots import plot_peers
from dsm_ros.evaluation.bench_tables import print_peers
from dsm_ros.evaluation.peers.peer import PeerUnavailable
from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.localizer import Localizer
from dsm_ros.scene_map.scene_map import SceneMap


def unavailable(device):
    raise PeerUnavailable("its weights could not be downloaded")


def broken(device):
    raise ZeroDivisionError


@pytest.fixture
def rows(monkeypatch, room_map, network):
    monkeypatch.setattr(bench_peers, "METHODS", {**bench_peers.METHODS, "xfeat": unavailable, "other": broken})
    localizer = Localizer(SceneMap.open(room_map, network.model_hash), network)
    rows = compare(localizer, open_rooms("rooms:7"), range(5, 65, 20), ["sift", "xfeat", "other"], lambda *a: None)
    return {row.method: row for row in rows}


def test_every_method_has_a_row(rows, network, capsys, tmp_path):
    ours, alone, sift, xfeat, other = rows.values()
    assert [ours.method, alone.method] == [network.name, f"{network.name}, single frames"]
    assert ours.ratio == 1
    assert ours.n_localized == sift.n_localized == 3
    assert sift.recall_5cm_5deg == ours.recall_5cm_5deg == 1
    assert sift.ratio == pytest.approx(sift.ms_median / ours.ms_median)
    assert sift.whole_ms_median > sift.ms_median  # it needs a retrieval, which the time of ours includes
    assert ours.whole_ms_median == ours.ms_median
    assert sift.whole_ratio == pytest.approx(sift.whole_ms_median / ours.ms_median)
    assert ours.localized_ratio == 1  # the medians of all images, because all are localized
    assert sift.localized_ratio == sift.ratio
    assert sift.localized_whole_ratio == sift.whole_ratio
    assert xfeat == MethodRow("xfeat", reason="its weights could not be downloaded")
    assert "ZeroDivisionError" in other.reason
    print_peers(list(rows.values()), "torch")
    said = capsys.readouterr().out
    assert "3 of 3" in said
    assert "xfeat: its weights could not be downloaded" in said
    assert plot_peers(list(rows.values()), tmp_path / "plots").stat().st_size > 5_000


class Recorder:
    """A method's stand-in that notes what it is asked, and is a metre off; it fails at the third frame."""

    def __init__(self, truths):
        self.truths, self.prepared, self.asked = truths, [], []

    def prepare(self, keyframe):
        self.prepared.append(keyframe.id)

    def localize(self, image_HW3, camera, keyframe_ids):
        assert set(keyframe_ids) <= set(self.prepared)
        self.asked.append(keyframe_ids)
        return self.truths[len(self.asked) - 1] @ make_pose(np.eye(3), [1, 0, 0])


def test_a_peer_gets_the_keyframes_that_ours_retrieves_each_prepared_once(room_map, network):
    localizer = Localizer(SceneMap.open(room_map, network.model_hash), network)
    frames = [open_rooms("rooms:7")[i] for i in (5, 25)]
    recorder = Recorder([frame.map_T_camera for frame in frames])
    contestant = Contestant("recorder", localizer.scene_map, lambda: recorder)
    alike = [retrieve(localizer, frame) for frame in frames]
    answers = [contestant.localize(*pair) for pair in zip(frames, alike, strict=True)]
    assert recorder.asked == [retrieved.ids for retrieved in alike]
    assert all(len(retrieved.ids) == localizer.config.keyframes for retrieved in alike)
    assert sorted(recorder.prepared) == sorted({i for retrieved in alike for i in retrieved.ids})
    row = score("recorder", recorder.truths, answers, np.array([True, False]))
    assert (row.localized_ms_median, row.localized_whole_ms_median) == (
        answers[0].ms,
        answers[0].ms + alike[0].ms,
    )
    assert score("recorder", recorder.truths, answers, np.zeros(2, bool)).localized_ms_median is None
    assert (row.n_localized, row.wrong_over_50cm, row.recall_5cm_5deg) == (2, 2, 0)
    assert row.median_translation_m == pytest.approx(1)
    assert contestant.localize(frames[0], alike[0]).map_T_camera is None
    assert "IndexError" in contestant.reason
