import zipfile

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="module")
def script(load_script):
    return load_script("pack_textures")


def picture(seed, height=200, width=200):
    coarse = np.random.default_rng(seed).integers(40, 220, (9, 9, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def tga_header(kind, width, height, bits, flags):
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return bytes([0, 0, kind, *[0] * 9]) + size + bytes([bits, flags])


def test_plain_and_run_length_tga_are_read(script):
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    plain = tga_header(2, 3, 2, 24, 0x20) + image.tobytes()
    assert (script.read_tga(plain) == image).all()
    upside_down = tga_header(2, 3, 2, 24, 0) + image.tobytes()
    assert (script.read_tga(upside_down) == image[::-1]).all()
    runs = tga_header(10, 3, 2, 24, 0x20) + bytes([0x82, 1, 2, 3, 0x02, 4, 5, 6, 7, 8, 9, 1, 1, 1])
    assert script.read_tga(runs)[0].tolist() == [[1, 2, 3]] * 3
    assert script.read_tga(runs)[1].tolist() == [[4, 5, 6], [7, 8, 9], [1, 1, 1]]
    assert script.read_tga(plain[:-4]) is None
    assert script.read_tga(b"no picture") is None


def test_only_surfaces_are_kept(script):
    assert script.is_surface(picture(0))
    assert not script.is_surface(np.full((200, 200, 3), 90, np.uint8))
    assert not script.is_surface(np.repeat(picture(0)[..., :1], 3, axis=2))
    normal_map = np.clip(np.array([230, 128, 128]) + np.random.default_rng(0).normal(0, 12, (64, 64, 3)), 0, 255)
    assert not script.is_surface(normal_map.astype(np.uint8))
    sheet = picture(0)
    sheet[:, :80] = 0
    assert not script.is_surface(sheet)
    half_seen = np.dstack([picture(0), np.tile(np.repeat([0, 255], 100), (200, 1)).astype(np.uint8)])
    assert not script.is_surface(half_seen)


def test_a_pack_has_each_picture_once_and_names_its_source(script, tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    for i in range(4):
        cv2.imwrite(str(folders[0] / f"wall{i}.png"), picture(i))
    cv2.imwrite(str(folders[1] / "again.png"), picture(0)[::2, ::2].repeat(2, 0).repeat(2, 1))
    cv2.imwrite(str(folders[1] / "tiny.png"), picture(9, 100, 100))
    cv2.imwrite(str(folders[1] / "wall_norm.png"), picture(10))
    cv2.imwrite(str(folders[1] / "photo.png"), picture(11, 1000, 1400))
    (folders[1] / "broken.jpg").write_bytes(b"no picture")
    made = script.pack(folders, tmp_path / "out", 100)
    lines = [line.split("\t") for line in (tmp_path / "out" / "SOURCES.txt").read_text().splitlines()]
    assert len(lines) == made == len(list((tmp_path / "out").glob("*.jpg")))
    first = [name for _, folder, name in lines if folder == "one"]
    assert sum(name == "again.png" for _, _, name in lines) + sum(name == "wall0.png" for name in first) == 1
    assert {name for _, folder, name in lines if folder == "two"} <= {"again.png", "photo.png"}
    assert sum(name == "photo.png" for _, _, name in lines) > 1
    assert cv2.imread(str(tmp_path / "out" / lines[0][0])).shape == (256, 256, 3)


def test_no_more_than_asked_for_are_packed(script, tmp_path):
    (tmp_path / "in").mkdir()
    for i in range(5):
        cv2.imwrite(str(tmp_path / "in" / f"{i}.png"), picture(i))
    assert script.pack([tmp_path / "in"], tmp_path / "out", 3) == 3


def test_listed_images_are_read_from_folders_and_archives_and_written_whole(script, tmp_path):
    cv2.imwrite(str(tmp_path / "wall.png"), picture(0, 300, 600))
    with zipfile.ZipFile(tmp_path / "models.zip", "w") as archive:
        archive.write(tmp_path / "wall.png", "sofa/cloth.png")
    table = tmp_path / "SOURCES.tsv"
    table.write_text("file\tside_px\tpath\na.jpg\t256\twall.png\nb.jpg\t900\tmodels.zip/sofa/cloth.png\n")
    assert script.pack_listed(tmp_path, table, tmp_path / "out") == 2
    assert cv2.imread(str(tmp_path / "out" / "a.jpg")).shape == (128, 256, 3)
    assert cv2.imread(str(tmp_path / "out" / "b.jpg")).shape == (300, 600, 3)
