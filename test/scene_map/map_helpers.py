"""Builder of maps without a network."""

import numpy as np
import torch

from dsm_ros.network.features import ImageFeatures, KeyframeFeatures
from dsm_ros.scene_map.builder import build_map

ROOM = "rooms:2/size=96x64,clutter=4"


def quiet(done, total):
    """Stand in for a progress bar."""


class FakeEncoder:
    """An encoder that uses mean colours instead of a network."""

    model_hash = "fake"

    def encode_keyframe(self, image_HW3, depth_HW, camera, map_T_camera):
        small = torch.from_numpy(image_HW3.astype(np.float32))[::16, ::16].permute(2, 0, 1).contiguous()
        image = ImageFeatures((small,), small.mean((1, 2)), camera)
        return KeyframeFeatures(image, (torch.from_numpy(depth_HW)[::16, ::16].contiguous(),), map_T_camera)


class Listed:
    """A sequence of given frames; reading an item that is an exception raises it."""

    name = "listed"

    def __init__(self, frames):
        self.frames = frames

    def __len__(self):
        return len(self.frames)

    def __getitem__(self, index):
        if isinstance(self.frames[index], Exception):
            raise self.frames[index]
        return self.frames[index]


def build(room, uri, indices=range(0, 40, 10), append=False, encoder=None):
    """Build a map of some frames of a room."""
    return build_map(room, indices, str(uri), encoder or FakeEncoder(), "s", append, quiet)
