"""Localize image files in a map and print the position of the camera for each.

Usage: python examples/localize_images.py office.map FX FY CX CY IMAGE...
FX, FY, CX and CY are the focal lengths and the principal point of the camera in pixels.
"""

import sys
from pathlib import Path

from dsm_ros.process import prepare_process

prepare_process()  # before the imports of numpy and torch

from dsm_ros.datasets.image_io import read_rgb
from dsm_ros.geometry.camera import Camera
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Localized
from dsm_ros.localization.view import single_view
from dsm_ros.network.checkpoint import load_network
from dsm_ros.scene_map.scene_map import SceneMap


def main() -> None:
    """Localize each image independently of the other images."""
    map_path, fx, fy, cx, cy, *image_paths = sys.argv[1:]
    network = load_network()
    scene_map = SceneMap.open(map_path, network.model_hash)
    localizer = Localizer(scene_map, network, LocalizerConfig(temporal=False))
    for path in image_paths:
        image_HW3 = read_rgb(Path(path))
        height_px, width_px = image_HW3.shape[:2]
        camera = Camera(width_px, height_px, float(fx), float(fy), float(cx), float(cy))
        result = localizer.localize(single_view(image_HW3, camera), stamp_ns=0)
        localizer.reset()  # the images are not a video, so the previous pose is no initial guess
        if isinstance(result, Localized):
            x, y, z = result.map_T_camera[:3, 3]
            print(f"{path}: {x:.3f} {y:.3f} {z:.3f} m, confidence {result.support.confidence:.2f}")
        else:
            print(f"{path}: not localized, {result.detail}")


if __name__ == "__main__":
    main()
