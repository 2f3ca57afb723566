"""Pack images of unpacked Debian packages into one folder of JPEGs that procedural rooms are painted with.

python scripts/pack_textures.py SOURCE_FOLDER... --out FOLDER [--count 1500]
    Write squares of any images for training. Each source folder is one collection (a package). All collections
    contribute equally until one is used up.
python scripts/pack_textures.py SOURCE_FOLDER --listed dsm_ros/datasets/rooms/textures/SOURCES.tsv --out FOLDER
    Write the images that a table lists, which are the textures of rooms:SEED/furnished=1.
"""

from __future__ import annotations

import argparse
import csv
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX, QUALITY = 256, 88
LISTED_QUALITY = 82
MIN_SIDE_PX = 128
PHOTO_SIDE_PX, PHOTO_CROPS = 1000, 5
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tga"}
# No surfaces of a world: maps for shading by the ends of their names; skies, people and interfaces by their folders.
SKIPPED = re.compile(
    r"[_-](n|nm|nrm|nor|norm|bump|local|gloss|spec|s|sm|gm|glow|luma|h|height|disp|reflect|ao|mask|m|alpha|blend|data"
    r"|cm|tcmask|shirt|pants|lm|e|bk|ft|lf|rt|up|dn)\d*\.\w+$|normal|specular|lightmap|mannequin|reallusion|banknote|euro|screenshot"
    r"|(?<![a-z])(gui|skins?|hud|icons?|fonts?|crosshairs?|particles?|menus?|skybox(es)?|env|sky|gfx|levelshots|maps"
    r"|mapshots|thumbs?|emoji|cursors?|editor|sprites?|logos?|loading|flags?|fx|decals?|projectiles?|weapons?|players?"
    r"|karts|minimaps?|vanities|caustics|water|liquids?|lava|slime|proc|effects)(?![a-z])",
    re.IGNORECASE,
)

Image = NDArray[np.uint8]


def read_image(path: Path) -> Image | None:
    """Return an image as BGR or BGRA (H, W, 3 or 4), or None for any other file."""
    if path.suffix.lower() == ".tga":
        return read_tga(path.read_bytes())
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint8:
        return None
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image  # type: ignore[return-value]


def read_tga(data: bytes) -> Image | None:
    """Return the picture of a true-colour TGA file, plain or run-length coded, which OpenCV does not read."""
    if len(data) < 18 or data[2] not in (2, 10) or data[16] not in (24, 32):
        return None
    width, height, channels = (
        int.from_bytes(data[12:14], "little"),
        int.from_bytes(data[14:16], "little"),
        data[16] // 8,
    )
    size = width * height * channels
    body = data[18 + data[0] :]
    pixels = body[:size] if data[2] == 2 else _unpack_runs(body, size, channels)
    if len(pixels) != size:
        return None
    image = np.frombuffer(pixels, np.uint8).reshape(height, width, channels)
    return image if data[17] & 0x20 else image[::-1]


def _unpack_runs(body: bytes, size: int, channels: int) -> bytes:
    pixels, at = bytearray(), 0
    while len(pixels) < size and at < len(body):
        count, repeated = (body[at] & 0x7F) + 1, body[at] & 0x80
        stored = channels if repeated else channels * count
        pixels += body[at + 1 : at + 1 + stored] * (count if repeated else 1)
        at += 1 + stored
    return bytes(pixels)


def squares(image: Image, rng: np.random.Generator) -> Iterator[Image]:
    """Yield SIDE_PX squares (BGR) of an image: the middle square, or several squares of a large photo."""
    height, width = image.shape[:2]
    short = min(height, width)
    if short < PHOTO_SIDE_PX or height == width:
        yield _crop(image, (height - short) // 2, (width - short) // 2, short)
        return
    for _ in range(PHOTO_CROPS):
        side = int(short * rng.uniform(0.35, 1.0))
        yield _crop(image, int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1)), side)


