"""Every picture becomes RGB or one clear ValueError."""

import array
import re
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image

from dsm_ros.messages.image import ENCODINGS, PLANAR, image_from_msg

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
RGB[0, 0] = 255
SMOOTH = np.stack(np.meshgrid(np.arange(40, 200, 2), np.arange(60, 180, 2)), -1)[..., [0, 1, 1]].astype(np.uint8)
GREY = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)
FULL_GREY = np.where(GREY.max() == GREY, 255, GREY)  # uses all 8 bits
BAYER = {"rggb": ((0, 1), (1, 2)), "bggr": ((2, 1), (1, 0)), "gbrg": ((1, 2), (0, 1)), "grbg": ((1, 0), (2, 1))}


def message(pixels, encoding, padding=0, height=None):
    """An Image of an array, with some bytes after each row."""
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
    width = pixels.shape[1]
    raw = np.pad(rows.view(np.uint8), ((0, 0), (0, padding)), constant_values=99)
    data = array.array("B", raw.tobytes())
    big = int(pixels.dtype.byteorder == ">")
    height = height or len(pixels)
    return Image(height=height, width=width, encoding=encoding, step=raw.shape[1], is_bigendian=big, data=data)


def compressed(data, form):
    return CompressedImage(format=form, data=array.array("B", bytes(data)))


def encoded(suffix, pixels):
    return cv2.imencode(suffix, pixels)[1].tobytes()


def refusal(wrong):
    with pytest.raises(ValueError) as error:
        image_from_msg(wrong)
    text = str(error.value)
    assert "\n" not in text
    return text


def colour(name, dtype):
    alpha = np.full((6, 8, 1), 7, np.uint8)
    order = RGB[..., ::-1] if name.startswith(("bgr", "8UC", "16UC")) else RGB
    pixels = np.concatenate([order, alpha], axis=2) if "a" in name or name.endswith("C4") else order
    return pixels.astype(dtype) * (257 if np.dtype(dtype).itemsize == 2 else 1)


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("name", ["rgb8", "bgr8", "rgba8", "bgra8", "8UC3", "8UC4"])
def test_colour_of_8_bits(name, padding):
    assert (image_from_msg(message(colour(name, "u1"), name, padding)) == RGB).all()


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["rgb16", "bgr16", "rgba16", "bgra16", "16UC3", "16UC4"])
def test_colour_of_16_bits(name, order, padding):
    pixels = colour(name, "u2").astype(f"{order}u2")
    assert (image_from_msg(message(pixels, name, padding)) == RGB).all()


@pytest.mark.parametrize("name", ["mono8", "8UC1"])
def test_grey_of_8_bits(name):
    assert (image_from_msg(message(GREY, name, 4)) == GREY[..., None]).all()


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["mono16", "16UC1"])
def test_grey_of_16_bits_is_not_black_when_the_sensor_has_fewer(name, order, bits):
    pixels = (FULL_GREY.astype(np.uint16) << (bits - 8)).astype(f"{order}u2")
    assert (image_from_msg(message(pixels, name)) == FULL_GREY[..., None]).all()


def test_a_black_picture_stays_black():
    assert not image_from_msg(message(np.zeros((6, 8), np.uint16), "mono16")).any()


def mosaic(image, pattern):
    out = image[..., 1].copy()
    for row in (0, 1):
        for column in (0, 1):
            out[row::2, column::2] = image[row::2, column::2, BAYER[pattern][row][column]]
    return out


@pytest.mark.parametrize("pattern", BAYER)
def test_bayer_patterns(pattern):
    raw = mosaic(SMOOTH, pattern)
    inner = np.s_[2:-2, 2:-2]
    for image in (message(raw, f"bayer_{pattern}8", 6), message(raw.astype(np.uint16) << 4, f"bayer_{pattern}16", 3)):
        assert image_from_msg(image)[inner] == pytest.approx(SMOOTH[inner].astype(int), abs=3)


def yuv(image):
    """Luma and the chroma of every pixel, as OpenCV's 4:2:0 has them."""
    height, width = image.shape[:2]
    planes = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    return planes[:height], chroma.transpose(1, 2, 0)


@pytest.mark.parametrize("name", ["uyvy", "yuv422", "yuyv", "yuv422_yuy2"])
def test_yuv_of_two_bytes_a_pixel(name):
    luma, chroma = yuv(SMOOTH)
    chroma = chroma.repeat(2, axis=0).reshape(luma.shape)
    pair = (chroma, luma) if name in ("uyvy", "yuv422") else (luma, chroma)
    assert image_from_msg(message(np.stack(pair, -1), name, 8)) == pytest.approx(SMOOTH.astype(int), abs=4)


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
    image = message(np.concatenate([padded, rows]), name, height=height)
    image.width = width
    assert image_from_msg(image) == pytest.approx(SMOOTH.astype(int), abs=4)


