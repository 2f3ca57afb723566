"""A bag file: its topics, and each message by its own identity."""

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
LONGEST_GAP_NS = 60 * NS_PER_S  # between the files of a split recording


@dataclass(frozen=True)
class Topic:
    """A topic of a bag; split bags and ROS 1 have several connections for one topic."""

    name: str
    msgtype: str
    connections: tuple[Connection, ...]

    @property
    def folder(self) -> str:
        """The name without its last part: the namespace, or for the topics of a node the node's name."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True)
class Entry:
    """One message: header stamp, time of recording, and its place among the topic's messages of that time."""

    stamp_ns: int
    bag_ns: int
    place: int


def is_bag(path: Path) -> bool:
    """Return whether a path is a bag: a file of a known kind, or a folder that holds one."""
    if path.is_file():
        return path.name.lower().endswith((*ENDINGS, *COMPRESSED_ENDINGS))
    return (path / METADATA).is_file() or bool(_files_of(path))


class Bag:
    """Topics and messages of a bag. Raises SequenceError where the bag cannot be read, whatever rosbags raises."""

    def __init__(self, path: Path):
        self.path, self.name = path, path.stem if path.is_file() else path.name
        self.damaged: Counter[str] = Counter()  # messages that could not be decoded, by topic
        with self.damage_reported():
            self._reader = AnyReader(_paths(path), default_typestore=get_typestore(Stores.ROS2_JAZZY))
            self._reader.open()
            _refuse_several(path, self._reader.readers)

    @property
    def folder(self) -> Path:
        """The folder that holds the bag's files."""
        return self.path if self.path.is_dir() else self.path.parent

    @cached_property
    def topics(self) -> dict[str, Topic]:
        """The topics that hold messages, by name."""
        by_name: dict[tuple[str, str], list[Connection]] = {}
        for connection in self._reader.connections:
            by_name.setdefault((connection.topic, connection.msgtype), []).append(connection)
        topics = [Topic(*key, tuple(found)) for key, found in sorted(by_name.items(), key=lambda item: item[0])]
        return {topic.name: topic for topic in topics if next(self._raw(topic), None)}

    def of_type(self, *msgtypes: str) -> list[Topic]:
        """Return the topics of some message types, in the order of their names."""
        return [topic for topic in self.topics.values() if topic.msgtype in msgtypes]

    def entries(self, topic: Topic) -> list[Entry]:
        """Return every message's entry in the order of recording."""
        entries: list[Entry] = []
        for _, bag_ns, raw in self._raw(topic):
            place = entries[-1].place + 1 if entries and entries[-1].bag_ns == bag_ns else 0
            entries.append(Entry(_stamp_ns(raw, self._reader.is2), bag_ns, place))
        return entries

    def message(self, topic: Topic, entry: Entry) -> Any:
        """Return the message of an entry."""
        with self.damage_reported():
            raws = self._reader.messages(topic.connections, start=entry.bag_ns, stop=entry.bag_ns + 1)
            raw = next(raw for place, (_, _, raw) in enumerate(raws) if place == entry.place)
            return self._reader.deserialize(raw, topic.msgtype)

    def messages(self, topic: Topic) -> Iterator[tuple[int, Any]]:
        """Yield (time of recording in ns, message) of a topic, one by one; damaged ones are left out and counted."""
        self.damaged.pop(topic.name, None)
        for _, bag_ns, raw in self._raw(topic):
            try:
                message = self._reader.deserialize(raw, topic.msgtype)
            except Exception:  # rosbags and its decoders have many kinds of errors
                self.damaged[topic.name] += 1
            else:
                yield bag_ns, message

    def first(self, topic: Topic) -> Any:
        """Return the first message of a topic. Raises SequenceError when none can be decoded."""
        for _, message in self.messages(topic):
            return message
        raise SequenceError(f"all messages of {topic.name} in {self.path} are damaged")

    def _raw(self, topic: Topic) -> Iterator[tuple[Connection, int, bytes]]:
        with self.damage_reported():
            yield from self._reader.messages(topic.connections)

    @contextmanager
    def damage_reported(self) -> Iterator[None]:
        """Raise SequenceError for any failure to read the bag; rosbags and its decoders have many kinds of errors."""
        try:
            yield
        except SequenceError:
            raise
        except Exception as error:
            raise SequenceError(_damage(self.path, error)) from error


