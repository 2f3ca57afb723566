"""camera_info.yaml, the format of ROS camera calibration, in the folder of a sequence."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera

FILE_NAME = "camera_info.yaml"


def read_camera_info(folder: Path) -> Camera | None:
    """Return the camera of a folder's camera_info.yaml, None when there is none; SequenceError when malformed."""
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        info = YAML(typ="safe").load(path)
        k = [float(value) for value in info["camera_matrix"]["data"]]
        distortion = tuple(float(value) for value in info.get("distortion_coefficients", {}).get("data", ()))
        model = info.get("distortion_model", "none")
        return Camera(int(info["image_width"]), int(info["image_height"]), k[0], k[4], k[2], k[5], model, distortion)
    except (YAMLError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise SequenceError(f"{path} is no camera calibration ({str(error).splitlines()[0]})") from error


def write_camera_info(folder: Path, camera: Camera) -> None:
    """Write a camera as camera_info.yaml."""
    info = {
        "image_width": camera.width_px,
        "image_height": camera.height_px,
        "camera_name": "camera",
        "camera_matrix": {"rows": 3, "cols": 3, "data": camera.matrix_33.ravel().tolist()},
        "distortion_model": camera.distortion_model,
        "distortion_coefficients": {"rows": 1, "cols": len(camera.distortion), "data": list(camera.distortion)},
    }
    YAML(typ="safe").dump(info, folder / FILE_NAME)
