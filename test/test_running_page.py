"""docs/running.md says what the code does."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from dsm_ros.localization.result import Reason

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "running.md").read_text()


def test_every_reason_of_the_status_is_explained():
    table = PAGE.split("| `reason` |")[1]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named == {str(reason) for reason in Reason} - {Reason.TIMEOUT}  # that one ends an action


def test_the_fast_dds_profile_has_room_for_several_images():
    (size,) = ElementTree.parse(ROOT / "config" / "fastdds.xml").iter("{http://www.eprosima.com}segment_size")
    assert int(size.text) > 8 * 640 * 480 * 3
    assert PAGE.count("config/fastdds.xml") == 2
