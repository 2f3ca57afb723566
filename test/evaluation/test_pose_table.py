"""The table of poses that the confidence is fitted on, without a network."""

import numpy as np
import pytest

from dsm_ros.errors import SequenceError
from dsm_ros.evaluation.pose_table import EstimateRow, read_poses, write_poses


def row(error_m, error_deg=1.0, inlier_ratio=0.5):
    shares = {"inlier_ratio": inlier_ratio, "visible_inlier_ratio": 0.25, "followed_ratio": 0.75}
    return EstimateRow("plain", "rooms:1", 0, error_m, error_deg, inliers=500, deviation_m=0.1, **shares)


def test_what_is_written_is_read(tmp_path):
    write_poses(iter([row(0.05), row(0.2, inlier_ratio=0.1)]), tmp_path / "a.csv")
    write_poses(iter([row(np.inf)]), tmp_path / "b.csv")
    poses = read_poses([tmp_path / "b.csv", tmp_path / "a.csv"])
    assert poses.shares_N3.tolist() == [[0.5, 0.25, 0.5], [0.1, 0.25, 0.5], [0.5, 0.25, 0.5]]
    assert poses.inliers_N.tolist() == [500, 500, 500]


def test_right_is_within_10_cm_and_5_degrees_and_gross_beyond_50_cm(tmp_path):
    rows = [row(0.09, 4.9), row(0.11), row(0.05, 6.0), row(0.51), row(np.inf, np.inf)]
    write_poses(iter(rows), tmp_path / "a.csv")
    poses = read_poses([tmp_path / "a.csv"])
    assert poses.right_N.tolist() == [True, False, False, False, False]
    assert poses.gross_N.tolist() == [False, False, False, True, True]


def test_an_interrupted_collection_leaves_no_table(tmp_path):
    def interrupted():
        yield row(0.05)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_poses(interrupted(), tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


def test_no_poses_are_an_error(tmp_path):
    write_poses(iter([]), tmp_path / "a.csv")
    with pytest.raises(SequenceError, match="no poses"):
        read_poses([tmp_path / "a.csv"])
