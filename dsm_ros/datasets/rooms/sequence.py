"""Procedural rooms as sequences: ``rooms:SEED/walk=1,frames=300,size=640x480,...``"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from dsm_ros.datasets.description import Description, RecordingPart
from dsm_ros.datasets.frame import FRAME_PERIOD_NS, Frame, FrameHeader
from dsm_ros.datasets.rooms.effects import RoomEffects
from dsm_ros.datasets.rooms.model import make_room
from dsm_ros.datasets.rooms.render import render
from dsm_ros.datasets.rooms.scene import RoomStyle
from dsm_ros.datasets.rooms.walk import WALKS
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44

FOCAL_SHARE = 525.0 / 640.0


@dataclass(frozen=True)
class RoomSpec:
    """A room and a walk (a closed camera path) through the room, as written in ``rooms:SEED/key=value,...``.

    walk: 0..3, different camera paths through the same room. frames: number of frames on the path. width_px,
    height_px: from size=WxH. furnished: 1 for photographed textures and furniture. clutter: pieces of furniture.
    blank: 1 for plain walls. repeat: 1 for the same four textures everywhere. exposure, noise, blur: strength of each
    image effect, 0 = off, 1 = like a cheap camera.
    """

    seed: int
    walk: int = 0
    frames: int = 300
    width_px: int = 640
    height_px: int = 480
    clutter: int = 16
    blank: int = 0
    repeat: int = 0
    furnished: int = 0
    exposure: float = 0.0
    noise: float = 0.0
    blur: float = 0.0


def parse_spec(text: str) -> RoomSpec:
    """Parse ``rooms:SEED[/key=value,...]``. Raises SequenceError, which names the known keys."""
    match = re.fullmatch(r"rooms:(\d{1,9})(?:/(.+))?", text)
    if not match:
        raise SequenceError(f"'{text}' is not a room; write rooms:SEED or rooms:SEED/walk=1,frames=120")
    kinds = {field.name: float if "float" in str(field.type) else int for field in fields(RoomSpec)}
    values: dict[str, float] = {}
    for part in match[2].split(",") if match[2] else ():
        key, _, value = part.partition("=")
        try:
            if key == "size":
                values["width_px"], values["height_px"] = map(int, value.split("x"))
            elif key in ("seed", "width_px", "height_px"):
                raise KeyError(key)
            else:
                values[key] = kinds[key](value)
        except (KeyError, ValueError):
            known = "size=WxH, " + ", ".join(
                f"{name}=" for name in kinds if name not in ("seed", "width_px", "height_px")
            )
            raise SequenceError(f"'{part}' in '{text}' is not understood; known: {known}") from None
    return _checked(RoomSpec(int(match[1]), **values), text)  # type: ignore[arg-type]


def _checked(spec: RoomSpec, text: str) -> RoomSpec:
    possible = 0 <= spec.walk < WALKS and 1 <= spec.frames <= 100_000 and 0 <= spec.clutter <= 60
    possible &= 16 <= spec.width_px <= 4096 and 16 <= spec.height_px <= 4096
    possible &= all(0 <= strength <= 10 for strength in (spec.exposure, spec.noise, spec.blur))
    if not possible:
        raise SequenceError(
            f"'{text}': walk is 0..{WALKS - 1}, frames 1.., size 16x16.., clutter 0..60, image effects 0..10"
        )
    if spec.furnished and spec.repeat:
        raise SequenceError(f"'{text}': a furnished room has no repeated textures; leave out furnished or repeat")
    return spec


class RoomSequence:
    """One walk through a room; each frame is rendered when it is read, with the same pixels every time."""

    def __init__(self, spec: RoomSpec, name: str, device: str = "cpu"):
        self.name, self.spec, self._device = name, spec, device
        self.room = make_room(
            spec.seed, RoomStyle(spec.clutter, bool(spec.blank), bool(spec.repeat), bool(spec.furnished))
        )
        self._textured = self.room.on(device)
        focal_px = FOCAL_SHARE * spec.width_px
        centre = ((spec.width_px - 1) / 2, (spec.height_px - 1) / 2)
        self.camera = Camera(spec.width_px, spec.height_px, focal_px, focal_px, *centre)
        self._effects = RoomEffects(spec.exposure, spec.noise, spec.blur)

    def __len__(self) -> int:
        return self.spec.frames

    def __getitem__(self, index: int) -> Frame:
        if not 0 <= index < len(self):
            raise IndexError(index)
        walk, phases = self.room.walks[self.spec.walk], self._phases(index)
        views = [self._view(walk.pose(phase)) for phase in phases]
        image_HW3 = self._effects.apply(
            [image for image, _ in views], index / self.spec.frames, self._noise_seed(index)
        )
        depth_HW, stamp_ns = views[len(views) // 2][1], (index + 1) * FRAME_PERIOD_NS
        return Frame(f"{index:06d}", stamp_ns, image_HW3, self.camera, depth_HW, self._pose(phases))

    def header(self, index: int) -> FrameHeader:
        """Return name, stamp and pose of a frame without rendering. Raises IndexError beyond the last frame."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return FrameHeader(f"{index:06d}", (index + 1) * FRAME_PERIOD_NS, self._pose(self._phases(index)))

    def query(self, index: int) -> Frame:
        """Return image, camera and stamp of a frame, without depth and pose."""
        return replace(self[index], depth_HW=None, map_T_camera=None)

    def describe(self) -> Description:
        """Return the parts of the sequence, which are all rendered."""
        size = f"{self.spec.width_px}x{self.spec.height_px}"
        parts = (
            RecordingPart("image", self.name, f"{len(self)} images of {size}, rendered"),
            RecordingPart("camera", self.name, f"f {self.camera.fx:.1f}, no distortion"),
            RecordingPart("depth", self.name, "exact depth of the image's camera"),
            RecordingPart("poses", self.name, "exact"),
        )
        return Description(parts)

    def _phases(self, index: int) -> list[float]:
        """Return the times of the views that a frame averages, as shares of the walk."""
        return [(index + share) / self.spec.frames for share in self._effects.exposure_shares()]

    def _pose(self, phases: list[float]) -> Pose44:
        """Return the camera's pose in the middle of an exposure."""
        return self.room.walks[self.spec.walk].pose(phases[len(phases) // 2])

    def _view(self, map_T_camera: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
        image_HW3, depth_HW = render(self._textured, torch.from_numpy(map_T_camera).to(self._device), self.camera)
        return image_HW3.cpu(), depth_HW.cpu().numpy()

    def _noise_seed(self, index: int) -> int:
        return (self.spec.seed * 4 + self.spec.walk) * 100_003 + index


def open_rooms(text: str) -> RoomSequence:
    """Open a ``rooms:`` specification."""
    return RoomSequence(parse_spec(text), text)
