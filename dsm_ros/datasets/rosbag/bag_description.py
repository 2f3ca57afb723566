"""Description of the parts that are read from a bag, with warnings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dsm_ros.datasets.description import Description, RecordingPart
from dsm_ros.datasets.frame import first_readable
from dsm_ros.datasets.rosbag.depth_source import DepthSource
from dsm_ros.datasets.rosbag.image_choice import other_cameras
from dsm_ros.datasets.rosbag.pose_source import POSE_TYPES, PoseSource
from dsm_ros.datasets.rosbag.streams import INFO_TYPE, ImageStream
from dsm_ros.geometry.trajectory import NS_PER_S, Missing
from dsm_ros.messages.camera import sizes_differ
from dsm_ros.messages.image_kind import ImageKind

if TYPE_CHECKING:
    from dsm_ros.datasets.rosbag.sequence import RosbagSequence

MAX_OPTIONS = 4
MAX_SAMPLES = 100
MIN_SHARE_WITH_POSE = 0.5
MAX_DELAY_DIFFERENCE_S = 0.1


def describe_bag(sequence: RosbagSequence) -> Description:
    """Return the parts that are read from a bag, and the options that select other parts."""
    parts = (_image(sequence), _camera(sequence), _depth(sequence), _poses(sequence))
    return Description(parts, tuple(_warnings(sequence)))


def _image(sequence: RosbagSequence) -> RecordingPart:
    first, stamps_ns = first_readable(sequence), sequence.stamps_ns
    seconds = (stamps_ns[-1] - stamps_ns[0]) / NS_PER_S
    size = f"{first.image_HW3.shape[1]}x{first.image_HW3.shape[0]}"
    detail = f"{sequence.image.form}, {size}, frame '{sequence.frame}', {len(stamps_ns)} images in {seconds:.1f} s"
    pictures = (stream for stream in sequence.streams if stream.kind is ImageKind.PICTURE)
    return RecordingPart(
        "image", sequence.image.topic.name, detail, _options("--image", pictures, sequence.image.topic.name)
    )


def _camera(sequence: RosbagSequence) -> RecordingPart:
    camera = sequence.camera.at(sequence.stamps_ns[0])
    centre = f"fx {camera.fx:.4g} fy {camera.fy:.4g} cx {camera.cx:.4g} cy {camera.cy:.4g}"
    detail = f"{camera.width_px}x{camera.height_px}, {centre}, distortion {camera.distortion_model}"
    if len(sequence.camera) > 1:
        detail += f", {len(sequence.camera)} calibrations"
    names = [topic.name for topic in sequence.bag.of_type(INFO_TYPE) if topic.name != sequence.camera.source]
    return RecordingPart("camera", sequence.camera.source, detail, _choices("--camera-info", [*names, "FILE.yaml"]))


def _depth(sequence: RosbagSequence) -> RecordingPart:
    depth = sequence.depth
    name = depth.stream.topic.name if isinstance(depth, DepthSource) else ""
    change = _options("--depth", (stream for stream in sequence.streams if stream.is_depth), name)
    if isinstance(depth, str):
        return RecordingPart("depth", "", depth, change)
    view = depth.view.detail(first_readable(sequence).camera)
    gap_ms = depth.median_gap_ms(sequence.stamps_ns[:: 1 + len(sequence.stamps_ns) // MAX_SAMPLES])
    detail = f"{depth.stream.form}, {view}, median time to the images {gap_ms:.0f} ms"
    return RecordingPart("depth", name, detail, change)


def _poses(sequence: RosbagSequence) -> RecordingPart:
    poses = sequence.poses
    chosen = (poses.source, poses.world) if isinstance(poses, PoseSource) else ("", "")
    topics = [topic.name for topic in sequence.bag.of_type(*POSE_TYPES) if topic.name != chosen[0]]
    worlds = [frame for frame in sequence.transforms.worlds(sequence.frame) if frame != chosen[1]]
    change = "  ".join(filter(None, [_choices("--pose", topics), _choices("--world-frame", worlds)]))
    if isinstance(poses, str):
        return RecordingPart("poses", "", poses, change)
    return RecordingPart("poses", poses.source, poses.detail, change)


def _warnings(sequence: RosbagSequence) -> Iterable[str]:
    if others := other_cameras(sequence.image, sequence.streams):
        yield f"several cameras: images are read from {sequence.image.topic.name}, not {', '.join(others)}"
    recorded, scaled = sequence.camera.at(sequence.stamps_ns[0]), first_readable(sequence).camera
    if (recorded.width_px, recorded.height_px) != (scaled.width_px, scaled.height_px):
        yield f"{sizes_differ(recorded, scaled.width_px, scaled.height_px)}; the calibration is scaled"
    if isinstance(sequence.poses, PoseSource) and sequence.poses.drifts:
        yield f"the poses are in '{sequence.poses.world}', and odometry drifts; the map will contain the same drift"
    yield from _pose_warnings(sequence)
    for topic, count in sequence.bag.damaged.items():
        yield f"{count} messages of {topic} are damaged and left out"
    if sequence.order.repeated:
        yield f"{sequence.order.repeated} images repeat a timestamp and are left out"
    if sequence.order.unstamped:
        yield f"{sequence.order.unstamped} images have no timestamp and are left out"


def _options(option: str, streams: Iterable[ImageStream], chosen: str) -> str:
    return _choices(option, [stream.topic.name for stream in streams if stream.topic.name != chosen])


def _choices(option: str, values: list[str]) -> str:
    more = f" (or {', '.join(values[1:MAX_OPTIONS])})" if len(values) > 1 else ""
    return f"{option} {values[0]}{more}" if values else ""


def _pose_warnings(sequence: RosbagSequence) -> Iterable[str]:
    poses, stamps_ns = sequence.poses, sequence.stamps_ns
    if isinstance(poses, str):
        return
    with_pose = sum(not isinstance(poses.at(stamp_ns), Missing) for stamp_ns in stamps_ns)
    others = [frame for frame in sequence.transforms.worlds(sequence.frame) if frame != poses.world]
    if with_pose < MIN_SHARE_WITH_POSE * len(stamps_ns):
        advice = f"; more images may have a pose with --world-frame {others[0]}" if others else ""
        yield f"only {with_pose} of {len(stamps_ns)} images have a pose in '{poses.world}'{advice}"
    jumps = sequence.transforms.jumps(sequence.frame) if poses.source == "/tf" else []
    if jumps:
        more = f" (and {len(jumps) - 1} more jumps)" if len(jumps) > 1 else ""
        yield f"{jumps[0]}{more}; only the longest part without a jump is used"
    delays_s = sequence.order.delay_s, sequence.transforms.delay_s()
    if delays_s[1] is not None and abs(delays_s[0] - delays_s[1]) > MAX_DELAY_DIFFERENCE_S:
        delays = f"images were recorded {delays_s[0]:.2f} s after their timestamps, transforms {delays_s[1]:.2f} s"
        yield f"{delays}; if the clocks differ, poses are wrong by the motion in the time difference"
