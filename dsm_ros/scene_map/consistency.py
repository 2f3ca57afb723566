"""Whether keyframes contradict each other: neighbours that should see the same surface are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dsm_ros.scene_map.causes import Cause, causes
from dsm_ros.scene_map.overlap import Overlap, View, flattened, overlap, relative_pose

# Sound recordings (rooms, 7-Scenes kitchen, TUM fr1_rpy, at steps from 1 to 20 frames): likeness 0.4 and more in
# 95 % of pairs at steps that share half the view, in_front 0.09 and less. Wrong poses: likeness 0 +- 0.1.
MAX_IN_FRONT = 0.25
MIN_LIKENESS = 0.15
STILL_MOVED, STILL_LIKENESS = 0.02, 0.9
MIN_PAIRS = 3
MAX_SHARE = 0.55  # of pairs that contradict; in the worst sound recording (fr1_rpy, one frame a second) 0.47
BETTER = 0.1  # in likeness; no cause does better in a tenth of a sound recording's pairs
CAUSE_LIKENESS = 0.4
CAUSE_SHARE, CAUSE_ODDS = 1 / 3, 5
FLAT_PAIRS, FLAT_ODDS = 5, 2
MAX_KEPT = 64
USUAL_LIKENESS, USUAL_IN_FRONT = "sound recordings reach 0.4 to 1", "in sound recordings under 10%"
UNEXPLAINED = (
    "check for two sources of one transform, poses of another robot or camera, depth that comes late, "
    "and clocks that differ between camera, depth and poses"
)
NOT_ITS_DEPTH = "depth explains the images worse than a flat wall does: it is of another camera, unregistered, or late"


@dataclass(frozen=True)
class Pair:
    """Two neighbouring views and how they fit together."""

    one: View
    other: View
    fit: Overlap

    @property
    def contradicts(self) -> bool:
        """Whether depth or image of one rules out those of the other."""
        unlike = self.fit.likeness is not None and self.fit.likeness < MIN_LIKENESS
        return not self.fit.apart and (unlike or self.fit.in_front > MAX_IN_FRONT)


@dataclass
class Consistency:
    """The neighbours of one map, compared one after the other."""

    pairs: int = 0
    contradicting: int = 0
    apart: int = 0
    _kept: list[Pair] = field(default_factory=list)  # spread evenly over all
    _stride: int = 1
    _anchors: dict[str, View] = field(default_factory=dict)  # by session

    def add(self, view: View, session: str) -> Overlap | None:
        """Compare a view with the one before it in its session; None for the first one.

        A camera that has hardly moved tells nothing: the next view is compared with the same one.
        """
        anchor = self._anchors.setdefault(session, view)
        if anchor is view:
            return None
        fit = overlap(anchor, view, relative_pose(anchor, view))
        if not (fit.moved < STILL_MOVED and (fit.likeness is None or fit.likeness > STILL_LIKENESS)):
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
        """Return one line on how the keyframes contradict each other and what may be wrong; None where they do not."""
        cause = find_cause(self._kept)
        many = self.contradicting >= MIN_PAIRS and self.contradicting > MAX_SHARE * (self.pairs - self.apart)
        if cause is None and not many:
            return None
        return f"{self._figures()}; {cause or UNEXPLAINED}"

    def _figures(self) -> str:
        likeness = [pair.fit.likeness for pair in self._kept if pair.fit.likeness is not None]
        in_front = [pair.fit.in_front for pair in self._kept if not pair.fit.apart]
        text = f"{self.contradicting} of {self.pairs} neighbouring keyframes contradict each other"
        text += f", {self.apart} share no pixels" if self.apart else ""
        if likeness:
            told = "moved into each other by depth and pose, their images correlate by"
            text += f"; {told} {np.median(likeness):.2f} ({USUAL_LIKENESS})"
        if in_front:
            told = "of the pixels would hide a surface that the neighbour sees"
            text += f"; {np.mean(in_front):.0%} {told} ({USUAL_IN_FRONT})"
        return text


def find_cause(pairs: Sequence[Pair]) -> str | None:
    """Return what would make most pairs fit clearly better, None when nothing would."""
    improvable = [pair for pair in pairs if _likeness(pair.fit) <= 1 - BETTER]
    if len(improvable) < max(MIN_PAIRS, CAUSE_SHARE * len(pairs)):
        return None
    scores = [(_score(cause, improvable, len(pairs)), cause) for cause in causes()]
    score, best = max(scores, key=lambda scored: scored[0])
    if score > 0 and _score(best, pairs, len(pairs)) > 0:
        return best.text
    return NOT_ITS_DEPTH if _flat_does_better(improvable) else None


def _score(cause: Cause, pairs: Sequence[Pair], count: int) -> float:
    """Return how well pairs, of ``count``, fit once a cause is mended; 0 where that is not clearly better."""
    fits = [overlap(pair.one, pair.other, cause.mended(pair.one, pair.other), cause.focal_factor) for pair in pairs]
    mended_N, told_N = (np.array([_likeness(fit) for fit in some]) for some in (fits, [pair.fit for pair in pairs]))
    wins_N, losses = mended_N > told_N + BETTER, int((told_N > mended_N + BETTER).sum())
    wins = int(wins_N.sum())
    if wins < max(MIN_PAIRS, CAUSE_SHARE * count, CAUSE_ODDS * losses) or np.median(mended_N[wins_N]) < CAUSE_LIKENESS:
        return 0.0
    return float(mended_N.sum()) * cause.weight


def _flat_does_better(pairs: Sequence[Pair]) -> bool:
    wins = losses = 0
    for pair in pairs:
        one, other = flattened(pair.one), flattened(pair.other)
        gain = _likeness(overlap(one, other, relative_pose(one, other))) - _likeness(pair.fit)
        wins += gain > BETTER
        losses += gain < -BETTER
    return wins >= FLAT_PAIRS and wins >= FLAT_ODDS * losses


def _likeness(fit: Overlap) -> float:
    return fit.likeness or 0.0