def _damage(path: Path, error: Exception) -> str:
    reason = " ".join(str(error).split()) or type(error).__name__
    mcap = path.suffix == ".mcap" or next(path.glob("*.mcap"), None)
    repair = f"mcap recover {path if path.is_file() else 'FILE'}" if mcap else "rosbag reindex"
    if path.suffix != ".bag":
        repair = f"ros2 bag reindex {path if path.is_dir() else path.parent}" + (f" or {repair}" if mcap else "")
    return f"cannot read bag {path} ({reason:.200}); if its recording was cut short, try: {repair}"


def _paths(path: Path) -> list[Path]:
    """Return what rosbags opens: one bag, or the files of a folder that has no metadata."""
    if path.is_file() and path.name.endswith(COMPRESSED_ENDINGS):
        raise SequenceError(f"{path} is compressed; give the bag's folder with its {METADATA}, or: zstd -d {path}")
    if path.is_file() and path.suffix not in ENDINGS:
        raise SequenceError(f"{path} is named unlike a bag; let its name end in {path.suffix.lower()}")
    files = _files_of(path)
    is_mistaken = path.suffix == ".bag" and path.is_dir()  # rosbags takes such a folder for a file of ROS 1
    if path.is_file() or ((path / METADATA).is_file() and not is_mistaken):
        return [path]
    if len({_series(file) for file in files}) > 1:
        names = ", ".join(file.name for file in files[:5])
        raise SequenceError(f"{path} holds several recordings; give one of its files: {names}")
    if packed := [file for file in files if file.name.endswith(COMPRESSED_ENDINGS)]:
        raise SequenceError(f"{path} has no {METADATA} for {packed[0].name}; restore it with: ros2 bag reindex {path}")
    return files


def _files_of(folder: Path) -> list[Path]:
    files = [path for path in folder.glob("*") if path.name.endswith((*ENDINGS, *COMPRESSED_ENDINGS))]
    return sorted(files, key=_number)


def _refuse_several(path: Path, readers: Sequence[Any]) -> None:
    """Raise SequenceError where files that are named as one split recording overlap in time, or lie far apart."""
    spans_ns = sorted((reader.start_time, reader.end_time) for reader in readers)
    gaps_ns = [later[0] - earlier[1] for earlier, later in pairwise(spans_ns)]
    if any(not -NS_PER_S < gap_ns < LONGEST_GAP_NS for gap_ns in gaps_ns):
        raise SequenceError(f"{path} holds several recordings, for their times do not follow each other; give one file")


def _series(file: Path) -> tuple[str, str]:
    """Return what the files of one split recording share: NAME_0.mcap, NAME_1.mcap and so on."""
    stem, _, suffix = file.name.partition(".")
    return re.sub(r"_\d+$", "", stem), suffix


def _number(file: Path) -> tuple[int, str]:
    """Return the place of a file in a split recording; 10 comes after 9."""
    number = re.search(r"_(\d+)\.", file.name)
    return int(number[1]) if number else 0, file.name


def _stamp_ns(raw: bytes, is_cdr: bool) -> int:
    """Return the header's stamp of a serialized message that begins with a header, 0 when there is none."""
    if len(raw) < 12:
        return 0
    # In CDR four bytes of encapsulation come first, in ROS 1 four bytes of sequence number.
    sec, nanosec = struct.unpack_from("<iI" if raw[1] or not is_cdr else ">iI", raw, 4)
    return int(sec) * NS_PER_S + int(nanosec)
