"""Demo that builds a map, streams images to the node through DDS, and compares the node's poses with ground truth."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import PIPE

from rich.console import Console

from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.demo.animation import save_animation
from dsm_ros.demo.child_process import process
from dsm_ros.demo.demo_map import build_demo_map, require_replaceable
from dsm_ros.demo.picture import save_picture
from dsm_ros.demo.recorder import Recording, record
from dsm_ros.demo.report import print_table, summarise_recording
from dsm_ros.errors import DsmError, SequenceError
from dsm_ros.localization.localizer import Localizer
from dsm_ros.network.checkpoint import load_network
from dsm_ros.progress import progress_bar
from dsm_ros.scene_map.scene_map import SceneMap

ROOM_MAP, ROOM_QUERY = "rooms:7/furnished=1", "rooms:7/furnished=1,walk=1"
KEYFRAME_STEP = 5
MAPPED_SHARE, QUERY_SHARE = 0.44, 0.44
MIN_FRAMES = 3  # of a sequence, so that both shares have a frame


@dataclass(frozen=True)
class Plan:
    """The frames from which the map is built, and the frames that are localized."""

    map_sequence: str
    map_frames: range
    query_sequence: str
    query_frames: range


def make_plan(sequence: str | None) -> Plan:
    """Return two walks (camera paths) through a room, or the first and the last part of a sequence.

    Raises SequenceError when the sequence is too short.
    """
    if sequence is None:
        count = len(open_sequence(ROOM_MAP))
        return Plan(ROOM_MAP, range(0, count, KEYFRAME_STEP), ROOM_QUERY, range(len(open_sequence(ROOM_QUERY))))
    count = len(open_sequence(sequence))
    if count < MIN_FRAMES:
        raise SequenceError(f"{sequence} is too short; the demo needs at least {MIN_FRAMES} frames")
    mapped = range(0, int(count * MAPPED_SHARE), KEYFRAME_STEP)
    return Plan(sequence, mapped, sequence, range(count - int(count * QUERY_SHARE), count))


def stream(plan: Plan, map_path: Path, rate_hz: float, bag: Path) -> Recording:
    """Run the node and the player, and record the node's messages until the player ends.

    Raises DsmError when the node or the player fails.
    """
    frames = f"{plan.query_frames.start}:{plan.query_frames.stop}"
    node = ("dsm_ros.node", "--ros-args", "-p", f"map:={map_path}", "--log-level", "warn")
    player = ("dsm_ros.demo.sequence_player", plan.query_sequence, "--frames", frames, "--rate", str(rate_hz))
    with process(*node) as running, process(*player, stdout=PIPE) as playing:
        recording = record(lambda: running.poll() is None and playing.poll() is None, bag)
    shift_ns = playing.stdout.read() if playing.stdout else ""  # empty when the player has been interrupted
    if running.returncode not in (0, -15) or playing.returncode != 0 or not shift_ns:
        raise DsmError("the node or the player failed; read the messages above")
    return replace(recording, shift_ns=int(shift_ns))


def run(sequence: str | None, out: Path, rate_hz: float, animated: bool) -> None:
    """Run the demo; write demo.png, demo.json, demo.mcap, the map and, if animated, demo.webp to ``out``."""
    map_path = (out / "map").absolute()  # a name such as a:b would otherwise be taken for a location in a bucket
    require_replaceable(map_path)
    plan = make_plan(sequence)
    network = load_network()
    build_demo_map(open_sequence(plan.map_sequence), plan.map_frames, map_path, network)
    recording = stream(plan, map_path, rate_hz, out / "demo.mcap")
    queries: FrameSequence = open_sequence(plan.query_sequence)
    summary = summarise_recording(recording, queries, plan.query_frames)
    scene_map = SceneMap.open(str(map_path), network.model_hash)
    localizer = Localizer(scene_map, network)
    save_picture(summary, scene_map, localizer, queries, out / "demo.png")
    (out / "demo.json").write_text(json.dumps(summary.figures, indent=2) + "\n")
    print_table(summary)
    Console().print(f"picture: {out / 'demo.png'}\nrecording for Foxglove and RViz: {out / 'demo.mcap'}")
    if animated:
        with progress_bar("drawing the animation") as on_progress:
            save_animation(summary, scene_map, localizer, queries, out / "demo.webp", on_progress)
        Console().print(f"animation: {out / 'demo.webp'}")
