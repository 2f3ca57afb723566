"""Names and titles of the ablations."""

from __future__ import annotations

from dsm_ros.text_enum import TextEnum


class Ablation(TextEnum):
    """The parts of the method that an ablation can change; TITLES cites the corresponding tables of the paper."""

    SORTING = "sorting"
    KEYFRAMES = "keyframes"
    RESOLUTION = "resolution"
    VIDEO = "video"
    RANK = "rank"
    RETRIEVAL = "retrieval"
    HEADS = "heads"


TITLES = {
    Ablation.SORTING: "number and order of the kept candidates, with 5 keyframes [paper table 4]",
    Ablation.KEYFRAMES: "number of keyframes N [paper table 5]",
    Ablation.RESOLUTION: "long side of the network's input [paper table 6]",
    Ablation.VIDEO: "single frame and video [paper table 2 and figure 5]",
    Ablation.RANK: "error of the k-th best candidate at the coarsest level [paper figure 7]",
    Ablation.RETRIEVAL: "retrieval rank of the 5 keyframes [not in the paper]",
    Ablation.HEADS: "first match, guided match, refinement and completed coordinates [not in the paper]",
}
