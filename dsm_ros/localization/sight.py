"""What is known of one image once it was matched."""

from __future__ import annotations

from dataclasses import dataclass

from dsm_ros.localization.attempt import Attempt
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, Scene


@dataclass(frozen=True)
class Sight:
    """An image matched against the keyframes retrieved for it, best first; scene is made of them alone."""

    query: ImageFeatures
    keyframe_ids: tuple[int, ...]
    keyframes: tuple[KeyframeFeatures, ...]
    scene: Scene
    attempt: Attempt
