"""Kinds of image messages (colour, depth or neither), recognised without decoding."""

from __future__ import annotations

from enum import Enum
from typing import Any

from dsm_ros.messages.compressed import (
    CODECS,
    DEPTH_TRANSPORT,
    JPEG_START,
    PNG_START,
    is_compressed,
    named_encoding,
    png_header,
)
from dsm_ros.messages.depth import COMPRESSED_DEPTH_HEADER
from dsm_ros.messages.image import ENCODINGS, PLANAR


class ImageKind(Enum):
    """The kind of an image message.

    PICTURE: readable by image_from_msg. DEPTH: readable by depth_from_msg. GREY_16: readable by both, because it may be
    depth or infrared. OTHER: readable by neither function, or depth whose values are lost; the error of depth_from_msg
    gives the reason.
    """

    PICTURE = "picture"
    DEPTH = "depth"
    GREY_16 = "grey of 16 bits"
    OTHER = "other"


DEPTH_KINDS = {"16UC1": ImageKind.DEPTH, "32FC1": ImageKind.DEPTH, "mono16": ImageKind.GREY_16}


def kind_of(message: Any) -> ImageKind:
    """Return the kind of an Image or CompressedImage; the image is not decoded, so damage is not detected."""
    if is_compressed(message):
        return _kind_of_compressed(message.format, bytes(message.data[:64]))
    if message.encoding in DEPTH_KINDS:
        return DEPTH_KINDS[message.encoding]
    return ImageKind.PICTURE if message.encoding in (*ENCODINGS, *PLANAR) else ImageKind.OTHER


def _kind_of_compressed(form: str, start: bytes) -> ImageKind:
    encoding, form = named_encoding(form), form.lower()
    if DEPTH_TRANSPORT in form or start[COMPRESSED_DEPTH_HEADER.size :].startswith(PNG_START):
        return DEPTH_KINDS.get(encoding, ImageKind.OTHER) if encoding else ImageKind.DEPTH
    deep = _is_deep_png(encoding, form, start)
    if encoding == "32FC1" or (encoding == "16UC1" and not deep):
        return ImageKind.OTHER
    if deep and (encoding in DEPTH_KINDS or not encoding):
        return DEPTH_KINDS.get(encoding, ImageKind.GREY_16)
    known_codec = start.startswith((JPEG_START, PNG_START)) or any(codec in form for codec in CODECS)
    return ImageKind.PICTURE if known_codec else ImageKind.OTHER


def _is_deep_png(encoding: str, form: str, start: bytes) -> bool:
    """Return whether the data, or without data the format, is a 16-bit grey PNG."""
    if header := png_header(start):
        return header.bits == 16 and header.grey
    return bool(encoding) and not start and "png" in form
