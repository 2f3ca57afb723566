"""Access to a bag's topics, and to each of its messages."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from dsm_ros.errors import SequenceError
from dsm_ros.geometry.trajectory import NS_PER_S

ENDINGS = (".mcap", ".db3", ".bag")
COMPRESSED_ENDINGS = (".mcap.zstd", ".db3.zstd")
METADATA = "metadata.yaml"
MAX_SPLIT_GAP_NS = 60 * NS_PER_S  # maximum time between the files of a split recording


@dataclass(frozen=True)
class BagTopic:
    """A topic of a bag. Split bags and ROS 1 bags have several connections for one topic."""

    name: str
    msgtype: str
    connections: tuple[Connection, ...]

    @property
    def folder(self) -> str:
        """The name without its last part: a namespace, or the node's name for a private topic."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True)
class Entry:
    """Identity of one message: header stamp, time of recording, and index among the topic's messages of that time."""

    stamp_ns: int
    bag_ns: int
    index: int


def is_bag(path: Path) -> bool:
    """Return whether a path is a bag: a file with a known ending, or a folder that contains one."""
    if path.is_file():
        return path.name.lower().endswith((*ENDINGS, *COMPRESSED_ENDINGS))
    return (path / METADATA).is_file() or bool(_files_of(path))


class Bag:
    """A bag with its topics and messages. Raises SequenceError when the bag cannot be read."""

    def __init__(self, path: Path):
        self.path, self.name = path, path.stem if path.is_file() else path.name
        self.damaged: Counter[str] = Counter()  # number of messages that could not be decoded, by topic
        with self.translate_errors():
            self._reader = AnyReader(_paths(path), default_typestore=get_typestore(Stores.ROS2_JAZZY))
            self._reader.open()
            _refuse_several_recordings(path, self._reader.readers)

    @property
    def folder(self) -> Path:
        """The folder that contains the bag's files."""
        return self.path if self.path.is_dir() else self.path.parent

    @cached_property
    def topics(self) -> dict[str, BagTopic]:
        """The topics with at least one message, by name."""
        by_name: dict[tuple[str, str], list[Connection]] = {}
        for connection in self._reader.connections:
            by_name.setdefault((connection.topic, connection.msgtype), []).append(connection)
        topics = [BagTopic(*key, tuple(found)) for key, found in sorted(by_name.items(), key=lambda item: item[0])]
        return {topic.name: topic for topic in topics if next(self._raw(topic), None)}

    def of_type(self, *msgtypes: str) -> list[BagTopic]:
        """Return the topics with one of the message types, sorted by name."""
        return [topic for topic in self.topics.values() if topic.msgtype in msgtypes]

    def entries(self, topic: BagTopic) -> list[Entry]:
        """Return an entry for each message of a topic, in the order of recording."""
        entries: list[Entry] = []
        for _, bag_ns, raw in self._raw(topic):
            index = entries[-1].index + 1 if entries and entries[-1].bag_ns == bag_ns else 0
            entries.append(Entry(_stamp_ns(raw, self._reader.is2), bag_ns, index))
        return entries

    def message(self, topic: BagTopic, entry: Entry) -> Any:
        """Return the message that an entry identifies."""
        with self.translate_errors():
            raws = self._reader.messages(topic.connections, start=entry.bag_ns, stop=entry.bag_ns + 1)
            raw = next(raw for index, (_, _, raw) in enumerate(raws) if index == entry.index)
            return self._reader.deserialize(raw, topic.msgtype)

    def messages(self, topic: BagTopic) -> Iterator[tuple[int, Any]]:
        """Yield (time of recording in ns, message) for a topic; damaged messages are left out and counted."""
        self.damaged.pop(topic.name, None)
        for _, bag_ns, raw in self._raw(topic):
            try:
                message = self._reader.deserialize(raw, topic.msgtype)
            except Exception:  # rosbags and its decoders raise many kinds of exceptions
                self.damaged[topic.name] += 1
            else:
                yield bag_ns, message

    def first(self, topic: BagTopic) -> Any:
        """Return the first undamaged message of a topic. Raises SequenceError when all messages are damaged."""
        for _, message in self.messages(topic):
            return message
        raise SequenceError(f"all messages of {topic.name} in {self.path} are damaged")

    def _raw(self, topic: BagTopic) -> Iterator[tuple[Connection, int, bytes]]:
        with self.translate_errors():
            yield from self._reader.messages(topic.connections)

    @contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Translate any exception into SequenceError, because rosbags and its decoders raise many kinds."""
        try:
            yield
        except SequenceError:
            raise
        except Exception as error:
            raise SequenceError(_read_failure(self.path, error)) from error


def _read_failure(path: Path, error: Exception) -> str:
    reason = " ".join(str(error).split()) or type(error).__name__
    mcap = path.suffix == ".mcap" or next(path.glob("*.mcap"), None)
    repair = f"mcap recover {path if path.is_file() else 'FILE'}" if mcap else "rosbag reindex"
    if path.suffix != ".bag":
        repair = f"ros2 bag reindex {path if path.is_dir() else path.parent}" + (f" or {repair}" if mcap else "")
    return f"cannot read bag {path} ({reason:.200}); if the recording was interrupted, try: {repair}"


def _paths(path: Path) -> list[Path]:
    """Return the paths for rosbags to open: the bag, or all files of a folder without metadata."""
    if path.is_file() and path.name.endswith(COMPRESSED_ENDINGS):
        advice = f"give the bag's folder with its {METADATA}, or decompress the file with: zstd -d {path}"
        raise SequenceError(f"{path} is compressed; {advice}")
    if path.is_file() and path.suffix not in ENDINGS:
        raise SequenceError(f"{path} has an upper-case ending; rename the file to end in {path.suffix.lower()}")
    files = _files_of(path)
    is_mistaken = path.suffix == ".bag" and path.is_dir()  # rosbags would read such a folder as a ROS 1 file
    if path.is_file() or ((path / METADATA).is_file() and not is_mistaken):
        return [path]
    if len({_series(file) for file in files}) > 1:
        names = ", ".join(file.name for file in files[:5])
        raise SequenceError(f"{path} contains several recordings; give one of its files: {names}")
    if compressed := [file for file in files if file.name.endswith(COMPRESSED_ENDINGS)]:
        advice = f"create the {METADATA} with: ros2 bag reindex {path}"
        raise SequenceError(f"{path} has no {METADATA} for {compressed[0].name}; {advice}")
    return files


def _files_of(folder: Path) -> list[Path]:
    files = [path for path in folder.glob("*") if path.name.endswith((*ENDINGS, *COMPRESSED_ENDINGS))]
    return sorted(files, key=_number)


def _refuse_several_recordings(path: Path, readers: Sequence[Any]) -> None:
    """Raise SequenceError when files with the names of one split recording overlap or are far apart in time."""
    spans_ns = sorted((reader.start_time, reader.end_time) for reader in readers)
    gaps_ns = [later[0] - earlier[1] for earlier, later in pairwise(spans_ns)]
    if any(not -NS_PER_S < gap_ns < MAX_SPLIT_GAP_NS for gap_ns in gaps_ns):
        raise SequenceError(f"{path} contains several recordings, because its files are not consecutive; give one file")


def _series(file: Path) -> tuple[str, str]:
    """Return the name and ending that all files of a split recording share: NAME_0.mcap, NAME_1.mcap and so on."""
    stem, _, suffix = file.name.partition(".")
    return re.sub(r"_\d+$", "", stem), suffix


def _number(file: Path) -> tuple[int, str]:
    """Return the sort key of a file in a split recording: its number, so that 10 comes after 9."""
    number = re.search(r"_(\d+)\.", file.name)
    return int(number[1]) if number else 0, file.name


def _stamp_ns(raw: bytes, is_cdr: bool) -> int:
    """Return the header stamp of a serialized message that starts with a header; 0 when the message is too short."""
    if len(raw) < 12:
        return 0
    # CDR starts with four bytes of encapsulation, ROS 1 with a sequence number of four bytes.
    sec, nanosec = struct.unpack_from("<iI" if raw[1] or not is_cdr else ">iI", raw, 4)
    return int(sec) * NS_PER_S + int(nanosec)
