"""Options that override the choice of a recording's topics and frames."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class SourceOptions:
    """Topics and frames that override the default choice; None keeps the default."""

    image: str | None = None  # topic of the colour images
    camera_info: str | None = None  # CameraInfo topic of the images
    depth: str | None = None  # topic of the depth images
    pose: str | None = None  # a pose topic, or TOPIC:FRAME for a topic with the poses of FRAME
    world_frame: str | None = None  # frame of the camera poses, for example map or odom
    rectified: bool = False  # the images are rectified, so the camera is P of camera_info, without distortion

    def given(self) -> list[str]:
        """Return the given options as they are written on the command line."""
        return [f"--{name.replace('_', '-')}" for name, value in asdict(self).items() if value]


DEFAULT_SOURCES = SourceOptions()
