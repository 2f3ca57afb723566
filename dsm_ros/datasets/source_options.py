"""Options that override the choice of a recording's topics and frames."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class SourceOptions:
    """Topics and frames that override the default choice; None keeps the default.

    pose: a pose topic, or TOPIC:FRAME for a topic with the poses of FRAME. rectified: the images are rectified, so that
    the camera is P of camera_info, without distortion.
    """

    image: str | None = None
    camera_info: str | None = None
    depth: str | None = None
    pose: str | None = None
    world_frame: str | None = None
    rectified: bool = False

    def given(self) -> list[str]:
        """Return the given options as they are written on the command line."""
        return [f"--{name.replace('_', '-')}" for name, value in asdict(self).items() if value]


DEFAULT_SOURCES = SourceOptions()
