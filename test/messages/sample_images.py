"""Pictures and Bayer mosaics that tests encode as messages."""

import cv2
import numpy as np

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
RGB[0, 0] = 255
SMOOTH = np.stack(np.meshgrid(np.arange(40, 200, 2), np.arange(60, 180, 2)), -1)[..., [0, 1, 1]].astype(np.uint8)
GREY = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)
FULL_GREY = np.where(GREY.max() == GREY, 255, GREY)  # uses all 8 bits
BAYER = {"rggb": ((0, 1), (1, 2)), "bggr": ((2, 1), (1, 0)), "gbrg": ((1, 2), (0, 1)), "grbg": ((1, 0), (2, 1))}


def mosaic(image, pattern):
    out = image[..., 1].copy()
    for row in (0, 1):
        for column in (0, 1):
            out[row::2, column::2] = image[row::2, column::2, BAYER[pattern][row][column]]
    return out
