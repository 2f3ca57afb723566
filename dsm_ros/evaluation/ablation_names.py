"""Names and titles of the ablations."""

from __future__ import annotations

from dsm_ros.text_enum import TextEnum


class Ablation(TextEnum):
    """What is changed at run time; TITLES say where the paper does the same."""

    SORTING = "sorting"
    IMAGES = "images"
    RESOLUTION = "resolution"
    VIDEO = "video"
    RANK = "rank"
    RETRIEVAL = "retrieval"
    HEADS = "heads"


TITLES = {
    Ablation.SORTING: "how many candidates are kept, and in which order, 5 scene images [paper, table 4]",
    Ablation.IMAGES: "number of scene images [paper, table 5]",
    Ablation.RESOLUTION: "long side of the network's input [paper, table 6]",
    Ablation.VIDEO: "single frame and video [paper, table 2 and figure 5]",
    Ablation.RANK: "error of the k-th best candidate, coarsest level [paper, figure 7]",
    Ablation.RETRIEVAL: "retrieval rank of the 5 scene images [not in the paper]",
    Ablation.HEADS: "the first match alone, both, and all that follows [not in the paper]",
}
