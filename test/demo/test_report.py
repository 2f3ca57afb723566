"""Figures of the demo from recorded messages."""

import numpy as np
import pytest
from dsm_ros.msg import RelocalizationStatus
from std_msgs.msg import Header

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.demo.recorder import Recording
from dsm_ros.demo.report import print_table, summarise_recording
from dsm_ros.node.interface.conversions import stamp_msg


def test_the_rate_counts_images_and_not_the_report_of_silence_after_the_last_image():
    queries = open_sequence("rooms:7/size=64x48,frames=4")
    stamps_ns = [queries.header(index).stamp_ns for index in range(4)]
    statuses = [(0.1 * n, status(stamp_ns)) for n, stamp_ns in enumerate(stamps_ns)]
    silence = (2.0, status(stamps_ns[-1], reason="stale_images"))
    poses = {stamp_ns: np.eye(4) for stamp_ns in stamps_ns}
    figures = summarise_recording(Recording(poses, [*statuses, silence], 0), queries, range(4)).figures
    assert figures["frames_processed"] == 4
    assert figures["frames_per_second"] == pytest.approx(10.0)


def test_the_table_is_whole_on_a_narrow_screen(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    queries = open_sequence("rooms:7/size=64x48,frames=2")
    recording = Recording({}, [(0.1, status(queries.header(0).stamp_ns))], 0)
    print_table(summarise_recording(recording, queries, range(2)))
    assert "encode 0.0, retrieve 0.0, match 0.0, pnp 0.0, total 0.0" in capsys.readouterr().out


def status(stamp_ns, reason=""):
    return RelocalizationStatus(header=Header(stamp=stamp_msg(stamp_ns)), reason=reason)