def test_step_may_be_left_out():
    image = message(RGB, "rgb8")
    image.step = 0
    assert (image_from_msg(image) == RGB).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"encoding": "thermal9"}, "encoding 'thermal9' .* unknown encoding; publish rgb8"),
        ({"encoding": "32FC1"}, "'32FC1' .* publish"),
        ({"encoding": ""}, "encoding ''"),
        ({"height": 7}, r"'rgb8' .* 144 bytes, not 24 \* 7 = 168; it was sent truncated"),
        ({"step": 23}, "step 23 is less than the 24 bytes of a row"),
        ({"width": 0}, "0x6"),
        ({"height": 0}, "8x0"),
        ({"data": array.array("B")}, "0 bytes, not"),
        ({"width": 2**32 - 1, "height": 2**32 - 1}, "'rgb8' .* is less than"),
        ({"encoding": "yuv422", "width": 7}, "7x6 is odd"),
        ({"encoding": "nv12", "height": 5, "width": 8}, "8x5 is odd"),
    ],
)
def test_what_is_wrong_with_an_image_is_said(change, said):
    wrong = message(RGB, "rgb8")
    for name, value in change.items():
        setattr(wrong, name, value)
    assert re.search(said, refusal(wrong))


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
    assert (read == image_from_msg(message(raw, "bayer_grbg8"))).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_cut_pictures_are_refused_wherever_the_cut_is(suffix):
    data = encoded(suffix, SMOOTH)
    for size in (len(data) - 12, len(data) // 2, 200, 20, 3):
        assert "cannot be decoded" in refusal(compressed(data[:size], "jpeg"))
    assert "end before the picture does" in refusal(compressed(data[: len(data) // 2], "rgb8; jpeg compressed bgr8"))


def test_a_picture_that_claims_to_be_huge_is_refused():
    header = b"IHDR" + struct.pack(">IIBBBBB", 2**20, 2**20, 8, 2, 0, 0, 0)
    png = encoded(".png", RGB)
    data = png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]
    assert "cannot be decoded" in refusal(compressed(data, "png"))


def test_a_png_that_claims_more_than_the_memory_holds_is_refused_before_it_is_decoded():
    header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    png = encoded(".png", RGB)
    data = png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]
    assert "header claims 20000x20000 pixels" in refusal(compressed(data, "png"))


def turned_by_exif(jpeg, orientation):
    """A JPEG whose EXIF asks a viewer to turn it: an APP1 segment with one TIFF entry, after the first two bytes."""
    entry = struct.pack(">HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0" + b"MM\0*" + struct.pack(">I", 8) + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_taken_as_the_sensor_saw_them(orientation):
    data = turned_by_exif(encoded(".jpg", SMOOTH[..., ::-1]), orientation)
    assert image_from_msg(compressed(data, "rgb8; jpeg compressed bgr8")) == pytest.approx(SMOOTH.astype(int), abs=8)
    viewed = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert (viewed.shape[:2] == SMOOTH.shape[:2]) == (orientation < 5)  # or the EXIF above would be void


def test_errors_are_one_line_whatever_the_encoding_is_called():
    assert "encoding 'a b'" in refusal(message(RGB, "a\nb"))


def test_bytes_after_a_jpeg_do_no_harm():
    data = encoded(".jpg", SMOOTH[..., ::-1])
    assert image_from_msg(compressed(data + bytes(64), "jpeg")) == pytest.approx(SMOOTH.astype(int), abs=8)


@pytest.mark.parametrize(
    ("data", "form", "said"),
    [
        (b"", "jpeg", "format 'jpeg' .* holds no data"),
        (b"no picture", "jpeg", "10 bytes are damaged or no picture"),
        (b"\0\0\0\1\x67", "h264", "'h264' .* publish jpeg or png"),
        (encoded(".png", GREY), "16UC1; compressedDepth png", "is a depth image"),
        (encoded(".tiff", GREY.astype(np.float32)), "32FC1; tiff compressed ", "pixels are float32"),
    ],
)
def test_what_is_wrong_with_a_compressed_image_is_said(data, form, said):
    assert re.search(said, refusal(compressed(data, form)))


def decodes_or_refuses(wild):
    try:
        image = image_from_msg(wild)
    except ValueError:
        assert "cannot be decoded" in refusal(wild)
    else:
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
    start = draw.draw(st.integers(0, len(whole)))
    data = whole[:start] + draw.draw(st.binary(max_size=8)) + whole[start + draw.draw(st.integers(0, 8)) :]
    decodes_or_refuses(compressed(data, form))
