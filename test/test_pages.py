"""Single pages of docs/ say what the code does."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from dsm_ros.localization.config import ConfidenceWeights, LocalizerConfig, TrackerConfig
from dsm_ros.localization.covariance import DISSENT, PATCH_PX
from dsm_ros.localization.refinement import (
    COVARIANCE_FACTOR,
    KEPT_INLIERS,
    MIN_FOLLOWED,
    SIGMA_FACTOR,
    SIGMA_FLOOR_PX,
    SYSTEMATIC_PX_DEG,
)
from dsm_ros.localization.result import Reason
from dsm_ros.localization.verification import IMPRECISE_M
from dsm_ros.network.config import PAPER, NetworkConfig
from dsm_ros.scene_map.keyframe_spacing import DEFAULT_SPACING

ROOT = Path(__file__).resolve().parents[1]
METHOD = (ROOT / "docs" / "method.md").read_text()
METHOD_WORDS = " ".join(METHOD.split())
CITATION = re.compile(r"\[[^\[\]\n]*\bmethod (\d+)")

WEIGHTS, LOCALIZER, TRACKER, NETWORK = ConfidenceWeights(), LocalizerConfig(), TrackerConfig(), NetworkConfig()
NUMBERS_OF_THE_METHOD = (
    f"moved by {DEFAULT_SPACING.distance_m:g} m or turned by {DEFAULT_SPACING.angle_deg:g} degrees",
    f"long side of {NETWORK.long_side_px} px",
    f"is {NETWORK.window_radius} in `lite` and {PAPER.window_radius} in `paper`",
    f"At the coarsest level, {NETWORK.candidates} candidates",
    f"finer levels of `lite`, {NETWORK.fine_candidates} candidates",
    f"with temperature {NETWORK.temperature:g}",
    f"radius is {NETWORK.agreement_m[0]:g} m at the coarsest level and {NETWORK.agreement_m[1]:g} m at finer ones",
    f"All N = {LOCALIZER.keyframes} of retrieval",
    f"at most {LOCALIZER.max_frame_gap_s:g} s older",
    f"{LOCALIZER.pnp_cells} most confident cells of the first match",
    f"draws from the {LOCALIZER.ransac_cells} most confident",
    f"{LOCALIZER.guided_pnp_cells} most confident cells of the guided match",
    f"`max_error_px`, {LOCALIZER.max_error_px:g} px",
    f"At least {LOCALIZER.min_inliers} correspondences",
    f"more than {LOCALIZER.max_keyframe_distance_m:g} m from every keyframe",
    f"b = {WEIGHTS.bias:g} w1 = {WEIGHTS.inlier_ratio:g} w2 = {WEIGHTS.visible_inlier_ratio:g}"
    f" w3 = {WEIGHTS.precise_ratio:g}",
    f"followed_ratio / (1 + deviation / {IMPRECISE_M:g} m)",
    f"max({LOCALIZER.pixel_sigma_px:g} px",
    f"({DISSENT:g} * max_error_px)",
    f"patch of {PATCH_PX:g} x {PATCH_PX:g} px",
    f"keeps at least {KEPT_INLIERS:.0%} of the inliers".replace("%", " %"),
    f"At least {MIN_FOLLOWED} patches must be found",
    f"{SIGMA_FACTOR:g} * r * (1 + (r * parallax / {SYSTEMATIC_PX_DEG:g})^3)",
    f"r = sqrt({SIGMA_FLOOR_PX:g}^2 + RMS^2 / 2)",
    f"refined pose is {COVARIANCE_FACTOR:g} times the covariance of the mean",
    f"is valid for {TRACKER.max_gap_s:g} s",
    f"more than {TRACKER.max_jump_m:g} m or {TRACKER.max_jump_deg:g} degrees from the prediction",
    f"grow by {TRACKER.growth_mps:g} m and {TRACKER.growth_dps:g} degrees",
    f"pause of more than {TRACKER.max_pause_s:g} s",
)


def test_every_reason_of_the_status_has_a_row_with_meaning_cause_and_remedy():
    table = (ROOT / "docs" / "troubleshooting.md").read_text().split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \| (.+) \|$", table, re.MULTILINE)
    node = "".join(path.read_text() for path in (ROOT / "dsm_ros" / "node").rglob("*.py"))
    of_goals = set(re.findall(r"Failure\(\s*\"(\w+)\"", node))
    assert of_goals >= {"inactive", "canceled"}
    assert {name for name, *_ in rows} == {str(reason) for reason in Reason} | of_goals | {"reason"}


def test_the_fast_dds_profile_has_room_for_several_images():
    (size,) = ElementTree.parse(ROOT / "config" / "fastdds.xml").iter("{http://www.eprosima.com}segment_size")
    assert int(size.text) > 8 * 640 * 480 * 3
    assert (ROOT / "docs" / "cameras.md").read_text().count("config/fastdds.xml") == 2


def test_the_rescue_page_shows_the_shipped_parameter_file():
    assert f"```yaml\n{(ROOT / 'config' / 'rescue.yaml').read_text()}```" in (ROOT / "docs" / "rescue.md").read_text()


@pytest.mark.parametrize("number", NUMBERS_OF_THE_METHOD)
def test_the_method_page_has_the_numbers_of_the_code(number):
    assert number in METHOD_WORDS


def test_the_code_cites_sections_of_the_method_page_that_exist():
    sections = set(re.findall(r"^## (\d+) ", METHOD, re.MULTILINE))
    assert sections == {str(number) for number in range(1, 15)}
    cited = {section for path in (ROOT / "dsm_ros").rglob("*.py") for section in CITATION.findall(path.read_text())}
    assert cited <= sections
