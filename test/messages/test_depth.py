"""Depth of every encoding is converted to metres, or refused by one ValueError."""

import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from message_helpers import HEADER, compressed, encoded, image_message, refusal, rvl_sized
from rosbags.typesys import Stores, get_typestore

from dsm_ros.messages.depth import decode_depth_png, depth_from_msg, metres_of_16_bits

RAW = np.array([[0, 1, 1500], [65534, 65535, 3000]], np.uint16)
METRES = np.array([[0, 0.001, 1.5], [65.534, 0, 3.0]], np.float32)
FLOATS = np.array([[np.nan, np.inf, -np.inf, -1.0], [0.0, 1.5, 80.0, np.finfo("f4").max]], np.float32)
FLOAT_METRES = np.array([[0, 0, 0, 0], [0, 1.5, 80.0, 0]], np.float32)
raws = arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=9))


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("encoding", ["16UC1", "mono16"])
def test_millimetres(encoding, order, padding):
    depth_HW = depth_from_msg(image_message(RAW.astype(f"{order}u2"), encoding, padding))
    assert depth_HW.dtype == np.dtype("f4")
    assert (depth_HW == METRES).all()


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize("order", ["<", ">"])
def test_floats_are_metres_and_what_is_no_distance_is_unknown(order, padding):
    assert (depth_from_msg(image_message(FLOATS.astype(f"{order}f4"), "32FC1", padding)) == FLOAT_METRES).all()


def test_step_may_be_left_out():
    image = image_message(RAW, "16UC1")
    image.step = 0
    assert (depth_from_msg(image) == METRES).all()


def test_recorded_messages_are_read_as_live_ones():
    types = get_typestore(Stores.ROS2_HUMBLE).types
    time = types["builtin_interfaces/msg/Time"](0, 0)
    header = types["std_msgs/msg/Header"](time, "camera")
    raw = types["sensor_msgs/msg/Image"](header, 2, 3, "16UC1", 0, 6, RAW.view(np.uint8).ravel())
    data = np.frombuffer(HEADER + encoded(".png", RAW), np.uint8)
    packed = types["sensor_msgs/msg/CompressedImage"](header, "16UC1; compressedDepth png", data)
    assert (depth_from_msg(raw) == METRES).all()
    assert (depth_from_msg(packed) == METRES).all()


def test_the_message_is_left_as_it_was():
    image = image_message(RAW, "16UC1")
    depth_from_msg(image)[:] = 7
    assert (depth_from_msg(image) == METRES).all()


@pytest.mark.parametrize(
    "form", ["16UC1; png compressed ", "16UC1; png compressed", "mono16; png compressed ", "png", ""]
)
def test_png_of_16_bits(form):
    assert (depth_from_msg(compressed(encoded(".png", RAW), form)) == METRES).all()


@pytest.mark.parametrize(
    "form", ["16UC1; compressedDepth", "16UC1; compressedDepth png", "mono16; compressedDepth png", "16UC1", "", "png"]
)
@pytest.mark.parametrize("header", [HEADER, b""])
def test_compressed_depth_as_png(form, header):
    """The format differs between releases, and some publishers leave out the header."""
    assert (depth_from_msg(compressed(header + encoded(".png", RAW), form)) == METRES).all()


def test_parameters_of_inverse_depth_mean_nothing_for_16uc1():
    garbage = struct.pack("<iff", -1, 4e8, float("nan"))
    form = "16UC1; compressedDepth png"
    assert (depth_from_msg(compressed(garbage + encoded(".png", RAW), form)) == METRES).all()
    assert "16UC1 or 32FC1" in refusal(depth_from_msg, compressed(garbage + encoded(".png", RAW), "compressedDepth"))


@pytest.mark.parametrize(
    "form", ["16UC1; compressedDepth rvl", "16UC1; compressedDepth", "mono16; compressedDepth rvl"]
)
def test_compressed_depth_as_rvl(encode_rvl, form):
    data = rvl_sized(3, 2, encode_rvl(RAW.ravel()))
    assert (depth_from_msg(compressed(data, form)) == METRES).all()


@given(raws)
def test_rvl_and_png_hold_the_same(encode_rvl, raw_HW):
    height, width = raw_HW.shape
    rvl = compressed(rvl_sized(width, height, encode_rvl(raw_HW.ravel())), "16UC1; compressedDepth rvl")
    png = compressed(HEADER + encoded(".png", raw_HW), "16UC1; compressedDepth png")
    assert (depth_from_msg(rvl) == metres_of_16_bits(raw_HW, 1000)).all()
    assert (depth_from_msg(png) == metres_of_16_bits(raw_HW, 1000)).all()


