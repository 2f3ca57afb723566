"""Library of square textures in a folder written by scripts/pack_textures.py."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.errors import SequenceError

SIDE_TEXELS = 256


class TextureLibrary:
    """The textures of a folder; files are kept compressed in memory and decoded on use."""

    def __init__(self, folder: Path):
        """Raises SequenceError when the folder contains no JPEG."""
        self._files = [np.fromfile(path, np.uint8) for path in sorted(folder.glob("*.jpg"))]
        if not self._files:
            raise SequenceError(f"no JPEG in '{folder}'; create textures with scripts/pack_textures.py")

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Return a texture as RGB (SIDE_TEXELS, SIDE_TEXELS, 3)."""
        image = cv2.imdecode(self._files[index], cv2.IMREAD_COLOR)
        if image is None:
            raise SequenceError(f"texture {index} is not a readable JPEG; pack the folder again")
        small = cv2.resize(image, (SIDE_TEXELS, SIDE_TEXELS), interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(small, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]

    def checksum(self) -> bytes:
        """Return a checksum of the contents of all files in order."""
        return sha256(b"".join(sha256(file.tobytes()).digest() for file in self._files)).digest()
