import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.camera_info import write_camera_info
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.datasets.seven_scenes.pose_file import read_pose
from dsm_ros.datasets.seven_scenes.writer import write_sequence
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import invert, transform


def warped_depth_error_m(one, other):
    v, u = np.nonzero(one.depth_HW)
    points = one.camera.unproject(np.stack([u, v], 1)) * one.depth_HW[v, u, None]
    seen = transform(invert(other.map_T_camera) @ one.map_T_camera, points)
    u, v = np.rint(np.nan_to_num(other.camera.project(seen), nan=-1)).astype(int).T
    inside = (u >= 0) & (u < 640) & (v >= 0) & (v < 480)
    there = other.depth_HW[v[inside], u[inside]]
    return float(np.median(np.abs(there - seen[inside, 2])[there > 0]))


def test_kitchen_frames_agree_with_each_other(kitchen):
    assert len(kitchen) == 500
    frame = kitchen[100]
    assert frame.image_HW3.shape == (480, 640, 3)
    assert frame.camera.fx == 525
    rotation = frame.map_T_camera[:3, :3]
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-12)
    assert warped_depth_error_m(frame, kitchen[105]) < 0.010


def test_depth_is_registered_to_the_colour_camera(kitchen, shared_data):
    raw = cv2.imread(str(shared_data / "kitchen/seq-01/frame-000100.depth.png"), cv2.IMREAD_UNCHANGED) / 1000
    v, u = 200, 300
    x = (u - 320) / 585 * raw[v, u] - 0.025
    y = (v - 240) / 585 * raw[v, u]
    column, row = round(x / raw[v, u] * 525 + 323), round(y / raw[v, u] * 525 + 237)
    assert kitchen[100].depth_HW[row, column] == pytest.approx(raw[v, u], abs=0.02)


def test_written_rooms_read_back(tmp_path):
    room = open_rooms("rooms:3/frames=3,size=64x48")
    write_sequence(room, tmp_path / "room", lambda done, total: None)
    again = open_sequence(str(tmp_path / "room"))
    assert len(again) == 3
    for written, read in zip(room, again, strict=True):
        assert (written.image_HW3 == read.image_HW3).all()
        assert read.depth_HW == pytest.approx(written.depth_HW, abs=6e-4)
        assert read.map_T_camera == pytest.approx(written.map_T_camera, abs=1e-6)
        assert read.camera == written.camera


@pytest.fixture
def folder(tmp_path):
    """Three frames of a small room with a camera_info.yaml."""
    write_sequence(open_rooms("rooms:3/frames=3,size=64x48"), tmp_path / "room", lambda done, total: None)
    return tmp_path / "room"


def scale_images(folder, pattern, size):
    for path in folder.glob(pattern):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), cv2.resize(image, size, interpolation=cv2.INTER_NEAREST_EXACT))


def test_damaged_images_and_poses_are_named_and_damaged_depth_is_lacking(folder):
    depth = folder / "frame-000000.depth.png"
    depth.write_bytes(depth.read_bytes()[:100])
    frame = open_sequence(str(folder))[0]
    assert frame.depth_HW is None
    assert frame.missing == ("no depth: its depth image is damaged",)
    image = folder / "frame-000001.color.png"
    image.write_bytes(image.read_bytes()[:100])
    with pytest.raises(SequenceError, match=r"frame-000001\.color\.png"):
        open_sequence(str(folder)).query(1)


@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "-1.#INF", "-1.#IND", "1.#QNAN", "nan(ind)", "0"])
def test_lost_poses_are_lacks(folder, word):
    (folder / "frame-000000.pose.txt").write_text(f"{word} {word}\t{word} {word}\r\n" * 4)
    (folder / "frame-000001.pose.txt").write_text("")
    (folder / "frame-000002.pose.txt").unlink()
    sequence = open_sequence(str(folder))
    assert [sequence[i].map_T_camera for i in range(3)] == [None, None, None]
    missing = [sequence.header(i).missing for i in range(3)]
    assert missing[0] == missing[1] == ("no pose: tracking was lost (NaN, infinity, zeros or an empty file)",)
    assert missing[2] == ("no pose: its pose file is missing",)