def _crop(image: Image, top: int, left: int, side: int) -> Image:
    crop = image[top : top + side, left : left + side]
    return cv2.resize(crop, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def is_surface(image: Image) -> bool:
    """Return whether a square (BGR or BGRA) shows a surface; normal maps, sprites, sheets and empty squares do not."""
    if image.shape[2] == 4 and (image[..., 3] < 128).mean() > 0.05:
        return False
    colors = image[..., :3].reshape(-1, 3).astype(int)
    blue, green, red = colors.mean(0)
    saturation = float(np.ptp(colors, axis=1).mean())
    is_normal_map = blue > 160 and abs(green - 127) < 30 and abs(red - 127) < 30 and blue - max(green, red) > 40
    is_grey_map = saturation < 1.5
    if is_normal_map or is_grey_map or saturation > 150:
        return False
    share_of_one_color = np.bincount(colors @ (1, 256, 65536)).max() / len(colors)
    grey = colors.mean(1)
    return bool(grey.std() > 6 and 40 < grey.mean() < 235 and share_of_one_color < 0.1)


class Seen:
    """Thumbnails of previous squares, to recognise nearly equal squares."""

    def __init__(self) -> None:
        self._thumbnails: list[NDArray[np.float64]] = []

    def is_new(self, image: Image) -> bool:
        """Return whether no similar square was tested before; remember the square."""
        small = cv2.resize(image[..., :3], (12, 12), interpolation=cv2.INTER_AREA).mean(2).ravel()
        thumbnail = (small - small.mean()) / (np.linalg.norm(small - small.mean()) + 1e-9)
        new = not self._thumbnails or float((np.stack(self._thumbnails) @ thumbnail).max()) < 0.92
        self._thumbnails.append(thumbnail)
        return new


def textures_of(folder: Path, seen: Seen, rng: np.random.Generator) -> Iterator[tuple[Path, Image]]:
    """Yield the usable squares of a folder's images in random order, with the file of each square."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    for i in rng.permutation(len(paths)):
        if SKIPPED.search(str(paths[i].relative_to(folder))):
            continue
        image = read_image(paths[i])
        if image is None or min(image.shape[:2]) < MIN_SIDE_PX or max(image.shape[:2]) > 3 * min(image.shape[:2]):
            continue
        yield from ((paths[i], square) for square in squares(image, rng) if is_surface(square) and seen.is_new(square))


def pack(folders: list[Path], out: Path, count: int) -> int:
    """Write up to ``count`` JPEGs and SOURCES.txt (file, collection, file in it); return the number of JPEGs."""
    rng, seen = np.random.default_rng(0), Seen()
    waiting = [(folder, textures_of(folder, seen, rng)) for folder in folders]
    out.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    while waiting and len(lines) < count:
        folder, textures = waiting.pop(0)
        found = next(textures, None)
        if found is None:
            continue
        waiting.append((folder, textures))
        name = f"{len(lines):05d}.jpg"
        cv2.imwrite(str(out / name), found[1][..., :3], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        lines.append(f"{name}\t{folder.name}\t{found[0].relative_to(folder)}\n")
    (out / "SOURCES.txt").write_text("".join(lines[:count]))
    return len(lines)


def pack_listed(folder: Path, table: Path, out: Path) -> int:
    """Write the images of a table (columns file, side_px, path in the folder) uncropped and return their number."""
    out.mkdir(parents=True, exist_ok=True)
    with table.open(newline="") as text:
        rows = list(csv.DictReader(text, delimiter="\t"))
    for row in rows:
        image = cv2.imdecode(np.frombuffer(read_member(folder, row["path"]), np.uint8), 1)
        scale = min(1.0, int(row["side_px"]) / max(image.shape[:2]))
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(out / row["file"]), small, [cv2.IMWRITE_JPEG_QUALITY, LISTED_QUALITY])
    return len(rows)


def read_member(folder: Path, path: str) -> bytes:
    """Return a file's content; a component of its path may be a zip archive."""
    parts = Path(path).parts
    for i in range(1, len(parts) + 1):
        file = folder.joinpath(*parts[:i])
        if file.is_file() and zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                return archive.read("/".join(parts[i:]))
    return (folder / path).read_bytes()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--listed", type=Path, help="table of the images to write, instead of all images")
    arguments = parser.parse_args()
    if arguments.listed:
        written = pack_listed(arguments.folders[0], arguments.listed, arguments.out)
    else:
        written = pack(arguments.folders, arguments.out, arguments.count)
    print(f"{written} textures in {arguments.out}")
