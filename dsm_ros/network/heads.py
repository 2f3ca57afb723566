"""The heads of a network: trained or analytic."""

from __future__ import annotations

from torch import nn

from dsm_ros.network.analytic_heads import ConsensusCoordinates, EvidenceConfidence
from dsm_ros.network.confidence_head import ConfidenceHead
from dsm_ros.network.config import NetworkConfig
from dsm_ros.network.coordinate_head import CoordinateHead


def make_coordinate_heads(config: NetworkConfig, levels: int) -> nn.ModuleList:
    """Return the untrained or analytic Net_coords of each level, coarse to fine."""
    if not config.trained_coordinates:
        return nn.ModuleList(ConsensusCoordinates() for _ in range(levels))
    shapes = [config.coarse_head] + [config.fine_head] * (levels - 1)
    return nn.ModuleList(
        CoordinateHead(config.candidates_at(level), config.channels, shape) for level, shape in enumerate(shapes)
    )


def make_confidence_head(config: NetworkConfig, levels: int) -> nn.Module:
    """Return the untrained or analytic Net_conf."""
    return (
        ConfidenceHead(levels, config.confidence_channels, config.confidence_blocks)
        if config.trained_confidence
        else EvidenceConfidence()
    )
