import struct

import cv2
import numpy as np
import pytest

from dsm_ros.datasets.image_io import read_depth, read_rgb
from dsm_ros.errors import SequenceError

RED_GREEN = np.zeros((8, 12, 3), np.uint8)
RED_GREEN[:, :6, 0] = 255
RED_GREEN[:, 6:, 1] = 255


def turned_jpeg(orientation):
    """Return a JPEG whose EXIF orientation is not upright."""
    data = cv2.imencode(".jpg", RED_GREEN[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_pixels_are_as_the_sensor_saw_them(tmp_path, orientation):
    path = tmp_path / "turned.jpg"
    path.write_bytes(turned_jpeg(orientation))
    image_HW3 = read_rgb(path)
    assert image_HW3.shape == RED_GREEN.shape
    assert np.abs(image_HW3.astype(int) - RED_GREEN)[:, [0, 1, 10, 11]].max() < 40


@pytest.mark.parametrize(
    "pixels",
    [
        RED_GREEN[..., 0],
        np.dstack([RED_GREEN[..., ::-1], RED_GREEN[..., 0]]),
        RED_GREEN[..., ::-1].astype(np.uint16) * 257,
    ],
)
def test_grey_transparent_and_deep_files_are_rgb(tmp_path, pixels):
    path = str(tmp_path / "image.png")
    cv2.imwrite(path, pixels)
    image_HW3 = read_rgb(tmp_path / "image.png")
    assert image_HW3.dtype == np.uint8
    assert image_HW3.shape == (8, 12, 3)
    assert (image_HW3[..., 0] == RED_GREEN[..., 0]).all()


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_cut_images_are_named(tmp_path, ending):
    path = tmp_path / f"cut{ending}"
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    path.write_bytes(cv2.imencode(ending, noise)[1].tobytes()[:-200])
    with pytest.raises(SequenceError, match=rf"cut\{ending}"):
        read_rgb(path)


@pytest.mark.parametrize("data", [b"", b"no image", b"\x89PNG\r\n"])
def test_what_is_no_image_is_named_in_one_line(tmp_path, data):
    (tmp_path / "odd.png").write_bytes(data)
    with pytest.raises(SequenceError, match=r"^[^\n]*odd\.png[^\n]*$"):
        read_rgb(tmp_path / "odd.png")
    with pytest.raises(ValueError, match="damaged"):
        read_depth(tmp_path / "odd.png", 1000)


def test_missing_images(tmp_path):
    with pytest.raises(SequenceError, match=r"cannot read .*none\.png"):
        read_rgb(tmp_path / "none.png")
    with pytest.raises(ValueError, match="missing"):
        read_depth(tmp_path / "none.png", 1000)


def test_depth_is_metres_and_0_where_unknown(tmp_path):
    cv2.imwrite(str(tmp_path / "d.png"), np.array([[0, 1500, 65535]], np.uint16))
    assert read_depth(tmp_path / "d.png", 1000).tolist() == [[0, 1.5, 0]]


@pytest.mark.parametrize(
    ("pixels", "kind"),
    [
        (RED_GREEN[..., 0], "uint8 with 1 channel instead of"),
        (RED_GREEN.astype(np.uint16), "uint16 with 3 channels instead of"),
    ],
)
def test_pictures_of_depth_are_no_depth(tmp_path, pixels, kind):
    cv2.imwrite(str(tmp_path / "d.png"), pixels)
    with pytest.raises(ValueError, match=kind):
        read_depth(tmp_path / "d.png", 1000)
