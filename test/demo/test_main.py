"""Bad input of the demo ends with a message and exit status 2, before anything is written."""

import pytest

from dsm_ros.demo import __main__ as demo


@pytest.fixture
def status(monkeypatch):
    """Return a function that runs the demo with arguments and returns its exit status."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["demo", *arguments])
        with pytest.raises(SystemExit) as exited:
            demo.main()
        return exited.value.code

    monkeypatch.setattr(demo, "prepare_process", lambda: None)
    monkeypatch.setattr("dsm_ros.demo.run.build_demo_map", None)  # nothing gets this far
    return run


@pytest.mark.parametrize("out", ["file", "file/inside", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_one_line(status, tmp_path, out, capsys):
    (tmp_path / "file").write_text("precious")
    assert status("--out", str(tmp_path / out)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("demo: cannot write ")


@pytest.mark.parametrize("sequence", ["rooms:7/frames=1,size=64x48", "rooms:7/frames=2,size=64x48"])
def test_a_sequence_that_is_too_short_is_one_line(status, tmp_path, sequence, capsys):
    assert status("--sequence", sequence, "--out", str(tmp_path / "out")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"demo: {sequence} is too short; the demo needs at least 3 frames"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", ["0", "-5", "nan", "inf", "1e-300", "fast"])
def test_a_rate_that_cannot_be_played_is_refused(status, tmp_path, rate, capsys):
    assert status("--out", str(tmp_path / "out"), f"--rate={rate}") == 2
    assert f"'{rate}' is not a rate; give frames per second, at least 0.01" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
