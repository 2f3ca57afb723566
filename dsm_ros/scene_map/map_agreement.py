"""Comparison of a recording's depth with the keyframes of the map to which the recording is appended."""

from __future__ import annotations

import numpy as np

from dsm_ros.scene_map.keyframe_index import KeyframePoses
from dsm_ros.scene_map.overlap import Overlap, RgbdView, keyframe_view, overlap, relative_pose
from dsm_ros.scene_map.store import MapStore

MAX_COMPARED, MAX_TRIED = 24, 64
NEAREST = 5
MIN_SHARED = 0.2
MIN_AGREEING = 0.6  # minimum share of agreeing pixels among the pixels that both views share
MIN_PAIRS = 3
MAX_SHARE = 1 / 3  # maximum share of disagreeing pairs


class MapAgreement:
    """Comparison of a recording's first views with the map.

    Each view is compared with the nearest keyframe whose field of view overlaps according to the poses. Only depth is
    compared, because the light may have changed since the map was built.
    """

    def __init__(self, store: MapStore):
        index = store.index()
        poses_N44 = np.array(index["map_T_camera"].to_pylist(), dtype=np.float64).reshape(-1, 4, 4)
        self._keyframes = KeyframePoses(index["id"].to_pylist(), poses_N44)
        self._store = store
        self._tried = 0
        self._agreeing: list[float] = []

    def add(self, view: RgbdView) -> None:
        """Compare a view with the map, unless enough views were compared already."""
        if self._tried == MAX_TRIED or len(self._agreeing) == MAX_COMPARED:
            return
        self._tried += 1
        if fit := self._nearest_fit(view):
            self._agreeing.append(fit.agreeing / fit.shared)

    def disagreement(self) -> str | None:
        """Return one line with the contradiction between recording and map, None without contradiction or overlap."""
        disagreeing = sum(share < MIN_AGREEING for share in self._agreeing)
        if disagreeing < MIN_PAIRS or disagreeing <= MAX_SHARE * len(self._agreeing):
            return None
        figures = f"{disagreeing} of {len(self._agreeing)} overlapping keyframes show other surfaces"
        figures += f" (median {np.median(self._agreeing):.0%} of the depth agrees, over 80% in correct recordings)"
        advice = "the poses are probably in another frame; build a separate map, or give poses in the map's frame"
        return f"this recording does not fit the map, because {figures}; {advice}"

    def _nearest_fit(self, view: RgbdView) -> Overlap | None:
        for keyframe_id in self._keyframes.nearest(view.map_T_camera, NEAREST):
            for keyframe in self._store.keyframes([keyframe_id]):
                other = keyframe_view(keyframe)
                fit = overlap(view, other, relative_pose(view, other))
                if fit.shared >= MIN_SHARED:
                    return fit
        return None
