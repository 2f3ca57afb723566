"""Whether a recording fits the map it is added to: its depth is compared with that of keyframes nearby."""

from __future__ import annotations

import numpy as np

from dsm_ros.scene_map.keyframe_index import KeyframePlaces
from dsm_ros.scene_map.overlap import Overlap, View, keyframe_view, overlap, relative_pose
from dsm_ros.scene_map.store import MapStore

MAX_COMPARED, MAX_TRIED = 24, 64
NEAREST = 5
MIN_SHARED = 0.2
MIN_AGREEING = 0.6  # of what both see
MIN_PAIRS = 3
MAX_SHARE = 1 / 3  # of pairs that disagree


class MapFit:
    """The first views of a recording, each compared with the nearest older keyframe that sees the same by its pose.

    Depth alone judges: light may have changed since the map was made.
    """

    def __init__(self, store: MapStore):
        index = store.index()
        poses_N44 = np.array(index["map_T_camera"].to_pylist(), dtype=np.float64).reshape(-1, 4, 4)
        self._places = KeyframePlaces(index["id"].to_pylist(), poses_N44)
        self._store = store
        self._tried = 0
        self._agreeing: list[float] = []

    def add(self, view: View) -> None:
        """Compare a view, until enough are compared or no place in common was found for long."""
        if self._tried == MAX_TRIED or len(self._agreeing) == MAX_COMPARED:
            return
        self._tried += 1
        if fit := self._nearest_fit(view):
            self._agreeing.append(fit.agreeing / fit.shared)

    def misfit(self) -> str | None:
        """Return one line on how the recording contradicts the map; None where it does not, or nothing is in common."""
        disagreeing = sum(share < MIN_AGREEING for share in self._agreeing)
        if disagreeing < MIN_PAIRS or disagreeing <= MAX_SHARE * len(self._agreeing):
            return None
        told = (
            f"of {len(self._agreeing)} keyframes that should see what the map holds, {disagreeing} see other surfaces"
        )
        told += f" ({np.median(self._agreeing):.0%} of their depth agrees at the median, in sound recordings over 80%)"
        advice = "its poses are probably in another frame; build a map of its own, or give poses in the map's frame"
        return f"this recording does not fit the map: {told}; {advice}"

    def _nearest_fit(self, view: View) -> Overlap | None:
        for keyframe_id in self._places.nearest(view.map_T_camera, NEAREST):
            for keyframe in self._store.keyframes([keyframe_id]):
                other = keyframe_view(keyframe)
                fit = overlap(view, other, relative_pose(view, other))
                if fit.shared >= MIN_SHARED:
                    return fit
        return None
