"""One contract for both decoders of images: cv_bridge's, where it is installed, and ours."""

import array
import importlib.util

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image

from dsm_ros.messages.image import image_from_msg
from dsm_ros.node.images.cv_bridge_images import BRIDGED, CvBridgeDecoder, make_image_decoder

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
GREY = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)
ALPHA = np.full((6, 8, 1), 7, np.uint8)
PIXELS = {
    "rgb8": RGB,
    "bgr8": RGB[..., ::-1],
    "rgba8": np.concatenate([RGB, ALPHA], 2),
    "bgra8": np.concatenate([RGB[..., ::-1], ALPHA], 2),
    "8UC3": RGB[..., ::-1],
    "8UC4": np.concatenate([RGB[..., ::-1], ALPHA], 2),
    "mono8": GREY,
    "8UC1": GREY,
}
CV_BRIDGE = pytest.param(
    "cv_bridge",
    marks=[
        pytest.mark.full_ros,
        pytest.mark.skipif(importlib.util.find_spec("cv_bridge") is None, reason="cv_bridge is not installed"),
    ],
)


@pytest.fixture(params=["ours", CV_BRIDGE])
def decode(request):
    """The contract is one for both decoders."""
    return image_from_msg if request.param == "ours" else make_image_decoder()


def message(pixels, encoding, padding=0, big=False):
    """An Image of an array, with some bytes after each row."""
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    data = array.array("B", rows.tobytes())
    step = rows.shape[1]
    return Image(height=6, width=8, encoding=encoding, step=step, is_bigendian=int(big), data=data)


def changed(**fields):
    wrong = message(RGB, "rgb8")
    for name, value in fields.items():
        setattr(wrong, name, value)
    return wrong


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 5, 12])
@pytest.mark.parametrize("encoding", PIXELS)
def test_pictures_of_8_bits(decode, encoding, padding, big):
    image_HW3 = decode(message(PIXELS[encoding], encoding, padding, big))
    assert (image_HW3.dtype, image_HW3.flags.c_contiguous) == (np.uint8, True)
    assert (image_HW3 == (GREY[..., None] if PIXELS[encoding].ndim == 2 else RGB)).all()


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_patterns(decode, pattern):
    red, green, blue = 200, 100, 50
    flat = {"r": red, "g": green, "b": blue}
    tile = np.array([flat[letter] for letter in pattern], np.uint8).reshape(2, 2)
    assert (decode(message(np.tile(tile, (3, 4)), f"bayer_{pattern}8"))[2:-2, 2:-2] == (red, green, blue)).all()


def test_12_bits_in_16_are_not_black(decode):
    full = np.where(GREY.max() == GREY, 255, GREY).astype(np.uint16)
    assert (decode(message(full << 4, "mono16")) == full[..., None]).all()


def test_compressed_pictures_are_not_turned(decode):
    data = array.array("B", cv2.imencode(".png", RGB[..., ::-1])[1].tobytes())
    assert (decode(CompressedImage(format="rgb8; png compressed bgr8", data=data)) == RGB).all()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (changed(encoding="thermal9"), "encoding 'thermal9'"),
        (changed(height=7), "truncated; check the publisher"),
        (changed(step=23), "step 23 is less than the 24 bytes of a row"),
        (changed(width=0, step=0), "its size is 0x6"),
        (changed(data=array.array("B")), "truncated; check the publisher"),
        (CompressedImage(format="jpeg"), "contains no data"),
    ],
)
def test_what_is_wrong_is_one_line(decode, wrong, said):
    with pytest.raises(ValueError, match=said) as error:
        decode(wrong)
    assert "\n" not in str(error.value)


class RecordingBridge:
    """A bridge that knows every picture, and notes which encodings it is asked for."""

    def __init__(self):
        self.asked = []

    def imgmsg_to_cv2(self, message, desired_encoding):
        assert desired_encoding == "rgb8"
        self.asked.append(message.encoding)
        return RGB


def test_the_bridge_is_asked_for_what_it_reads_as_we_do():
    bridge = RecordingBridge()
    decode = CvBridgeDecoder(bridge)
    for encoding, pixels in PIXELS.items():
        decode(message(pixels, encoding))
    assert sorted(bridge.asked) == sorted(BRIDGED)


@pytest.mark.parametrize(
    "other", [message(RGB, "rgb8", 5), message(RGB, "rgb8", big=True), message(GREY.astype(np.uint16), "mono16")]
)
def test_the_bridge_is_not_asked_for_what_it_reads_otherwise(other):
    bridge = RecordingBridge()
    assert (CvBridgeDecoder(bridge)(other) == image_from_msg(other)).all()
    assert not bridge.asked


class FailingBridge:
    def imgmsg_to_cv2(self, message, desired_encoding):
        raise TypeError("no\nconversion")


def test_errors_of_the_bridge_are_ours():
    with pytest.raises(ValueError, match=r"^image with encoding 'rgb8' cannot be decoded: no conversion$"):
        CvBridgeDecoder(FailingBridge())(message(RGB, "rgb8"))


@pytest.mark.skipif(importlib.util.find_spec("cv_bridge") is not None, reason="cv_bridge is installed")
def test_without_cv_bridge_the_decoder_is_ours():
    assert make_image_decoder() is image_from_msg
