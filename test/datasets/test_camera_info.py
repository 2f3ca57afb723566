import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.camera_info import FILE_NAME, find_camera_info, read_camera_info_file, write_camera_info
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera

CAMERA = Camera(640, 480, 517.3, 516.5, 318.6, 255.3, "plumb_bob", (0.26, -0.95, -0.005, 0.0026, 1.16))


@pytest.fixture
def text(tmp_path):
    write_camera_info(tmp_path, CAMERA)
    return (tmp_path / FILE_NAME).read_text()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_what_was_written_is_read_in_any_encoding(tmp_path, text, encoding):
    path = tmp_path / "c.yaml"
    path.write_bytes(f"# Gerät\n{text}".replace("\n", "\r\n").encode(encoding))
    assert read_camera_info_file(path) == CAMERA


def test_a_printed_message_is_read_with_its_binning(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(
        "header: {stamp: {sec: 1}}\nheight: 480\nwidth: 640\ndistortion_model: plumb_bob\nd: [0.0, 0, 0, 0, 0]\n"
        "k: [525.0, 0.0, 319.5, 0.0, 525.0, 239.5, 0.0, 0.0, 1.0]\nbinning_x: 2\nbinning_y: 2\n"
        "roi: {x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false}\n---\n"
    )
    assert read_camera_info_file(path) == Camera(320, 240, 262.5, 262.5, 159.5, 119.5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("517.3", ".nan", "NaN"), ("517.3", "-517.3", "focal"), ("517.3", "0.0", "not calibrated"),
        ("517.3", "0.81", "normalised"),
        ("640", "many", "image_width"), ("640", "640.5", "image_width"), ("640", "-640", "image_width"),
        ("640", "true", "image_width"),
        ("0.0026, 1.16", "1.16, 1, 1", "coefficients"), ("plumb_bob", "fancy", "fancy"),
        ("318.6", "x", "list of numbers"),
        (", 255.3", "", "8 values"), ("image_height", "image_hight", "image_height"), ("318.6", "3186.0", "outside"),
    ],
)  # fmt: skip
def test_damaged_calibrations_are_refused(tmp_path, text, old, new, message):
    path = tmp_path / "c.yaml"
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(SequenceError, match=rf"^[^\n]*c\.yaml[^\n]*{message}[^\n]*$"):
        read_camera_info_file(path)


def test_the_file_in_the_folder_comes_before_the_one_beside_it(tmp_path):
    folder = tmp_path / "seq-01"
    folder.mkdir()
    assert find_camera_info(folder) is None
    write_camera_info(tmp_path, CAMERA)
    assert find_camera_info(folder) == tmp_path / FILE_NAME
    write_camera_info(folder, CAMERA)
    assert find_camera_info(folder) == folder / FILE_NAME


@given(st.binary(max_size=80) | st.text("kd:[]{}-&*!%@ 0123456789.\n#'\"", max_size=60).map(str.encode))
def test_any_bytes_are_a_camera_or_one_line(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / FILE_NAME
    path.write_bytes(data)
    with pytest.raises(SequenceError, match=r"^[^\n]+$"):
        read_camera_info_file(path)


ODD_VALUES = (
    st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.floats() | st.none(), max_size=9)
)


@given(
    st.sampled_from(
        ["image_width", "image_height", "camera_matrix", "distortion_model", "distortion_coefficients", "k"]
    ),
    ODD_VALUES,
)
def test_any_value_of_a_key_is_a_camera_or_one_line(tmp_path_factory, key, value):
    from ruamel.yaml import YAML

    folder = tmp_path_factory.mktemp("any")
    write_camera_info(folder, CAMERA)
    yaml = YAML(typ="safe")
    info = yaml.load(folder / FILE_NAME)
    yaml.dump(info | {key: value}, folder / FILE_NAME)
    fx, message = CAMERA.fx, ""
    try:
        fx = read_camera_info_file(folder / FILE_NAME).fx
    except SequenceError as error:
        message = str(error)
    assert fx == CAMERA.fx
    assert len(message.splitlines()) <= 1
