"""Images, videos and rigs whose results are recorded in golden/: how they are localized and compared."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Localized
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.builder import build_map
from dsm_ros.scene_map.scene_map import SceneMap

from .rig_views import views_of

GOLDEN = Path(__file__).parent / "golden"
SAMPLED = np.s_[4::8, 4::8]  # 6 x 8 of the 48 x 64 cells
RIG_PERIOD_NS = 33_000_000


@dataclass(frozen=True)
class Case:
    """Images that are localized one after the other in one map.

    video: the previous frame is used. told: the true pose is given as a prior. rig: two cameras see each moment.
    needs: the folder of real data that has both sequences; rendered rooms need none.
    """

    name: str
    map_of: str
    map_frames: tuple[range, ...]
    queries: str
    frames: range
    video: bool = False
    told: bool = False
    rig: bool = False
    needs: str = ""


ROOM = "rooms:7", (range(0, 300, 10),)
BLANK = "rooms:3/blank=1,size=320x240", (range(0, 300, 15),)
BLURRED = "rooms:3/walk=1,blank=1,exposure=1,blur=1,size=320x240"
DESK = "fr1_rpy", (range(0, 241, 6),)
KITCHEN = "kitchen/seq-01", (range(0, 220, 5), range(300, 500, 5))
SMALL = (
    Case("room_single", *ROOM, "rooms:7/walk=1", range(0, 300, 30)),
    Case("room_video", *ROOM, "rooms:7/walk=1", range(100, 112, 2), video=True),
    Case("room_told", *ROOM, "rooms:7/walk=1", range(15, 300, 100), told=True),
    Case("room_elsewhere", *ROOM, "rooms:8", range(100, 101)),
    Case("blank_single", *BLANK, BLURRED, range(0, 300, 50)),
    Case("rig_single", *ROOM, "rooms:7/walk=1", range(0, 300, 75), rig=True),
    Case("rig_video", *ROOM, "rooms:7/walk=1", range(40, 46, 2), video=True, rig=True),
    Case("rig_elsewhere", *ROOM, "rooms:8", range(100, 101), rig=True),
)
LARGE = (
    Case("room_single_large", *ROOM, "rooms:7/walk=1", range(10, 300, 30)),
    Case("room_video_large", *ROOM, "rooms:7/walk=1", range(150, 180, 2), video=True),
    Case("blank_video_large", *BLANK, BLURRED, range(60, 90, 2), video=True),
    Case("rig_video_large", *ROOM, "rooms:7/walk=1", range(200, 220, 2), video=True, rig=True),
    Case("desk_single", *DESK, "fr1_rpy", range(3, 241, 12), needs="fr1_rpy"),
    Case("desk_video", *DESK, "fr1_rpy", range(75, 105, 2), video=True, needs="fr1_rpy"),
    Case("kitchen_single", *KITCHEN, "kitchen/seq-01", range(240, 280, 4), needs="kitchen"),
    Case("kitchen_video", *KITCHEN, "kitchen/seq-01", range(240, 280, 2), video=True, needs="kitchen"),
)


def sequence_of(name, data):
    return open_sequence(name if name.startswith("rooms:") else str(data / name))


def make_map(case, uri, network, data):
    """Map the frames of a case."""
    sequence = sequence_of(case.map_of, data)
    for append, frames in enumerate(case.map_frames):
        build_map(sequence, frames, uri, network, f"part {append}", bool(append), lambda done, total: None)


def results_of(case, uri, network, data):
    """Localize the images of a case in its map."""
    scene_map = SceneMap.open(uri, network.model_hash)
    config = replace(LocalizerConfig(), temporal=case.video)
    sequence = sequence_of(case.queries, data)
    localizer = Localizer(scene_map, network, config)
    return [localizer.localize(*_question(case, sequence, index)) for index in case.frames]


def _question(case, sequence, index):
    """Return the views of a moment, its stamp and the prior."""
    if case.rig:
        return views_of(sequence, index), index * RIG_PERIOD_NS, None
    frame = sequence[index]
    prior = frame.map_T_camera if case.told else None
    return single_view(frame.image_HW3, frame.camera), frame.stamp_ns, prior


def record_of(result):
    """What is kept of a result, as JSON: pose, covariance, reason, support and a sample of the dense coordinates."""
    localized, support, coordinates = isinstance(result, Localized), result.support, result.coordinates
    return {
        "pose": result.map_T_camera.tolist() if localized else None,
        "covariance": result.covariance_66.tolist() if localized else None,
        "reason": "" if localized else str(result.reason),
        "inliers": support.inliers,
        "confidence": support.confidence,
        "keyframes": len(support.keyframe_ids),
        "coordinates": coordinates.coords_HW3[SAMPLED].round(6).tolist(),
        "cell_confidence": coordinates.confidence_HW[SAMPLED].astype(float).round(6).tolist(),
    }


@dataclass(frozen=True)
class Tolerance:
    """How far results may be from the golden ones: poses in m and rad, covariances relative to their largest number.

    confidence: of an accepted pose; rejected_confidence: of any other, the best of many bad ones. coordinates_m: of the
    given share of the cells of a localized image; cells of a rejected image may match anything.
    """

    pose: float
    covariance: float
    confidence: float
    rejected_confidence: float
    coordinates_m: float
    coordinates_share: float


# With one thread, a fresh process gives the same results to the last bit. After other tests in the same process or with
# AVX2 in place of AVX-512, sums of the network differ in the last digit: poses by up to 2.5e-6, covariances by 3e-3
# where an inlier moves to another patch, confidences of rejected images by 5e-4.
SAME_ARITHMETIC = Tolerance(1e-5, 1e-2, 1e-6, 2e-3, 1e-4, 1.0)
# With SSE in place of AVX-512, torch and oneDNN compute in other orders: poses differ by up to 4e-4 m on blank walls.
# With one thread in place of two, poses differ by up to 1.5e-5 m, and single coordinates by up to 3e-3 m.
OTHER_ARITHMETIC = Tolerance(1e-3, 3e-2, 5e-3, 5e-3, 1e-2, 0.95)
# With NumPy 1.26 and OpenCV 4.6, poses differ by up to 5e-5 m, and covariances by 0.2 where inliers change.
OTHER_OPENCV = Tolerance(1e-3, 0.3, 5e-3, 5e-3, 1e-2, 0.95)


def arithmetic():
    """Return what decides in which order the network computes: torch's version, the CPU's vectors, and the threads."""
    return f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"


def tolerance_of(made_with):
    """Return how far results may be from golden ones that were made with an arithmetic and with OpenCV 5."""
    if not cv2.__version__.startswith("5."):
        return OTHER_OPENCV
    return SAME_ARITHMETIC if made_with == arithmetic() else OTHER_ARITHMETIC


def differences(found, golden, tolerance):
    """Return what of a result is further from its golden record than the tolerance, one line each."""
    if found["reason"] != golden["reason"]:
        return [f"{found['reason'] or 'localized'}, not {golden['reason'] or 'localized'}"]
    localized = golden["pose"] is not None
    limits = {"confidence": tolerance.confidence if localized else tolerance.rejected_confidence}
    if localized:
        limits |= {"pose": tolerance.pose, "covariance": tolerance.covariance * np.abs(golden["covariance"]).max()}
    off = {name: float(np.abs(np.subtract(found[name], golden[name])).max()) for name in limits}
    if localized or tolerance.coordinates_share == 1:
        limits["coordinates"] = tolerance.coordinates_m
        off["coordinates"] = _coordinates_off(found, golden, tolerance.coordinates_share)
    lines = [
        f"{name} differs by {off[name]:.1e}, limit {limit:.1e}" for name, limit in limits.items() if off[name] > limit
    ]
    return lines + (["another number of keyframes"] if found["keyframes"] != golden["keyframes"] else [])


def _coordinates_off(found, golden, share):
    """Return the distance (m) below which that share of the cells is; a coordinate at infinity has to stay there."""
    found_HW3, golden_HW3 = (np.array(record["coordinates"], float) for record in (found, golden))
    with np.errstate(invalid="ignore"):
        off_HW = np.linalg.norm(found_HW3 - golden_HW3, axis=2)
    unknown_HW = ~np.isfinite(golden_HW3).all(2)
    off_HW[unknown_HW] = np.where(np.isfinite(found_HW3[unknown_HW]).all(1), np.inf, 0)
    return float(np.quantile(off_HW, share, method="lower"))


def write(case, records):
    """Record results as the golden ones of a case, one image a line."""
    lines = ",\n".join(json.dumps(record) for record in records)
    text = f'{{"arithmetic": "{arithmetic()}", "results": [\n{lines}\n]}}\n'
    (GOLDEN / f"{case.name}.json").write_text(text)


def read(case):
    """Return the golden records of a case, and the arithmetic they were made with."""
    content = json.loads((GOLDEN / f"{case.name}.json").read_text())
    return content["results"], content["arithmetic"]
