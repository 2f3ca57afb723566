"""Reading of image files: colour as RGB, depth in metres."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.errors import ImageError
from dsm_ros.messages.compressed import check_complete
from dsm_ros.messages.depth import metres_of_16_bits
from dsm_ros.messages.image import image_from_msg


@dataclass(frozen=True)
class ImageFile:
    """The bytes of an image file, with the fields of a CompressedImage message."""

    data: bytes
    format: str


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Return an image as (H, W, 3) uint8 RGB; the EXIF orientation is ignored.

    Grey, transparent and 16-bit images are converted. Raises ImageError when the file cannot be read.
    """
    try:
        return image_from_msg(ImageFile(path.read_bytes(), path.suffix.lower().lstrip(".")))
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ImageError(f"{path} is not a readable image ({error}); remove the file or copy it again") from error


def read_depth(path: Path, units_per_m: float) -> NDArray[np.float32]:
    """Return a 16-bit depth image as (H, W) float32 metres; 0 and 65535 become 0 = unknown.

    Raises ValueError with a short reason that does not depend on the file.
    """
    raw_HW = _pixels(path)
    if raw_HW.ndim != 2 or raw_HW.dtype != np.uint16:
        channels = 1 if raw_HW.ndim == 2 else raw_HW.shape[2]
        kind = f"{raw_HW.dtype} with {channels} channel{'s' * (channels > 1)}"
        raise ValueError(f"its depth image is {kind} instead of 16-bit grey")
    return metres_of_16_bits(np.asarray(raw_HW, np.uint16), units_per_m)


def _pixels(path: Path) -> NDArray[np.generic]:
    try:
        data = path.read_bytes()
        check_complete(data)
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except FileNotFoundError:
        raise ValueError("its depth image is missing") from None
    except OSError:
        raise ValueError("its depth image cannot be opened") from None
    except (ValueError, cv2.error):
        pixels = None
    if pixels is None:
        raise ValueError("its depth image is damaged")
    return pixels
