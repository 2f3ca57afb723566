"""Choice of a bag's image topic, and assignment of depth topics to cameras."""

from __future__ import annotations

from collections.abc import Sequence

from dsm_ros.datasets.rosbag.streams import DRAWN_WORDS, ImageStream
from dsm_ros.errors import SequenceError
from dsm_ros.messages.image_kind import ImageKind


def choose_image(streams: Sequence[ImageStream], wanted: str | None, bag: str) -> ImageStream:
    """Return the image topic given by the user, or else the best image topic by ``_rank``.

    Raises SequenceError, which lists the image topics, when no topic can be used.
    """
    pictures = _pictures(streams)
    if wanted:
        return _named(pictures, wanted, bag)
    if not pictures:
        topics = ", ".join(stream.topic.name for stream in streams) or "none"
        raise SequenceError(f"{bag} has no topic with camera images; select one with --image (image topics: {topics})")
    return min(pictures, key=lambda picture: _rank(picture, streams))


def other_cameras(image: ImageStream, streams: Sequence[ImageStream]) -> list[str]:
    """Return the image topics of a bag's other cameras; a camera is an image topic with a camera_info."""
    cameras = (stream for stream in _pictures(streams) if stream.info and not stream.is_infrared)
    return sorted({camera.topic.name for camera in cameras if camera.folder != image.folder})


def own_depths(image: ImageStream, streams: Sequence[ImageStream]) -> list[ImageStream]:
    """Return the depth topics that belong to the camera of an image topic, judged by frame and namespace."""
    pictures = _pictures(streams)
    return [stream for stream in streams if stream.is_depth and _owns(image, stream, pictures)]


def _pictures(streams: Sequence[ImageStream]) -> list[ImageStream]:
    return [stream for stream in streams if not stream.is_depth and stream.kind is not ImageKind.OTHER]


def _named(pictures: Sequence[ImageStream], wanted: str, bag: str) -> ImageStream:
    found = next((picture for picture in pictures if picture.topic.name == wanted), None)
    if found is None:
        topics = ", ".join(picture.topic.name for picture in pictures) or "none"
        raise SequenceError(f"{bag} has no camera images on {wanted}; topics for --image: {topics}")
    return found


def _rank(image: ImageStream, streams: Sequence[ImageStream]) -> tuple[object, ...]:
    """Return a sort key that prefers cameras to annotated images, colour to infrared, and cameras with depth."""
    return (
        image.kind is not ImageKind.PICTURE,
        image.info is None,
        image.is_infrared,
        image.has_word(DRAWN_WORDS),
        not own_depths(image, streams),
        image.is_named_depth,
        image.form.startswith("mono"),
        image.is_rectified,
        image.transport_rank,
        image.topic.name,
    )


def _owns(image: ImageStream, depth: ImageStream, pictures: Sequence[ImageStream]) -> bool:
    """Return whether no other camera is closer to a depth topic by name, or by frame without a common namespace.

    The cameras of one device share a namespace, so the device's depth belongs to each of its cameras.
    """
    kinship = image.kinship(depth)
    nearest = max(picture.kinship(depth) for picture in [*pictures, image])
    has_owner_by_frame = any(
        picture.frame == depth.frame != image.frame and picture.base != image.base for picture in pictures
    )
    return kinship == nearest and not (image.shared_namespace(depth) == 0 and has_owner_by_frame)