def inverse(depth_HW, furthest_m=10.0, quantization=100.0):
    """Return the header and the 16-bit image of compressed_depth_image_transport for depth in metres."""
    a = quantization * (quantization + 1)
    b = 1 - a / furthest_m
    known = (depth_HW > 0) & (depth_HW < furthest_m)
    steps = np.where(known, a / np.where(known, depth_HW, 1) + b, 0).astype(np.uint16)
    return struct.pack("<iff", 0, a, b), steps


def test_inverse_depth_worked():
    steps = np.array([[0, 9, 10, 509, 1009]], np.uint16)
    data = struct.pack("<iff", 0, 1000.0, 9.0) + encoded(".png", steps)
    depth_HW = depth_from_msg(compressed(data, "32FC1; compressedDepth png"))
    assert depth_HW.tolist() == [[0, 0, 1000, 2, 1]]


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(0.25, 9.5, width=32)))
def test_inverse_depth_is_as_exact_as_its_steps(encode_rvl, depth_HW):
    header, steps = inverse(depth_HW)
    height, width = depth_HW.shape
    size = struct.pack("<ii", width, height)
    png = depth_from_msg(compressed(header + encoded(".png", steps), "32FC1; compressedDepth png"))
    rvl = depth_from_msg(compressed(header + size + encode_rvl(steps.ravel()), "32FC1; compressedDepth rvl"))
    assert (png == rvl).all()
    assert (np.abs(png - depth_HW) <= depth_HW**2 / 10100 * 1.2 + 1e-3).all()  # of a / q, one step is depth^2 / a


def test_inverse_depth_unknown_stays_unknown():
    header, steps = inverse(np.array([[0.0, np.nan, 20.0, 1.0]]))
    depth_HW = depth_from_msg(compressed(header + encoded(".png", steps), "32FC1; compressedDepth"))
    assert depth_HW[0, :3].tolist() == [0, 0, 0]
    assert depth_HW[0, 3] == pytest.approx(1.0, abs=1e-3)


GREY8 = (RAW >> 8).astype(np.uint8)


@pytest.mark.parametrize(
    "wrong",
    [
        *[image_message(GREY8, name) for name in ("mono8", "8UC1", "bayer_rggb8", "", "depth", "16uc1")],
        image_message(np.dstack([GREY8] * 3), "bgr8"),
        image_message(RAW.astype(np.int16), "16SC1"),
        image_message(RAW.astype(np.float64), "64FC1"),
        image_message(np.dstack([RAW] * 3), "16UC3"),
        compressed(HEADER + encoded(".png", RAW), "64FC1; compressedDepth"),
        compressed(HEADER, "rgb8; compressedDepth"),
        compressed(HEADER + encoded(".png", GREY8), "mono8; compressedDepth"),
        compressed(encoded(".jpg", np.dstack([GREY8] * 3)), "rgb8; jpeg compressed bgr8"),
        compressed(b"\0\0\0\1\x67", "h264"),
    ],
)
def test_what_is_no_depth_is_refused_by_name(wrong):
    assert re.search(
        r"^depth with (encoding|format) '.*' .* it is not a depth image; record 16UC1", refusal(depth_from_msg, wrong)
    )


@pytest.mark.parametrize(
    "wrong",
    [
        compressed(encoded(".jpg", GREY8), "16UC1; jpeg compressed "),
        compressed(encoded(".jpg", GREY8), "jpeg"),
        compressed(b"", "16UC1; jpeg compressed mono8"),
        compressed(encoded(".png", GREY8), "16UC1; png compressed "),
        compressed(encoded(".png", np.dstack([RAW] * 3)), "png"),
        compressed(HEADER + encoded(".png", GREY8), "16UC1; compressedDepth png"),
    ],
)
def test_depth_that_has_lost_its_values_is_refused(wrong):
    assert "the depth values are lost; record 16UC1" in refusal(depth_from_msg, wrong)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"height": 7}, r"12 bytes instead of 6 \* 7 = 42, so it is truncated"),
        ({"step": 5}, "step 5 is less than the 6 bytes of a row"),
        ({"width": 0}, "0x2"),
        ({"height": 0}, "3x0"),
        ({"width": 2**32 - 1, "height": 2**32 - 1}, "is less than"),
        ({"encoding": "a\nb"}, "encoding 'a b'"),
    ],
)
def test_what_is_wrong_with_an_image_is_said(change, said):
    wrong = image_message(RAW, "16UC1")
    for name, value in change.items():
        setattr(wrong, name, value)
    assert re.search(said, refusal(depth_from_msg, wrong))


@given(raws)
def test_a_depth_png_round_trips(raw_HW):
    assert (decode_depth_png(encoded(".png", raw_HW)) == raw_HW).all()


def test_units_of_files():
    raw_HW = np.array([[0, 5000, 65535]], np.uint16)
    assert metres_of_16_bits(raw_HW, 5000).tolist() == [[0, 1, 0]]