@pytest.mark.parametrize(
    "text",
    ["1 2 3", "1 0 0 0 0 1 0 0 0 0 1 0", "a b c d " * 4, "1 0 0 0 0 1 0 0 0 0 -1 0 0 0 0 1",
     "2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1",
     "1 0 0 0 0 1 0 0 0 0 1 0 0 0 1 1", "1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1"],
)  # fmt: skip
def test_what_is_no_pose_is_named(folder, text):
    (folder / "frame-000001.pose.txt").write_text(text)
    sequence = open_sequence(str(folder))
    with pytest.raises(SequenceError, match=r"^[^\n]*frame-000001\.pose\.txt[^\n]*$"):
        sequence.header(1)
    assert sequence.query(1).image_HW3.shape == (48, 64, 3)


@given(st.binary(max_size=60) | st.text("0123456789.e-+naif# \n", max_size=120).map(str.encode))
def test_any_bytes_are_a_pose_or_one_line(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "pose.txt"
    path.write_bytes(data)
    pose, message = None, ""
    try:
        pose = read_pose(path)
    except SequenceError as error:
        message = str(error)
    assert pose is None or np.linalg.det(pose[:3, :3]) == pytest.approx(1)
    assert len(message.splitlines()) <= 1


@pytest.mark.parametrize(("colour", "depth"), [("jpg", "png"), ("JPEG", "PNG"), ("jpeg", "Png"), ("PNG", "png")])
def test_endings_of_any_case(folder, colour, depth):
    for path in folder.glob("frame-*.color.png"):
        image = cv2.imread(str(path))
        path.unlink()
        path.with_suffix(f".{colour}").write_bytes(cv2.imencode(f".{colour.lower()}", image)[1].tobytes())
    for path in folder.glob("frame-*.depth.png"):
        path.rename(path.with_suffix(f".{depth}"))
    sequence = open_sequence(str(folder))
    assert len(sequence) == 3
    assert sequence[2].missing == ()


def test_numbers_may_have_gaps(folder):
    for path in folder.glob("frame-000001.*"):
        path.unlink()
    assert [open_sequence(str(folder)).header(i).name for i in range(2)] == ["frame-000000", "frame-000002"]


def test_images_of_another_size_scale_their_camera(folder):
    scale_images(folder, "frame-000001.color.png", (128, 96))
    sequence = open_sequence(str(folder))
    assert [sequence.query(i).camera.fx for i in range(3)] == pytest.approx([52.5, 105, 52.5])
    assert sequence[1].depth_HW.shape == (96, 128)
    assert sequence[1].depth_HW[::2, ::2] == pytest.approx(open_sequence(str(folder))[1].depth_HW[1::2, 1::2])


def test_images_and_depth_of_another_shape_are_refused_with_both_sizes(folder):
    scale_images(folder, "frame-000001.color.png", (85, 48))
    scale_images(folder, "frame-000002.depth.png", (85, 48))
    sequence = open_sequence(str(folder))
    with pytest.raises(SequenceError, match=r"85x48.*64x48"):
        sequence.query(1)
    assert sequence[2].missing == ("no depth: its depth image has 85x48 pixels, another aspect ratio than 64x48",)


def test_twelve_scenes_needs_its_own_camera(folder):
    (folder / "camera_info.yaml").unlink()
    scale_images(folder, "*.color.png", (1296, 968))
    scale_images(folder, "*.depth.png", (640, 480))
    with pytest.raises(SequenceError, match=r"1296x968.*640x480.*camera_info\.yaml"):
        open_sequence(str(folder))[0]
    write_camera_info(folder, Camera(1296, 968, 1158.3, 1153.5, 649.0, 483.5))
    frame = open_sequence(str(folder))[0]
    assert frame.depth_HW.shape == (968, 1296)
    assert frame.camera.fx == 1158.3


def test_images_of_another_size_than_7_scenes_need_a_camera_info(folder):
    (folder / "camera_info.yaml").unlink()
    with pytest.raises(SequenceError, match=r"64x48.*640x480.*camera_info\.yaml"):
        open_sequence(str(folder)).query(0)


def test_other_data_sets_with_these_names_need_a_camera_info(folder):
    (folder / "camera_info.yaml").unlink()
    (folder.parent / "camera-intrinsics.txt").write_text("585 0 320\n")
    with pytest.raises(SequenceError, match=r"camera-intrinsics\.txt"):
        open_sequence(str(folder))


def test_camera_info_yaml_must_be_one(folder):
    (folder / "camera_info.yaml").write_text("image_width: many")
    with pytest.raises(SequenceError, match=r"camera_info\.yaml"):
        open_sequence(str(folder))
