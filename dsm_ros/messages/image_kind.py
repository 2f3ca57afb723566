"""What the images of a topic can serve as, told from one message without decoding it."""

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
    """The use of an image message.

    PICTURE: image_from_msg reads it. DEPTH: depth_from_msg does. GREY_16: both do, for it may be depth or infrared.
    OTHER: neither does, or its depth has lost its values: depth_from_msg says why.
    """

    PICTURE = "picture"
    DEPTH = "depth"
    GREY_16 = "grey of 16 bits"
    OTHER = "other"


DEPTH_KINDS = {"16UC1": ImageKind.DEPTH, "32FC1": ImageKind.DEPTH, "mono16": ImageKind.GREY_16}


def kind_of(message: Any) -> ImageKind:
    """Return the use of an Image or CompressedImage; costs no decoding, so that damage is not seen."""
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
    """Return whether the data is a grey PNG of 16 bits; of a message without data, whether its format tells so."""
    if header := png_header(start):
        return header.bits == 16 and header.grey
    return bool(encoding) and not start and "png" in form
