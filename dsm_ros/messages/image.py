"""Conversion of image messages to RGB: Image of any common encoding, CompressedImage of any codec of OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.messages.compressed import DEPTH_TRANSPORT, check_complete, encoding_label, is_compressed, named_encoding
from dsm_ros.messages.rows import check_size, pixels_of, rows_of

PAIRED = dict.fromkeys(("uyvy", "yuv422"), cv2.COLOR_YUV2RGB_UYVY)
PAIRED |= dict.fromkeys(("yuyv", "yuv422_yuy2"), cv2.COLOR_YUV2RGB_YUY2)
PLANAR = {"nv12": cv2.COLOR_YUV2RGB_NV12, "nv21": cv2.COLOR_YUV2RGB_NV21, "nv24": cv2.COLOR_YUV2RGB_NV12}


@dataclass(frozen=True)
class Encoding:
    """Memory layout of pixels, and OpenCV's code for converting 8-bit pixels to RGB, None when the pixels are RGB."""

    dtype: str
    channels: int
    to_rgb: int | None


def _encodings() -> dict[str, Encoding]:
    kinds = {
        "mono{}": (1, cv2.COLOR_GRAY2RGB),
        "rgb{}": (3, None),
        "bgr{}": (3, cv2.COLOR_BGR2RGB),
        "rgba{}": (4, cv2.COLOR_RGBA2RGB),
        "bgra{}": (4, cv2.COLOR_BGRA2RGB),
        "{}UC1": (1, cv2.COLOR_GRAY2RGB),
        "{}UC3": (3, cv2.COLOR_BGR2RGB),  # OpenCV's order, as in cv_bridge
        "{}UC4": (4, cv2.COLOR_BGRA2RGB),
        "bayer_rggb{}": (1, cv2.COLOR_BayerBG2RGB),  # OpenCV names a pattern by its second row and column
        "bayer_bggr{}": (1, cv2.COLOR_BayerRG2RGB),
        "bayer_gbrg{}": (1, cv2.COLOR_BayerGR2RGB),
        "bayer_grbg{}": (1, cv2.COLOR_BayerGB2RGB),
    }
    table = {name.format(bits): Encoding(f"u{bits // 8}", *kind) for name, kind in kinds.items() for bits in (8, 16)}
    return table | {name: Encoding("u1", 2, code) for name, code in PAIRED.items()}


ENCODINGS = _encodings()


def image_from_msg(message: Any) -> NDArray[np.uint8]:
    """Return an Image or CompressedImage as uint8 RGB (H, W, 3); the array may share the message's memory.

    Raises ValueError for damaged data and unsupported encodings.
    """
    try:
        pixels = _from_compressed(message) if is_compressed(message) else _from_raw(message)
    except (ValueError, cv2.error) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"image with {encoding_label(message)} cannot be decoded: {reason}") from error
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def _from_raw(message: Any) -> NDArray[Any]:
    check_size(message)
    planar = message.encoding in PLANAR
    if (message.width % 2 and message.encoding in (*PLANAR, *PAIRED)) or (message.height % 2 and planar):
        size = f"{message.width}x{message.height}"
        raise ValueError(f"its size {size} is odd, but two pixels share a colour; publish an even size")
    if planar:
        return cv2.cvtColor(_planes(message), PLANAR[message.encoding])
    if message.encoding not in ENCODINGS:
        raise ValueError("unknown encoding; publish rgb8, bgr8, mono8 or another image of 8 or 16 bits")
    encoding = ENCODINGS[message.encoding]
    return _to_rgb(pixels_of(message, encoding.dtype, encoding.channels), encoding.to_rgb)


def _planes(message: Any) -> NDArray[np.uint8]:
    """Return luma above interleaved chroma (3/2 H, W), the layout of nv12; nv24 loses three of four chroma samples."""
    width, height = message.width, message.height
    if message.encoding != "nv24":
        return np.ascontiguousarray(rows_of(message, width, height * 3 // 2)[:, :width])
    rows = rows_of(message, width, height * 3)
    chroma_HW2 = rows[height:].reshape(height, -1)[:, : 2 * width].reshape(height, width, 2)
    return np.concatenate([rows[:height, :width], chroma_HW2[::2, ::2].reshape(height // 2, width)])


def _to_rgb(pixels: NDArray[Any], code: int | None) -> NDArray[Any]:
    pixels = _eight_bits(pixels)
    return pixels if code is None else cv2.cvtColor(pixels, code)


def _eight_bits(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the 8 highest bits in use, because sensors of 10 to 14 bits use only the low bits of 16.

    The scale is a power of two, so that the brightness does not follow the maximum of every frame.
    """
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind != "u":
        raise ValueError(f"its pixels are {pixels.dtype}, as in a depth image; publish 8 or 16 bits")
    unused = max(8, int(pixels.max()).bit_length()) - 8
    return (pixels >> unused).astype(np.uint8)


def _from_compressed(message: Any) -> NDArray[Any]:
    if DEPTH_TRANSPORT in message.format.lower():
        raise ValueError("it is a depth image; subscribe to the compressed topic of a colour or grey camera")
    data = bytes(message.data)
    check_complete(data)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)  # without EXIF orientation
    if pixels is None:
        raise ValueError(f"its {len(data)} bytes are damaged or not an image; publish jpeg or png")
    return _to_rgb(pixels, ENCODINGS[_decoded_encoding(pixels, message.format.lower())].to_rgb)


def _decoded_encoding(pixels: NDArray[Any], form: str) -> str:
    """Return the encoding of decoded pixels; image_transport compresses Bayer as grey, and may keep the RGB order."""
    if pixels.ndim == 3:
        order = "rgb" if "compressed rgb" in form else "bgr"
        return f"{order}a8" if pixels.shape[2] == 4 else f"{order}8"
    original = named_encoding(form)
    return original if original.startswith("bayer_") and original in ENCODINGS else "mono8"
