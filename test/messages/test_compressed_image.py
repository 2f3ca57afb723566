"""Compressed images of every codec are converted to RGB."""

import struct

import cv2
import numpy as np
import pytest
from message_helpers import compressed, encoded, image_message
from sample_images import FULL_GREY, GREY, RGB, SMOOTH, mosaic

from dsm_ros.messages.image import image_from_msg


@pytest.mark.parametrize("form", ["png", "rgb8; png compressed bgr8", "", "mono8; png"])
def test_png(form):
    assert (image_from_msg(compressed(encoded(".png", RGB[..., ::-1]), form)) == RGB).all()


@pytest.mark.parametrize("form", ["jpeg", "rgb8; jpeg compressed bgr8", "bgr8; jpeg compressed bgr8", "jpg"])
def test_jpeg(form):
    data = encoded(".jpg", SMOOTH[..., ::-1])
    assert image_from_msg(compressed(data, form)) == pytest.approx(SMOOTH.astype(int), abs=8)


def test_jpeg_whose_channels_are_in_the_order_of_rgb():
    data = encoded(".jpg", SMOOTH)
    read = image_from_msg(compressed(data, "rgb8; jpeg compressed rgb8"))
    assert read == pytest.approx(SMOOTH.astype(int), abs=8)


def test_grey_alpha_and_deep_pictures_compressed():
    assert (image_from_msg(compressed(encoded(".png", GREY), "mono8; png compressed ")) == GREY[..., None]).all()
    bgra = cv2.cvtColor(RGB, cv2.COLOR_RGB2BGRA)
    assert (image_from_msg(compressed(encoded(".png", bgra), "bgra8; png compressed bgra8")) == RGB).all()
    twelve_bits = FULL_GREY.astype(np.uint16) << 4
    read = image_from_msg(compressed(encoded(".png", twelve_bits), "16UC1; png"))
    assert (read == (twelve_bits >> 4)[..., None]).all()


def test_bayer_compressed_as_grey_gets_its_colours():
    raw = mosaic(SMOOTH, "grbg")
    read = image_from_msg(compressed(encoded(".png", raw), "bayer_grbg8; png compressed "))
    assert (read == image_from_msg(image_message(raw, "bayer_grbg8"))).all()


def turned_by_exif(jpeg, orientation):
    """Return a JPEG with an EXIF orientation: an APP1 segment with one TIFF entry, after the first two bytes."""
    entry = struct.pack(">HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0" + b"MM\0*" + struct.pack(">I", 8) + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_taken_as_the_sensor_saw_them(orientation):
    data = turned_by_exif(encoded(".jpg", SMOOTH[..., ::-1]), orientation)
    assert image_from_msg(compressed(data, "rgb8; jpeg compressed bgr8")) == pytest.approx(SMOOTH.astype(int), abs=8)
    viewed = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert (viewed.shape[:2] == SMOOTH.shape[:2]) == (orientation < 5)  # checks that the EXIF segment is effective


def test_bytes_after_a_jpeg_do_no_harm():
    data = encoded(".jpg", SMOOTH[..., ::-1])
    assert image_from_msg(compressed(data + bytes(64), "jpeg")) == pytest.approx(SMOOTH.astype(int), abs=8)
