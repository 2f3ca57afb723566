"""Damaged, truncated and malicious depth images are read, or refused in one line with little memory."""

import re
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_helpers import HEADER, compressed, damaged, decoded, encoded, png_claiming, refusal, rvl_sized
from sensor_msgs.msg import Image

from dsm_ros.messages.depth import depth_from_msg

RAW = np.array([[0, 1, 1500], [65534, 65535, 3000]], np.uint16)


PNG = encoded(".png", RAW)


@pytest.mark.parametrize(
    ("data", "form", "said"),
    [
        (b"", "16UC1; png compressed ", "contains no data"),
        (HEADER, "16UC1; compressedDepth png", "contains no data"),
        (HEADER[:5], "16UC1; compressedDepth", "contains no data"),
        (HEADER + PNG[:30], "16UC1; compressedDepth png", "truncated"),
        (PNG[:40], "16UC1; png compressed ", "truncated"),
        (b"PNG" * 9, "16UC1; png compressed ", "neither a PNG nor compressedDepth"),
        (PNG[:50] + b"\0\0\0" + PNG[53:], "16UC1; png compressed ", "PNG of .* bytes is damaged"),
        (png_claiming(PNG, 100_000, 100_000), "16UC1; png compressed ", "claims 100000x100000 pixels"),
        (HEADER + png_claiming(PNG, 6000, 6000), "16UC1; compressedDepth png", "claims 6000x6000 pixels"),
        (HEADER + b"\1\2", "16UC1; compressedDepth rvl", "too few for PNG or RVL"),
        (rvl_sized(2**30, 2**30, b""), "16UC1; compressedDepth rvl", "claims 1073741824x1073741824 pixels"),
        (rvl_sized(-3, -2, b""), "16UC1; compressedDepth rvl", "claims -3x-2 pixels"),
        (rvl_sized(3, 0, b""), "16UC1; compressedDepth rvl", "claims 3x0 pixels"),
        (rvl_sized(3, 2, b""), "16UC1; compressedDepth rvl", "truncated"),
        (PNG, "32FC1; compressedDepth png", "header with A and B of inverse depth is missing"),
        (HEADER + PNG, "32FC1; compressedDepth png", "A = 0 and B = 0"),
        (struct.pack("<iff", 0, 1, float("nan")) + PNG, "32FC1; compressedDepth png", "A = 1 and B = nan"),
    ],
)
def test_what_is_wrong_with_compressed_depth_is_said(data, form, said):
    assert re.search(said, refusal(depth_from_msg, compressed(data, form)))


@pytest.mark.parametrize("place", range(8, len(PNG)))
def test_a_changed_byte_of_a_png_is_refused_without_a_word_of_libpng(place, capfd):
    data = PNG[:place] + bytes([PNG[place] ^ 0x55]) + PNG[place + 1 :]
    assert re.search("damaged|truncated", refusal(depth_from_msg, compressed(data, "16UC1; png compressed ")))
    assert not capfd.readouterr().err


@pytest.mark.parametrize("data", [png_claiming(PNG, 30_000, 30_000), rvl_sized(30_000, 30_000, bytes(64))])
def test_a_few_bytes_cannot_take_the_memory(data):
    tracemalloc.start()
    refusal(depth_from_msg, compressed(data, "16UC1; compressedDepth"))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 2**20


def decodes_or_refuses(wild):
    depth_HW = decoded(depth_from_msg, wild)
    if depth_HW is not None:
        assert depth_HW.ndim == 2
        assert depth_HW.dtype == np.dtype("f4")
        assert np.isfinite(depth_HW).all()
        assert (depth_HW >= 0).all()


@given(
    st.sampled_from(["16UC1", "mono16", "32FC1", "64FC1", "mono8", ""]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 80),
    st.booleans(),
    st.binary(max_size=400),
)
def test_any_image_is_read_or_refused(encoding, width, height, step, big, data):
    decodes_or_refuses(
        Image(width=width, height=height, encoding=encoding, step=step, is_bigendian=int(big), data=list(data))
    )


FORMS = [
    f"{encoding}{transport}"
    for encoding in ("16UC1", "32FC1", "")
    for transport in ("; compressedDepth", "; compressedDepth png", "; compressedDepth rvl", "; png compressed ", "")
]


@given(st.sampled_from(FORMS), st.data())
def test_any_damaged_compressed_depth_is_read_or_refused(encode_rvl, form, draw):
    large = np.arange(600, dtype=np.uint16).reshape(20, 30) * 40
    inverse_header = struct.pack("<iff", 0, 1000.0, 9.0)
    png, rvl = encoded(".png", large), struct.pack("<ii", 30, 20) + encode_rvl(large.ravel())
    whole = draw.draw(st.sampled_from([png, HEADER + png, inverse_header + png, HEADER + rvl, inverse_header + rvl]))
    decodes_or_refuses(compressed(damaged(whole, draw), form))


@given(st.sampled_from(FORMS), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(form, data):
    decodes_or_refuses(compressed(data, form))
