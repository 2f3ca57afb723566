"""Reading and writing of camera_info.yaml, the file format of ROS camera calibration."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ruamel.yaml import YAML

from dsm_ros.datasets.text_file import quoted, read_text
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.messages.camera import camera_from_msg

FILE_NAME = "camera_info.yaml"
REQUIRED = ("image_width", "image_height", "camera_matrix")
MAX_VALUE = 1e9
MAX_SKEW = 1e-3  # maximum skew relative to the focal length, because the camera model has no skew


def find_camera_info(folder: Path) -> Path | None:
    """Return the camera_info.yaml in a folder, otherwise the camera_info.yaml beside the folder, otherwise None."""
    places = (folder, folder.absolute().parent)
    return next((place / FILE_NAME for place in places if (place / FILE_NAME).is_file()), None)


def read_camera_info_file(path: Path) -> Camera:
    """Return the camera in a calibration file, or in the saved output of ``ros2 topic echo`` for a CameraInfo.

    Raises SequenceError when the file contains no camera, or an impossible or implausible camera.
    """
    try:
        return camera_from_msg(_message(_document(read_text(path))))
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise SequenceError(f"{path} is not a valid camera calibration ({reason})") from error


def write_camera_info(folder: Path, camera: Camera) -> None:
    """Write a camera to camera_info.yaml in a folder."""
    info = {
        "image_width": camera.width_px,
        "image_height": camera.height_px,
        "camera_name": "camera",
        "camera_matrix": {"rows": 3, "cols": 3, "data": camera.matrix_33.ravel().tolist()},
        "distortion_model": camera.distortion_model,
        "distortion_coefficients": {"rows": 1, "cols": len(camera.distortion), "data": list(camera.distortion)},
    }
    YAML(typ="safe").dump(info, folder / FILE_NAME)


def _document(text: str) -> dict[Any, Any]:
    try:
        document = next(iter(YAML(typ="safe").load_all(text)), None)
    except Exception as error:  # the parser raises many kinds of exceptions for damaged text
        raise ValueError(f"it is not valid YAML: {quoted(' '.join(str(error).split()))}") from error
    if not isinstance(document, dict):
        raise ValueError("it has no keys; create the file with camera_calibration")
    return document


def _message(info: dict[Any, Any]) -> SimpleNamespace:
    """Return the CameraInfo in a calibration file or in the output of ``ros2 topic echo``."""
    if "k" in info:
        roi, binning = _part(info, "roi"), [_whole(info, name, 0) for name in ("binning_x", "binning_y")]
        size, k, d = (_whole(info, "width"), _whole(info, "height")), _numbers(info, "k"), _numbers(info, "d", ())
        offsets = [_whole(roi, name, 0) for name in ("x_offset", "y_offset", "width", "height")]
    else:
        if missing := [name for name in REQUIRED if name not in info]:
            raise ValueError(f"it has no {', '.join(missing)}")
        size, binning, offsets = (_whole(info, "image_width"), _whole(info, "image_height")), [0, 0], [0, 0, 0, 0]
        k = _numbers(_part(info, "camera_matrix"), "data")
        d = _numbers(_part(info, "distortion_coefficients"), "data", ())
    _check_matrix(k)
    region = SimpleNamespace(x_offset=offsets[0], y_offset=offsets[1], width=offsets[2], height=offsets[3])
    model = str(info.get("distortion_model") or ("plumb_bob" if any(d) else "none"))
    return SimpleNamespace(
        width=size[0], height=size[1], k=k, d=d, distortion_model=model,
        roi=region, binning_x=binning[0], binning_y=binning[1],
    )  # fmt: skip


def _part(info: dict[Any, Any], name: str) -> dict[Any, Any]:
    part = info.get(name) or {}
    if not isinstance(part, dict):
        raise ValueError(f"its {name} has no keys")
    return part


def _whole(info: dict[Any, Any], name: str, default: int | None = None) -> int:
    value = info.get(name, default)
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError(f"its {name} is not a whole number of pixels")
    return value


def _numbers(info: dict[Any, Any], name: str, default: tuple[float, ...] | None = None) -> tuple[float, ...]:
    values = info.get(name, default)
    if values is None and default is not None:
        return default
    if not isinstance(values, list | tuple) or any(type(value) not in (int, float) for value in values):
        raise ValueError(f"its {name} is not a list of numbers")
    if not all(abs(value) <= MAX_VALUE for value in values):
        raise ValueError(f"its {name} contains NaN or a number beyond {MAX_VALUE:g}")
    return tuple(float(value) for value in values)


def _check_matrix(k: tuple[float, ...]) -> None:
    if len(k) != 9:
        raise ValueError(f"its camera matrix has {len(k)} values instead of 9")
    if abs(k[1]) > MAX_SKEW * abs(k[0]) or k[3] or k[6:] != (0, 0, 1):
        raise ValueError("its camera matrix is not [fx, 0, cx, 0, fy, cy, 0, 0, 1] in row order")
