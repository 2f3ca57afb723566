"""The kind of a topic's images is recognised from one message."""

import array
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image

from dsm_ros.messages.depth import depth_from_msg
from dsm_ros.messages.image import ENCODINGS, PLANAR, image_from_msg
from dsm_ros.messages.image_kind import ImageKind, kind_of

DEEP = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
SHALLOW = (DEEP >> 8).astype(np.uint8)
DEEP_PNG, PNG = (cv2.imencode(".png", pixels)[1].tobytes() for pixels in (DEEP, SHALLOW))
COLOUR_PNG = cv2.imencode(".png", np.dstack([DEEP] * 3))[1].tobytes()
JPEG = cv2.imencode(".jpg", SHALLOW)[1].tobytes()
HEADER = struct.pack("<iff", 0, 0.0, 0.0)


def compressed(data, form):
    return CompressedImage(format=form, data=array.array("B", data))


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [
        ("16UC1", ImageKind.DEPTH),
        ("32FC1", ImageKind.DEPTH),
        ("mono16", ImageKind.GREY_16),
        *[
            (name, ImageKind.PICTURE)
            for name in ("rgb8", "bgra8", "mono8", "8UC1", "rgb16", "bayer_rggb16", "yuv422", "nv12")
        ],
        *[(name, ImageKind.OTHER) for name in ("64FC1", "16SC1", "32SC1", "", "unknown")],
    ],
)
def test_kinds_of_raw_images(encoding, kind):
    assert kind_of(Image(encoding=encoding)) is kind


@pytest.mark.parametrize(
    ("data", "form", "kind"),
    [
        (JPEG, "rgb8; jpeg compressed bgr8", ImageKind.PICTURE),
        (JPEG, "jpeg", ImageKind.PICTURE),
        (JPEG, "", ImageKind.PICTURE),
        (JPEG, "mono16; jpeg compressed mono8", ImageKind.PICTURE),
        (b"", "rgb8; jpeg compressed bgr8", ImageKind.PICTURE),
        (JPEG[:20], "jpeg", ImageKind.PICTURE),
        (PNG, "bgr8; png compressed bgr8", ImageKind.PICTURE),
        (PNG, "png", ImageKind.PICTURE),
        (COLOUR_PNG, "png", ImageKind.PICTURE),
        (DEEP_PNG, "16UC1; png compressed ", ImageKind.DEPTH),
        (b"", "16UC1; png compressed ", ImageKind.DEPTH),
        (DEEP_PNG, "mono16; png compressed ", ImageKind.GREY_16),
        (DEEP_PNG, "png", ImageKind.GREY_16),
        (DEEP_PNG, "", ImageKind.GREY_16),
        (HEADER + DEEP_PNG, "16UC1; compressedDepth", ImageKind.DEPTH),
        (HEADER + DEEP_PNG, "32FC1; compressedDepth png", ImageKind.DEPTH),
        (HEADER, "16UC1; compressedDepth rvl", ImageKind.DEPTH),
        (HEADER + DEEP_PNG, "16UC1", ImageKind.DEPTH),
        (HEADER + DEEP_PNG, "", ImageKind.DEPTH),
        (HEADER + DEEP_PNG, "mono16; compressedDepth png", ImageKind.GREY_16),
        (HEADER, "rgb8; compressedDepth", ImageKind.OTHER),
        (HEADER, "64FC1; compressedDepth", ImageKind.OTHER),
        (JPEG, "16UC1; jpeg compressed ", ImageKind.OTHER),
        (JPEG, "32FC1; jpeg compressed ", ImageKind.OTHER),
        (PNG, "16UC1; png compressed ", ImageKind.OTHER),
        (DEEP_PNG, "32FC1; png compressed ", ImageKind.OTHER),
        (b"\0\0\0\1\x67", "h264", ImageKind.OTHER),
        (b"", "", ImageKind.OTHER),
    ],
)
def test_kinds_of_compressed_images(data, form, kind):
    assert kind_of(compressed(data, form)) is kind


def readable(reader, message):
    try:
        return reader(message) is not None
    except ValueError:
        return False


@given(
    st.sampled_from([JPEG, PNG, COLOUR_PNG, DEEP_PNG, HEADER + DEEP_PNG]),
    st.sampled_from(["16UC1", "mono16", "rgb8", ""]),
    st.sampled_from(["; jpeg compressed bgr8", "; png compressed ", "; compressedDepth png", ""]),
)
def test_kinds_are_what_can_be_read(data, encoding, transport):
    message = compressed(data, encoding + transport)
    kind = kind_of(message)
    if kind in (ImageKind.DEPTH, ImageKind.GREY_16) and data.endswith(DEEP_PNG) and "jpeg" not in transport:
        assert readable(depth_from_msg, message)
    if kind is ImageKind.PICTURE and "compressedDepth" not in transport:
        assert readable(image_from_msg, message)
    if kind is ImageKind.OTHER:
        assert not readable(depth_from_msg, message)


@pytest.mark.parametrize("encoding", [*ENCODINGS, *PLANAR, "32FC1", "64FC1", "16SC1"])
def test_kinds_of_raw_images_are_what_can_be_read(encoding):
    message = Image(width=8, height=6, encoding=encoding, data=array.array("B", bytes(8 * 6 * 8)))
    kind = kind_of(message)
    assert readable(depth_from_msg, message) == (kind in (ImageKind.DEPTH, ImageKind.GREY_16))
    assert readable(image_from_msg, message) == (kind in (ImageKind.PICTURE, ImageKind.GREY_16) or encoding == "16UC1")
