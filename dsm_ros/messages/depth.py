"""Conversion of depth messages to metres: Image, 16-bit PNG, and compressedDepth (PNG, RVL, inverse depth)."""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.messages.compressed import (
    DEPTH_TRANSPORT,
    JPEG_START,
    PNG_START,
    check_complete,
    check_pixel_count,
    encoding_label,
    is_compressed,
    named_encoding,
    png_header,
)
from dsm_ros.messages.rows import pixels_of
from dsm_ros.messages.rvl import decode_rvl

DEPTH_DTYPES = {"16UC1": "u2", "mono16": "u2", "32FC1": "f4"}
UNKNOWN_16 = 65535
MAX_DEPTH_M = 1e5  # some drivers mark unknown depth with the largest float
WHAT_TO_RECORD = "record 16UC1 or mono16 (mm), 32FC1 (m), or their compressedDepth"
COMPRESSED_DEPTH_HEADER = struct.Struct("<iff")  # a format number that is always 0, then A and B of inverse depth
RVL_SIZE = struct.Struct("<ii")


def depth_from_msg(message: Any) -> NDArray[np.float32]:
    """Return the depth (H, W) of an Image or CompressedImage in metres, 0 = unknown.

    Raises ValueError for encodings without depth, and for data that is damaged, truncated or absurdly large.
    """
    try:
        return _from_compressed(message) if is_compressed(message) else _from_raw(message)
    except (ValueError, cv2.error) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"depth with {encoding_label(message)} cannot be read: {reason}") from error


def metres_of_16_bits(raw_HW: NDArray[np.uint16], units_per_m: float) -> NDArray[np.float32]:
    """Return 16-bit depth (H, W) in metres; 0 and 65535 mean unknown and become 0."""
    return (np.where(raw_HW == UNKNOWN_16, 0, raw_HW) / units_per_m).astype(np.float32)


def decode_depth_png(data: bytes) -> NDArray[np.uint16]:
    """Return the values (H, W) of a 16-bit grey PNG. Raises ValueError for any other, damaged or absurdly large PNG."""
    check_complete(data)
    header = png_header(data)
    if header is None or header.bits != 16 or not header.grey:
        raise ValueError(f"it is not a 16-bit grey PNG, so the depth values are lost; {WHAT_TO_RECORD}")
    raw_HW = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if raw_HW is None or raw_HW.shape != (header.height_px, header.width_px) or raw_HW.dtype != np.uint16:
        raise ValueError(f"its PNG of {len(data)} bytes is damaged; check the publisher")
    return np.asarray(raw_HW, np.uint16)


def _from_raw(message: Any) -> NDArray[np.float32]:
    _check_encoding(message.encoding)
    pixels_HW = pixels_of(message, DEPTH_DTYPES[message.encoding])
    return _without_unknown(pixels_HW) if message.encoding == "32FC1" else metres_of_16_bits(pixels_HW, 1000)


def _from_compressed(message: Any) -> NDArray[np.float32]:
    encoding, form, data = named_encoding(message.format), message.format.lower(), bytes(message.data)
    if encoding:
        _check_encoding(encoding)
    if data.startswith(JPEG_START) or "jpeg" in form:
        raise ValueError(f"it is a JPEG, so the depth values are lost; {WHAT_TO_RECORD}")
    header, payload = _split(data, form)
    raw_HW = _decoded(payload, form)
    if encoding == "32FC1":
        return _from_inverse(raw_HW, *_inverse_parameters(header))
    if not encoding and any(header[4:]):
        raise ValueError(f"its format does not say whether its encoding is 16UC1 or 32FC1; {WHAT_TO_RECORD}")
    return metres_of_16_bits(raw_HW, 1000)


def _check_encoding(encoding: str) -> None:
    if encoding not in DEPTH_DTYPES:
        raise ValueError(f"it is not a depth image; {WHAT_TO_RECORD}")


def _split(data: bytes, form: str) -> tuple[bytes, bytes]:
    """Return the header of compressedDepth, empty for a plain PNG, and the data after the header."""
    size = COMPRESSED_DEPTH_HEADER.size
    if data.startswith(PNG_START):
        return b"", data
    if data[size:].startswith(PNG_START) or DEPTH_TRANSPORT in form:
        return data[:size], data[size:]
    check_complete(data)
    raise ValueError(f"its {len(data)} bytes are neither a PNG nor compressedDepth; {WHAT_TO_RECORD}")


def _decoded(payload: bytes, form: str) -> NDArray[np.uint16]:
    check_complete(payload)
    if payload.startswith(PNG_START) or "png" in form:
        return decode_depth_png(payload)
    if len(payload) < RVL_SIZE.size:
        raise ValueError(f"its {len(payload)} bytes are too few for PNG or RVL; check the publisher")
    width_px, height_px = RVL_SIZE.unpack_from(payload)
    check_pixel_count(width_px, height_px)
    return decode_rvl(payload[RVL_SIZE.size :], width_px * height_px).reshape(height_px, width_px)


def _inverse_parameters(header: bytes) -> tuple[float, float]:
    if not header:
        raise ValueError(f"its header with A and B of inverse depth is missing; {WHAT_TO_RECORD}")
    _, a, b = COMPRESSED_DEPTH_HEADER.unpack(header)
    if not (np.isfinite([a, b]).all() and a > 0):
        raise ValueError(f"its inverse depth has A = {a:g} and B = {b:g}, so it is damaged; check the publisher")
    return a, b


def _from_inverse(raw_HW: NDArray[np.uint16], a: float, b: float) -> NDArray[np.float32]:
    """Return A / (q - B), the decoding of compressed_depth_image_transport, in which q = 0 means unknown."""
    steps_HW = raw_HW.astype(np.float64) - b
    known_HW = (raw_HW > 0) & (steps_HW > 0)
    return _without_unknown(np.divide(a, steps_HW, out=np.zeros_like(steps_HW), where=known_HW))


def _without_unknown(depth_HW: NDArray[Any]) -> NDArray[np.float32]:
    known_HW = (depth_HW > 0) & (depth_HW < MAX_DEPTH_M)  # also false for NaN
    return np.where(known_HW, depth_HW, 0).astype(np.float32)
