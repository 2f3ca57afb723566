"""Damaged, truncated and unsupported images are refused in one line."""

import array
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_helpers import compressed, damaged, decoded, encoded, image_message, png_claiming, refusal
from sample_images import GREY, RGB, SMOOTH
from sensor_msgs.msg import Image

from dsm_ros.messages.image import ENCODINGS, PLANAR, image_from_msg


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"encoding": "thermal9"}, "encoding 'thermal9' .* unknown encoding; publish rgb8"),
        ({"encoding": "32FC1"}, "'32FC1' .* publish"),
        ({"encoding": ""}, "encoding ''"),
        ({"height": 7}, r"'rgb8' .* 144 bytes instead of 24 \* 7 = 168, so it is truncated"),
        ({"step": 23}, "step 23 is less than the 24 bytes of a row"),
        ({"width": 0}, "0x6"),
        ({"height": 0}, "8x0"),
        ({"data": array.array("B")}, "0 bytes instead of"),
        ({"width": 2**32 - 1, "height": 2**32 - 1}, "'rgb8' .* is less than"),
        ({"encoding": "yuv422", "width": 7}, "7x6 is odd"),
        ({"encoding": "nv12", "height": 5, "width": 8}, "8x5 is odd"),
    ],
)
def test_what_is_wrong_with_an_image_is_said(change, said):
    wrong = image_message(RGB, "rgb8")
    for name, value in change.items():
        setattr(wrong, name, value)
    assert re.search(said, refusal(image_from_msg, wrong))


def test_errors_are_one_line_whatever_the_encoding_is_called():
    assert "encoding 'a b'" in refusal(image_from_msg, image_message(RGB, "a\nb"))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_cut_pictures_are_refused_wherever_the_cut_is(suffix):
    data = encoded(suffix, SMOOTH)
    for size in (len(data) - 12, len(data) // 2, 200, 20, 3):
        assert "cannot be decoded" in refusal(image_from_msg, compressed(data[:size], "jpeg"))
    assert "bytes are truncated" in refusal(
        image_from_msg, compressed(data[: len(data) // 2], "rgb8; jpeg compressed bgr8")
    )


def test_a_picture_that_claims_to_be_huge_is_refused():
    png = png_claiming(encoded(".png", RGB), 2**20, 2**20)
    assert "cannot be decoded" in refusal(image_from_msg, compressed(png, "png"))


def test_a_png_that_claims_more_than_the_memory_holds_is_refused_before_it_is_decoded():
    png = png_claiming(encoded(".png", RGB), 20_000, 20_000)
    assert "header claims 20000x20000 pixels" in refusal(image_from_msg, compressed(png, "png"))


@pytest.mark.parametrize(
    ("data", "form", "said"),
    [
        (b"", "jpeg", "format 'jpeg' .* contains no data"),
        (b"no picture", "jpeg", "10 bytes are damaged or not an image"),
        (b"\0\0\0\1\x67", "h264", "'h264' .* publish jpeg or png"),
        (encoded(".png", GREY), "16UC1; compressedDepth png", "is a depth image"),
        (encoded(".tiff", GREY.astype(np.float32)), "32FC1; tiff compressed ", "pixels are float32"),
    ],
)
def test_what_is_wrong_with_a_compressed_image_is_said(data, form, said):
    assert re.search(said, refusal(image_from_msg, compressed(data, form)))


def decodes_or_refuses(wild):
    image = decoded(image_from_msg, wild, "cannot be decoded")
    if image is not None:
        assert (image.dtype, image.shape[2:]) == (np.uint8, (3,))


@given(
    st.sampled_from([*ENCODINGS, *PLANAR, "32FC1", "8SC1", "YUYV", ""]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 80),
    st.booleans(),
    st.binary(max_size=700),
)
def test_any_image_is_decoded_or_refused(encoding, width, height, step, big, data):
    decodes_or_refuses(
        Image(width=width, height=height, encoding=encoding, step=step, is_bigendian=int(big), data=list(data))
    )


WHOLE = [encoded(".png", SMOOTH), encoded(".jpg", SMOOTH)]


@given(st.sampled_from(WHOLE), st.data(), st.sampled_from(["jpeg", "png", "bayer_rggb8; png", "16UC1; png", "?"]))
def test_any_damaged_compressed_image_is_decoded_or_refused(whole, draw, form):
    decodes_or_refuses(compressed(damaged(whole, draw), form))
