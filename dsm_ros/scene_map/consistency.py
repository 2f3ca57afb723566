"""Consistency check of a map, which compares neighbouring keyframes that should show the same surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dsm_ros.scene_map.likely_causes import Cause, likely_causes
from dsm_ros.scene_map.overlap import Overlap, RgbdView, flattened, overlap, relative_pose

# Correct recordings (rooms, 7-Scenes kitchen, TUM fr1_rpy, at steps from 1 to 20 frames) have a correlation of at least
# 0.4 in 95 % of the pairs that share half the view, and in_front of at most 0.09. Wrong poses give correlations of 0 +-
# 0.1.
MAX_IN_FRONT = 0.25
MIN_CORRELATION = 0.15
STILL_MOVED, STILL_CORRELATION = 0.02, 0.9
MIN_PAIRS = 3
MAX_SHARE = 0.55  # limit on contradicting pairs; the worst correct recording (fr1_rpy, one frame a second) has 0.47
BETTER = 0.1  # gain in correlation; no cause gains as much in a tenth of a correct recording's pairs
CAUSE_CORRELATION = 0.4
CAUSE_SHARE, CAUSE_ODDS = 1 / 3, 5
FLAT_PAIRS, FLAT_ODDS = 5, 2
MAX_KEPT = 64
USUAL_CORRELATION, USUAL_IN_FRONT = "correct recordings reach 0.4 to 1", "under 10% in correct recordings"
UNEXPLAINED = (
    "check for two sources of one transform, poses of another robot or camera, late depth images, "
    "and different clocks of camera, depth and poses"
)
WRONG_DEPTH = (
    "the depth fits the images worse than a flat wall, so it is late, unregistered or of another camera; "
    "check the depth topic with dsm inspect"
)


@dataclass(frozen=True)
class Pair:
    """Two neighbouring views and their overlap."""

    one: RgbdView
    other: RgbdView
    fit: Overlap

    @property
    def contradicts(self) -> bool:
        """Whether the depths or the images of the two views are incompatible."""
        is_unlike = self.fit.correlation is not None and self.fit.correlation < MIN_CORRELATION
        return not self.fit.apart and (is_unlike or self.fit.in_front > MAX_IN_FRONT)


@dataclass
class Consistency:
    """Comparison of a map's keyframes, each with its neighbour in time."""

    pairs: int = 0
    contradicting: int = 0
    apart: int = 0
    _kept: list[Pair] = field(default_factory=list)  # pairs evenly spaced among all pairs
    _stride: int = 1
    _anchors: dict[str, RgbdView] = field(default_factory=dict)  # last compared view of each session

    def add(self, view: RgbdView, session: str) -> Overlap | None:
        """Compare a view with the previous view of its session; return None for the first view.

        If a view hardly moved, the next view is compared with the same previous view, because a pair without motion
        does not test the poses.
        """
        anchor = self._anchors.setdefault(session, view)
        if anchor is view:
            return None
        fit = overlap(anchor, view, relative_pose(anchor, view))
        if not (fit.moved < STILL_MOVED and (fit.correlation is None or fit.correlation > STILL_CORRELATION)):
            self._count(Pair(anchor, view, fit))
            self._anchors[session] = view
        return fit

    def _count(self, pair: Pair) -> None:
        if self.pairs % self._stride == 0:
            self._kept.append(pair)
        self.pairs += 1
        self.apart += pair.fit.apart
        self.contradicting += pair.contradicts
        if len(self._kept) > MAX_KEPT:
            self._kept = self._kept[::2]
            self._stride *= 2

    def contradiction(self) -> str | None:
        """Return one line with the contradiction among the keyframes and its likely cause, or None."""
        cause = find_likely_cause(self._kept)
        many = self.contradicting >= MIN_PAIRS and self.contradicting > MAX_SHARE * (self.pairs - self.apart)
        if cause is None and not many:
            return None
        return f"{self._figures()}; {cause or UNEXPLAINED}"

    def _figures(self) -> str:
        correlations = [pair.fit.correlation for pair in self._kept if pair.fit.correlation is not None]
        in_front = [pair.fit.in_front for pair in self._kept if not pair.fit.apart]
        text = f"{self.contradicting} of {self.pairs} neighbouring keyframes contradict each other"
        text += f", {self.apart} share no pixels" if self.apart else ""
        if correlations:
            label = "after reprojection by depth and pose their images have a correlation of"
            text += f"; {label} {np.median(correlations):.2f} ({USUAL_CORRELATION})"
        if in_front:
            label = "of the pixels would hide a surface that is visible in the neighbour"
            text += f"; {np.mean(in_front):.0%} {label} ({USUAL_IN_FRONT})"
        return text


def find_likely_cause(pairs: Sequence[Pair]) -> str | None:
    """Return the cause whose correction makes most pairs fit clearly better, or None when there is no such cause."""
    improvable = [pair for pair in pairs if _correlation(pair.fit) <= 1 - BETTER]
    if len(improvable) < max(MIN_PAIRS, CAUSE_SHARE * len(pairs)):
        return None
    scores = [(_score(cause, improvable, len(pairs)), cause) for cause in likely_causes()]
    score, best = max(scores, key=lambda scored: scored[0])
    if score > 0 and _score(best, pairs, len(pairs)) > 0:
        return best.text
    return WRONG_DEPTH if _flat_fits_better(improvable) else None


def _score(cause: Cause, pairs: Sequence[Pair], count: int) -> float:
    """Return a score of how well pairs fit after a cause is corrected, 0 when they do not fit clearly better."""
    fits = [overlap(pair.one, pair.other, cause.corrected(pair.one, pair.other), cause.focal_factor) for pair in pairs]
    corrected_N = np.array([_correlation(fit) for fit in fits])
    recorded_N = np.array([_correlation(pair.fit) for pair in pairs])
    wins_N, losses = corrected_N > recorded_N + BETTER, int((recorded_N > corrected_N + BETTER).sum())
    wins = int(wins_N.sum())
    if wins < max(MIN_PAIRS, CAUSE_SHARE * count, CAUSE_ODDS * losses):
        return 0.0
    return float(corrected_N.sum()) * cause.weight if np.median(corrected_N[wins_N]) >= CAUSE_CORRELATION else 0.0


def _flat_fits_better(pairs: Sequence[Pair]) -> bool:
    """Return whether pairs fit better when their depth is replaced by one constant depth."""
    wins = losses = 0
    for pair in pairs:
        one, other = flattened(pair.one), flattened(pair.other)
        gain = _correlation(overlap(one, other, relative_pose(one, other))) - _correlation(pair.fit)
        wins += gain > BETTER
        losses += gain < -BETTER
    return wins >= FLAT_PAIRS and wins >= FLAT_ODDS * losses


def _correlation(fit: Overlap) -> float:
    return fit.correlation or 0.0
