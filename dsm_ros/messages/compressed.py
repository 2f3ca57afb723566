"""Headers of CompressedImage messages: encoding, codec and image size, and detection of truncated data."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

JPEG_START, JPEG_SCAN, JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
PNG_START, PNG_END = b"\x89PNG", b"IEND"
PNG_HEADER, PNG_CHUNK, PNG_CHECKSUM = struct.Struct(">16xIIBB"), struct.Struct(">I4s"), struct.Struct(">I")
MAX_PIXELS = 2**25  # a damaged header may claim an image larger than the memory
CODECS = ("jpeg", "jpg", "png", "webp", "tiff", "bmp", "jp2")
DEPTH_TRANSPORT = "compresseddepth"


@dataclass(frozen=True)
class PngHeader:
    """Image size, bits per channel and colour type in a PNG header."""

    width_px: int
    height_px: int
    bits: int
    grey: bool


def is_compressed(message: Any) -> bool:
    """Return whether a message is a CompressedImage, not an Image."""
    return hasattr(message, "format")


def encoding_label(message: Any) -> str:
    """Return the encoding or the format of an image message as a label for error messages."""
    kind, text = ("format", message.format) if is_compressed(message) else ("encoding", message.encoding)
    return f"{kind} '{' '.join(str(text).split())}'"


def named_encoding(form: str) -> str:
    """Return the encoding that a CompressedImage format names, for example 16UC1; empty when it names only a codec."""
    first = form.partition(";")[0].strip()
    is_codec = any(word in first.lower() for word in (*CODECS, DEPTH_TRANSPORT, "rvl"))
    return "" if is_codec else first


def png_header(data: bytes) -> PngHeader | None:
    """Return the header of PNG data, None for other data."""
    if not data.startswith(PNG_START) or len(data) < PNG_HEADER.size:
        return None
    width_px, height_px, bits, colour = PNG_HEADER.unpack_from(data)
    return PngHeader(width_px, height_px, bits, grey=colour == 0)


def check_complete(data: bytes) -> None:
    """Raise ValueError for a truncated JPEG, and for a PNG that is truncated, damaged or absurdly large.

    Some versions of OpenCV fill the missing part of a truncated image with grey, and libpng prints warnings.
    """
    if not data:
        raise ValueError("it contains no data; check the publisher")
    cut_jpeg = data.startswith(JPEG_START) and data.rfind(JPEG_END) < data.rfind(JPEG_SCAN)
    if cut_jpeg or (data.startswith(PNG_START) and _is_cut_png(data)):
        raise ValueError(f"its {len(data)} bytes are truncated; check the publisher")
    if header := png_header(data):
        check_pixel_count(header.width_px, header.height_px)


def _is_cut_png(data: bytes) -> bool:
    """Return whether a PNG ends before its last chunk. Raises ValueError for a chunk with a wrong checksum."""
    at = 8
    while at + PNG_CHUNK.size <= len(data):
        size, name = PNG_CHUNK.unpack_from(data, at)
        end = at + PNG_CHUNK.size + size
        if end + PNG_CHECKSUM.size > len(data):
            return True
        if PNG_CHECKSUM.unpack_from(data, end)[0] != zlib.crc32(data[at + 4 : end]):
            raise ValueError(f"its PNG of {len(data)} bytes is damaged; check the publisher")
        if name == PNG_END:
            return False
        at = end + PNG_CHECKSUM.size
    return True


def check_pixel_count(width_px: int, height_px: int) -> None:
    """Raise ValueError when a header claims an impossible image size."""
    if min(width_px, height_px) <= 0 or width_px * height_px > MAX_PIXELS:
        raise ValueError(f"its header claims {width_px}x{height_px} pixels, so it is damaged; check the publisher")
