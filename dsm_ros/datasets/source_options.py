"""What a user overrides of the rules that choose the parts of a recording."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class SourceOptions:
    """Topics and frames to use in place of the chosen ones; None leaves the choice to the rules.

    pose: a pose topic, or TOPIC:FRAME to say which frame's pose it tells. rectified: images are rectified, so the
    camera is P of camera_info and has no distortion.
    """

    image: str | None = None
    camera_info: str | None = None
    depth: str | None = None
    pose: str | None = None
    world_frame: str | None = None
    rectified: bool = False

    def given(self) -> list[str]:
        """Return the names of the options that were given, as on the command line."""
        return [f"--{name.replace('_', '-')}" for name, value in asdict(self).items() if value]


BY_THE_RULES = SourceOptions()
