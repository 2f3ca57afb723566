"""Settings one at a time, and maps larger than what was recorded."""

import pytest
import torch

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.evaluation.bench_map import resized_map
from dsm_ros.evaluation.bench_plots import plot_sweep
from dsm_ros.evaluation.bench_sweep import Case, SweepRow, cases, measure, peak_gpu_mb
from dsm_ros.evaluation.bench_tables import print_sweep
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Localized
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.scene_map import SceneMap


def test_one_value_changes_at_a_time():
    found = cases([10, 100, 1000], [5, 10], [512], Case(0, 0, 0))
    assert [(c.map_keyframes, c.keyframes, c.long_side_px) for c in found] == [
        (10, 10, 512),
        (100, 10, 512),
        (1000, 10, 512),
        (100, 5, 512),
    ]


@pytest.mark.parametrize("count", [4, 5000])
def test_a_resized_map_has_so_many_keyframes(room_map, network, count):
    scene_map = SceneMap.open(room_map, network.model_hash)
    real = set(scene_map.ids)
    scene_map = resized_map(scene_map, count)
    assert len(set(scene_map.ids)) == len(scene_map.poses_N44) == count
    assert len(real & set(scene_map.ids)) == min(count, len(real))
    assert len(scene_map.features(scene_map.ids[:40])) == min(count, 40)


def test_an_enlarged_map_still_localizes(room_map, network):
    scene_map = SceneMap.open(room_map, network.model_hash)
    scene_map = resized_map(scene_map, 5000)
    frame = open_rooms("rooms:7")[5]
    result = Localizer(scene_map, network).localize(single_view(frame.image_HW3, frame.camera), 0, frame.map_T_camera)
    assert isinstance(result, Localized)


def test_figures_of_one_setting(room_map):
    frames = [open_rooms("rooms:7")[i] for i in (5, 15)]
    row = measure(Case(200, 3, 512), room_map, frames)
    assert (row.width_px, row.height_px, row.map_keyframes, row.keyframes) == (512, 384, 200, 3)
    assert row.ms_per_frame["encode"] < row.ms_per_frame["total"]
    assert row.frames_per_second == pytest.approx(1000 / row.ms_per_frame["total"])
    assert row.peak_rss_mb > 100
    assert row.gpu_mb is None


def test_the_memory_of_the_networks_own_gpu_is_read(monkeypatch):
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device=None: {1: 3 * 2**20}[device.index])
    assert peak_gpu_mb(torch.device("cuda:1")) == 3
    assert peak_gpu_mb(torch.device("cpu")) is None


def test_table_and_plot(capsys, tmp_path):
    times = {"encode": 60.0, "retrieve": 1.0, "match": 90.0, "pnp": 20.5, "total": 171.5}
    rows = [
        SweepRow(keyframes, images, 512, 384, "torch", "cpu", 2, times, 5.8, 700.0, None)
        for keyframes, images in ((10, 10), (100_000, 10), (10, 5))
    ]
    print_sweep(rows)
    said = capsys.readouterr().out
    assert "100,000" in said
    assert "512x384" in said
    assert "171.5" in said
    assert plot_sweep(rows, tmp_path / "plots").stat().st_size > 5_000


def test_each_row_names_its_runtime(capsys):
    times = dict.fromkeys(("encode", "retrieve", "match", "pnp", "total"), 1.0)
    runtimes = ("openvino (bf16)", "torch", "onnxruntime (CPU)")
    print_sweep([SweepRow(10, 10, 512, 384, each, "cpu", 2, times, 5.8, 700.0, None) for each in runtimes])
    title, *_, first, second, third = capsys.readouterr().out.strip().splitlines()
    assert "cpu, 2 threads" in title
    assert not any(runtime in title for runtime in runtimes)
    assert all(runtime in row for runtime, row in zip(runtimes, (first, second, third), strict=True))
