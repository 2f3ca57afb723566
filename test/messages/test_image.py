"""Raw images of every encoding are converted to RGB."""

import cv2
import numpy as np
import pytest
from message_helpers import image_message
from sample_images import BAYER, FULL_GREY, GREY, RGB, SMOOTH, mosaic

from dsm_ros.messages.image import image_from_msg


def colour(name, dtype):
    alpha = np.full((6, 8, 1), 7, np.uint8)
    order = RGB[..., ::-1] if name.startswith(("bgr", "8UC", "16UC")) else RGB
    pixels = np.concatenate([order, alpha], axis=2) if "a" in name or name.endswith("C4") else order
    return pixels.astype(dtype) * (257 if np.dtype(dtype).itemsize == 2 else 1)


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("name", ["rgb8", "bgr8", "rgba8", "bgra8", "8UC3", "8UC4"])
def test_colour_of_8_bits(name, padding):
    assert (image_from_msg(image_message(colour(name, "u1"), name, padding)) == RGB).all()


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["rgb16", "bgr16", "rgba16", "bgra16", "16UC3", "16UC4"])
def test_colour_of_16_bits(name, order, padding):
    pixels = colour(name, "u2").astype(f"{order}u2")
    assert (image_from_msg(image_message(pixels, name, padding)) == RGB).all()


@pytest.mark.parametrize("name", ["mono8", "8UC1"])
def test_grey_of_8_bits(name):
    assert (image_from_msg(image_message(GREY, name, 4)) == GREY[..., None]).all()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["mono16", "16UC1"])
def test_grey_of_16_bits_is_not_black_when_the_sensor_has_fewer(name, order, bits):
    pixels = (FULL_GREY.astype(np.uint16) << (bits - 8)).astype(f"{order}u2")
    assert (image_from_msg(image_message(pixels, name)) == FULL_GREY[..., None]).all()


def test_a_black_picture_stays_black():
    assert not image_from_msg(image_message(np.zeros((6, 8), np.uint16), "mono16")).any()


@pytest.mark.parametrize("pattern", BAYER)
def test_bayer_patterns(pattern):
    raw = mosaic(SMOOTH, pattern)
    inner = np.s_[2:-2, 2:-2]
    for image in (
        image_message(raw, f"bayer_{pattern}8", 6),
        image_message(raw.astype(np.uint16) << 4, f"bayer_{pattern}16", 3),
    ):
        assert image_from_msg(image)[inner] == pytest.approx(SMOOTH[inner].astype(int), abs=3)


def yuv(image):
    """Return luma and chroma of an image in OpenCV's 4:2:0 subsampling."""
    height, width = image.shape[:2]
    planes = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    return planes[:height], chroma.transpose(1, 2, 0)


@pytest.mark.parametrize("name", ["uyvy", "yuv422", "yuyv", "yuv422_yuy2"])
def test_yuv_of_two_bytes_a_pixel(name):
    luma, chroma = yuv(SMOOTH)
    chroma = chroma.repeat(2, axis=0).reshape(luma.shape)
    pair = (chroma, luma) if name in ("uyvy", "yuv422") else (luma, chroma)
    assert image_from_msg(image_message(np.stack(pair, -1), name, 8)) == pytest.approx(SMOOTH.astype(int), abs=4)


@pytest.mark.parametrize("name", ["nv12", "nv21", "nv24"])
@pytest.mark.parametrize("padding", [0, 16])
def test_yuv_in_planes(name, padding):
    luma, chroma = yuv(SMOOTH)
    height, width = luma.shape
    padded = np.pad(luma, ((0, 0), (0, padding)))
    if name == "nv24":
        whole = chroma.repeat(2, axis=0).repeat(2, axis=1).reshape(height, 2 * width)
        rows = np.pad(whole, ((0, 0), (0, 2 * padding))).reshape(2 * height, -1)
    else:
        rows = np.pad((chroma if name == "nv12" else chroma[..., ::-1]).reshape(-1, width), ((0, 0), (0, padding)))
    image = image_message(np.concatenate([padded, rows]), name, height=height)
    image.width = width
    assert image_from_msg(image) == pytest.approx(SMOOTH.astype(int), abs=4)


def test_step_may_be_left_out():
    image = image_message(RGB, "rgb8")
    image.step = 0
    assert (image_from_msg(image) == RGB).all()
