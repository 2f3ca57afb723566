"""Bags of every format are read message by message, or refused in one line with advice."""

import shutil
from pathlib import Path

import pytest
from robot_bag import OPTICAL, START_NS, STORE, Robot, S, T, compressed, write
from rosbags.convert.converter import convert
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.datasets.rosbag.bag import Bag, is_bag
from dsm_ros.errors import SequenceError

ROBOT = Robot(images=3)


def notes(count, bag_period_ns=S):
    """Messages with a header and with their own number in the field format."""
    stamps = [START_NS + i * S for i in range(count)]
    return [
        (START_NS + i * bag_period_ns, "/note", compressed(ns, "", f"{i}", bytes([i]))) for i, ns in enumerate(stamps)
    ]


def read_all(path):
    bag = Bag(path)
    topic = bag.topics["/note"]
    return [bag.message(topic, entry).format for entry in bag.entries(topic)]


@pytest.mark.parametrize("plugin", list(StoragePlugin))
@pytest.mark.parametrize("bag_period_ns", [S, 0])
def test_each_message_is_read_by_its_own_identity(tmp_path, plugin, bag_period_ns):
    path = write(tmp_path / "bag", notes(4, bag_period_ns), plugin)
    assert read_all(path) == ["0", "1", "2", "3"]
    assert [entry.stamp_ns for entry in Bag(path).entries(Bag(path).topics["/note"])] == [
        START_NS + i * S for i in range(4)
    ]


@pytest.mark.parametrize("plugin", list(StoragePlugin))
def test_a_folder_without_metadata_is_read(tmp_path, plugin):
    path = write(tmp_path / "bag", notes(3), plugin)
    (path / "metadata.yaml").unlink()
    assert is_bag(path)
    assert read_all(path) == ["0", "1", "2"]
    assert read_all(next(path.iterdir())) == ["0", "1", "2"]


def test_the_files_of_a_split_recording_are_read_in_order(tmp_path):
    folder = tmp_path / "bag"
    folder.mkdir()
    for i, message in enumerate(notes(11)):
        part = write(tmp_path / f"part{i}", [message])
        shutil.move(next(part.glob("*.mcap")), folder / f"bag_{i}.mcap")
    assert read_all(folder) == [str(i) for i in range(11)]


def test_a_folder_of_several_recordings_is_refused(tmp_path):
    for name in ("monday", "tuesday"):
        path = write(tmp_path / name, notes(1))
        shutil.move(next(path.glob("*.mcap")), tmp_path / f"{name}.mcap")
        shutil.rmtree(path)
    with pytest.raises(SequenceError, match=r"several recordings; give one of its files: monday\.mcap, tuesday\.mcap"):
        Bag(tmp_path)


@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE])
def test_zstd_bags_are_read(tmp_path, mode):
    writer = Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.SQLITE3)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer as bag:
        kind = "sensor_msgs/msg/CompressedImage"
        connection = bag.add_connection("/note", kind, typestore=STORE)
        for ns, _, message in notes(3):
            bag.write(connection, ns, STORE.serialize_cdr(message, kind))
    assert read_all(tmp_path / "bag") == ["0", "1", "2"]


def test_a_compressed_file_without_its_folder_says_what_to_do(tmp_path):
    (tmp_path / "bag_0.mcap.zstd").write_bytes(b"packed")
    with pytest.raises(SequenceError, match="ros2 bag reindex"):
        Bag(tmp_path)
    with pytest.raises(SequenceError, match="zstd -d"):
        Bag(tmp_path / "bag_0.mcap.zstd")


def test_ros_1_bags_are_read(tmp_path):
    source = write(tmp_path / "bag", ROBOT.everything())
    store = get_typestore(Stores.ROS1_NOETIC)
    target = tmp_path / "ros1.bag"
    convert([source], target, "", 0, None, "", STORE, store, (), (), (), ())
    old, new = open_sequence(str(target)), open_sequence(str(source))
    assert len(old) == len(new) == 3
    for a, b in zip(read_every_frame(target), read_every_frame(source), strict=True):
        assert (a.image_HW3 == b.image_HW3).all()
        assert (a.depth_HW == b.depth_HW).all()
        assert a.map_T_camera == pytest.approx(b.map_T_camera, abs=1e-9)


def read_every_frame(path):
    sequence = open_sequence(str(path))
    return [sequence[i] for i in range(len(sequence))]


def cut(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
@pytest.mark.parametrize(
    ("plugin", "repair"), [(StoragePlugin.MCAP, "mcap recover"), (StoragePlugin.SQLITE3, "reindex")]
)
def test_cut_files_say_how_to_recover_them(tmp_path, plugin, repair, share):
    path = write(tmp_path / "bag", ROBOT.everything(), plugin)
    cut(next(file for file in path.iterdir() if file.name != "metadata.yaml"), share)
    with pytest.raises(SequenceError, match=repair) as error:
        read_every_frame(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "rosbag2_bagfile_information:", "nonsense", "{", "\x00"])
def test_damaged_metadata_is_named(tmp_path, text):
    path = write(tmp_path / "bag", notes(1))
    (path / "metadata.yaml").write_text(text)
    with pytest.raises(SequenceError, match="reindex") as error:
        Bag(path)
    assert "\n" not in str(error.value)


def test_topics_without_messages_are_not_there(tmp_path):
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as bag:
        bag.add_connection("/empty", "sensor_msgs/msg/Image", typestore=STORE)
        connection = bag.add_connection("/full", "std_msgs/msg/Header", typestore=STORE)
        message = T["std_msgs/msg/Header"](T["builtin_interfaces/msg/Time"](1, 2), OPTICAL)
        bag.write(connection, 5, STORE.serialize_cdr(message, message.__msgtype__))
    assert list(Bag(tmp_path / "bag").topics) == ["/full"]


def test_files_named_as_one_recording_but_of_other_times_are_refused(tmp_path):
    folder = tmp_path / "bag"
    folder.mkdir()
    for i, start in enumerate((0, 500)):
        part = write(tmp_path / f"part{i}", [(ns + start * S, topic, m) for ns, topic, m in notes(2)])
        shutil.move(next(part.glob("*.mcap")), folder / f"rec_{i}.mcap")
    with pytest.raises(SequenceError, match="contains several recordings"):
        Bag(folder)


def test_folders_and_files_of_odd_names(tmp_path):
    path = write(tmp_path / "office.bag", notes(2))
    assert read_all(path) == ["0", "1"]
    shutil.copy(next(path.glob("*.mcap")), tmp_path / "UPPER.MCAP")
    assert is_bag(tmp_path / "UPPER.MCAP")
    with pytest.raises(SequenceError, match=r"rename the file to end in \.mcap"):
        Bag(tmp_path / "UPPER.MCAP")


def test_a_damaged_message_is_left_out_and_counted(tmp_path):
    with Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP) as bag:
        kind = "tf2_msgs/msg/TFMessage"
        connection = bag.add_connection("/tf", kind, typestore=STORE)
        whole = STORE.serialize_cdr(ROBOT.static_tf()[0][2], kind)
        for ns, raw in ((1, whole), (2, bytes(whole)[:20]), (3, whole)):
            bag.write(connection, ns, raw)
    bag = Bag(tmp_path / "bag")
    assert len(list(bag.messages(bag.topics["/tf"]))) == 2
    assert bag.damaged == {"/tf": 1}
