import numpy as np
import pytest

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.datasets.seven_scenes.writer import write_sequence
from dsm_ros.datasets.source_options import SourceOptions
from dsm_ros.errors import SequenceError


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A folder of two sequences, one of them two levels down."""
    folder = tmp_path_factory.mktemp("scenes") / "scene"
    for name in ("seq-01", "seq-02"):
        write_sequence(open_rooms("rooms:3/frames=2,size=64x48"), folder / name, lambda done, total: None)
    (folder / "TrainSplit.txt").write_text("sequence1\n")
    return folder


def test_a_scene_folder_names_its_sequences(scene):
    with pytest.raises(SequenceError, match="give the folder of one sequence: seq-01, seq-02"):
        open_sequence(str(scene))
    with pytest.raises(SequenceError, match="give the folder of one sequence: scene/seq-01, scene/seq-02"):
        open_sequence(str(scene.parent))


def test_packed_sequences_are_to_be_unpacked(tmp_path):
    (tmp_path / "seq-01.zip").write_bytes(b"PK")
    for path in (tmp_path, tmp_path / "seq-01.zip"):
        with pytest.raises(SequenceError, match="unpack"):
            open_sequence(str(path))


@pytest.mark.parametrize(
    "given", [{"image": "/i"}, {"depth": "/d"}, {"pose": "/p"}, {"world_frame": "m"}, {"rectified": True}]
)
def test_options_of_bags_are_refused_for_folders_and_rooms(scene, given):
    options = SourceOptions(**given)
    for text in (str(scene / "seq-01"), "rooms:3"):
        with pytest.raises(SequenceError, match=options.given()[0]):
            open_sequence(text, options)


def test_a_calibration_file_may_be_given_for_a_folder(scene, tmp_path):
    text = (scene / "seq-02" / "camera_info.yaml").read_text()
    (tmp_path / "other.yaml").write_text(text.replace("52.5", "60.0"))
    given = open_sequence(str(scene / "seq-01"), SourceOptions(camera_info=str(tmp_path / "other.yaml")))
    assert given[0].camera.fx == 60
    assert given.describe().parts[1].source.endswith("other.yaml")
    with pytest.raises(SequenceError, match=r"none\.yaml"):
        open_sequence(str(scene / "seq-01"), SourceOptions(camera_info=str(tmp_path / "none.yaml")))


def test_what_is_no_sequence(tmp_path):
    (tmp_path / "notes.txt").write_text("a")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(SequenceError, match="no known layout"):
            open_sequence(str(path))
    with pytest.raises(SequenceError, match="does not exist"):
        open_sequence(str(tmp_path / "missing"))


def test_headers_and_queries_agree_with_frames(scene):
    for sequence in (open_sequence(str(scene / "seq-01")), open_rooms("rooms:3/frames=3,size=64x48,blur=1")):
        frame, header, query = sequence[1], sequence.header(1), sequence.query(1)
        assert (header.name, header.stamp_ns, header.missing) == (frame.name, frame.stamp_ns, frame.missing)
        assert (header.map_T_camera == frame.map_T_camera).all()
        assert np.array_equal(query.image_HW3, frame.image_HW3)
        assert (query.camera, query.depth_HW, query.map_T_camera) == (frame.camera, None, None)
        assert [part.what for part in sequence.describe().parts] == ["image", "camera", "depth", "poses"]
        with pytest.raises(IndexError):
            sequence.header(len(sequence))
