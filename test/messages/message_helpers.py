"""Image messages for tests, whole and damaged."""

import array
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image

HEADER = struct.pack("<iff", 0, 0.0, 0.0)  # of compressedDepth


def image_message(pixels, encoding, padding=0, height=None):
    """Return an Image of an array in its byte order, with some bytes after each row."""
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    return Image(
        height=height or len(pixels),
        width=pixels.shape[1],
        encoding=encoding,
        step=rows.shape[1],
        is_bigendian=int(pixels.dtype.byteorder == ">"),
        data=array.array("B", rows.tobytes()),
    )


def compressed(data, form):
    return CompressedImage(format=form, data=array.array("B", bytes(data)))


def encoded(suffix, pixels):
    return cv2.imencode(suffix, pixels)[1].tobytes()


def rvl_sized(width, height, data):
    return HEADER + struct.pack("<ii", width, height) + data


def png_claiming(png, width, height):
    """Return a PNG whose header claims another size than its pixels have."""
    header = b"IHDR" + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def damaged(whole, draw):
    """Return data with a few bytes replaced, inserted or removed, as drawn by Hypothesis."""
    start = draw.draw(st.integers(0, len(whole)))
    return whole[:start] + draw.draw(st.binary(max_size=8)) + whole[start + draw.draw(st.integers(0, 8)) :]


def refusal(read, wrong):
    """Return the text of the error, one line, with which a message is refused."""
    with pytest.raises(ValueError) as error:
        read(wrong)
    text = str(error.value)
    assert "\n" not in text
    return text


def decoded(read, wild, said=""):
    """Return what is read from a message, or None after a refusal in one line that contains ``said``."""
    try:
        return read(wild)
    except ValueError:
        assert said in refusal(read, wild)
        return None
