"""The command ``dsm bench``."""

import importlib.util
import json

import pytest

from dsm_ros.cli import bench_measurements
from dsm_ros.evaluation import bench_room
from dsm_ros.evaluation.timings import TimingRow
from dsm_ros.localization.localizer import Localizer
from dsm_ros.network.runtime import Runtime

ROW = {"name": "ROS", "median_ms": 3.25, "p95_ms": 4.5, "limit_ms": 5.0}


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a function that writes a stand-in for the program that measures the node; ROS is not needed."""

    def write(text):
        (tmp_path / "measure_nothing.py").write_text(text)

    monkeypatch.setattr(bench_measurements, "MEASURE_ROS", "measure_nothing")
    monkeypatch.setattr(bench_measurements, "NEEDED", ())
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return write


def test_stages_of_a_room_and_settings(dsm, monkeypatch, tmp_path):
    monkeypatch.setattr(bench_room, "ROOM", "rooms:2/size=128x96,frames=60")
    configs = []
    monkeypatch.setattr(bench_measurements, "Localizer", lambda *given: configs.append(given[-1]) or Localizer(*given))
    options = ("--map-keyframes", 50, "--keyframes", 3, "--sizes", 128, "--plots", tmp_path, "--beside", 1)
    options += ("--runtime", "torch")
    done = dsm("bench", *options, "--json", "-")
    assert done.status == 0
    figures = json.loads(done.out)
    rows = {row["name"]: row for row in figures["stages"]}
    assert set(rows) == {"encode", "retrieve", "match", "pnp", "total", "total beside 1 busy process"}
    assert rows["total beside 1 busy process"]["limit_ms"] == pytest.approx(3 * rows["total"]["median_ms"])
    assert 0 < rows["encode"]["median_ms"] <= rows["encode"]["p95_ms"] < rows["total"]["p95_ms"]
    settings = {(row["runtime"], row["keyframes"], row["long_side_px"]) for row in figures["stages"]}
    assert settings == {("torch", 3, 128)}
    assert [config.keyframes for config in configs] == [3]
    (setting,) = figures["sweep"]
    assert setting["runtime"] == "torch"
    assert (setting["map_keyframes"], setting["keyframes"], setting["width_px"]) == (50, 3, 128)
    assert setting["ms_per_frame"]["total"] > 0
    assert (tmp_path / "bench.png").stat().st_size > 5_000


def test_the_table_of_stages_names_its_setting(dsm, monkeypatch):
    rows = [TimingRow("encode", 13.0, 14.0)]
    monkeypatch.setattr(bench_measurements, "measure_stages", lambda *_: ("openvino (CPU)", rows))
    monkeypatch.setattr(bench_measurements, "sweep", lambda *_: [])
    monkeypatch.setattr(bench_measurements, "print_sweep", lambda _: None)
    title = "stages of the localizer in a video, N = 5, long side 384 px, openvino (CPU)"
    assert title in " ".join(dsm("bench", "--keyframes", "5", "--sizes", "384").out.split())


def test_the_sweep_gets_the_runtime_that_was_the_fastest_in_the_video(dsm, monkeypatch):
    given = []
    monkeypatch.setattr(bench_measurements, "measure_stages", lambda *_: ("openvino (bf16)", []))
    monkeypatch.setattr(bench_measurements, "sweep", lambda settings, *_: given.extend(settings) or [])
    monkeypatch.setattr(bench_measurements, "print_sweep", lambda _: None)
    assert dsm("bench").status == 0
    assert {case.runtime for case in given} == {Runtime.OPENVINO}
    assert len(given) == 9


@pytest.mark.parametrize(("count", "name"), [(1, "total beside 1 busy process"), (2, "total beside 2 busy processes")])
def test_the_number_of_busy_processes_is_in_words(count, name):
    assert bench_measurements.busy_row(count, [1.0], 3.0).name == name


def test_beside_a_peer(dsm, tmp_path, room_map):
    arguments = ("bench", room_map, "rooms:7", "--frames", "5:25:10", "--peers", "sift", "--json", tmp_path / "p.json")
    done = dsm(*arguments)
    assert done.status == 0
    assert "2 of 2" in done.out
    ours, _, sift = json.loads((tmp_path / "p.json").read_text())["peers"]
    assert (ours["frames"], sift["method"], sift["n_localized"]) == (2, "sift", 2)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["some.map"], "needs a sequence"),
        (["", "rooms:7"], "the name of the map is empty"),
        (["some.map", "rooms:7", "--peers", "orb"], "--peers 'orb' is not a list of methods; choose among sift, xfeat"),
        (["some.map", "rooms:7", "--peers", ""], "--peers '' is not a list of methods; choose among sift, xfeat"),
        (["--keyframes", "10,x"], "--keyframes '10,x' is not a list of numbers from 1 to 100; try --keyframes 5,10,20"),
        (["--keyframes", ""], "--keyframes '' is not a list of numbers from 1 to 100; try --keyframes 5,10,20"),
        (["--sizes", "-5"], "--sizes '-5' is not a list of numbers from 1 to 1280; try --sizes 384,512,640"),
        (["--sizes", "384,20000"], "--sizes '384,20000' is not a list of numbers from 1 to 1280;"),
        (["--keyframes", "5000"], "--keyframes '5000' is not a list of numbers from 1 to 100;"),
        (["--map-keyframes", "1000000000"], "is not a list of numbers from 1 to 1000000;"),
        (["--map-keyframes", "0"], "try --map-keyframes 10,100,1000,10000,100000"),
        (["some.map", "rooms:7", "--beside", "2"], "bench MAP SEQUENCE does not use --beside; leave out --beside"),
        (["some.map", "rooms:7", "--sizes", "384,512,640"], "bench MAP SEQUENCE does not use --sizes;"),
        (["some.map", "rooms:7", "--keyframes", "5", "--map-keyframes", "5"], "leave out --map-keyframes, --keyframes"),
        (["--frames", "0:9"], "bench without MAP does not use --frames; leave out --frames"),
        (["--peers", "sift"], "bench without MAP does not use --peers;"),
        (["--ros", "--device", "cuda", "--model", "m", "--runtime", "torch"], "--model, --runtime, --device"),
        (["--ros", "--plots", "plots"], "bench --ros does not use --plots;"),
        (["--ros", "some.map", "rooms:7"], "bench --ros does not use MAP, SEQUENCE;"),
        (["--ros", "--beside", "0"], "bench --ros does not use --beside;"),
    ],
)
def test_bad_options_are_one_line(dsm, arguments, line):
    done = dsm("bench", *arguments)
    assert done.status == 2
    assert done.err.startswith("dsm: ")
    assert line in done.err
    assert done.out == ""


def test_plots_are_refused_before_the_measurement(dsm, monkeypatch, tmp_path):
    monkeypatch.setattr(bench_measurements, "measure_stages", lambda *_: pytest.fail("measured first"))
    (tmp_path / "keep.tum").write_text("keep")
    for target in (tmp_path / "keep.tum", "/proc/plots"):
        done = dsm("bench", "--plots", target)
        assert done.status == 2
        assert done.err.startswith(f"dsm: cannot write plots to {target}: ")
        assert done.err.count("\n") == 1
    assert (tmp_path / "keep.tum").read_text() == "keep"


def test_without_ros_one_line_and_status_2(dsm, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(bench_measurements, "find_spec", lambda name: None if name == "rclpy" else found(name))
    done = dsm("bench", "--ros")
    assert done.status == 2
    (line,) = done.err.strip().splitlines()
    assert line.startswith("dsm: bench --ros needs ROS 2")
    assert done.out == ""


def test_what_the_node_measured_is_shown_and_written(dsm, program, tmp_path):
    program(f"import json; print(json.dumps([{ROW}]))")
    done = dsm("bench", "--ros", "--json", tmp_path / "figures.json")
    assert done.status == 0
    assert "3.2" in done.out
    assert json.loads((tmp_path / "figures.json").read_text()) == {"ros": [ROW]}


def test_what_the_node_could_not_measure_changes_nothing(dsm, program, tmp_path):
    program("import sys; sys.exit(2)")
    done = dsm("bench", "--ros", "--json", tmp_path / "figures.json")
    assert done.status == 2
    assert not (tmp_path / "figures.json").exists()
