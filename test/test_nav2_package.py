"""Files of the package for Nav2, which is built only where Nav2 is installed."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "dsm_ros_nav2"
MODEL = ElementTree.parse(PACKAGE / "relocalize_tree_nodes.xml").find(".//Action[@ID='Relocalize']")
PORTS = {port.get("name") for port in MODEL}
OF_NAV2 = {"server_name", "server_timeout"}


def test_the_model_for_groot_names_the_ports_of_the_node():
    source = (PACKAGE / "src" / "relocalize_action.cpp").read_text()
    assert set(re.findall(r'(?:In|Out)putPort<.*?>\(\s*"(\w+)"', source)) | OF_NAV2 == PORTS


def test_the_example_uses_ports_of_the_node():
    tree = ElementTree.parse(PACKAGE / "behavior_trees" / "navigate_and_relocalize.xml")
    (node,) = tree.iter("Relocalize")
    assert set(node.attrib) <= PORTS


def test_the_page_lists_the_ports_of_the_node():
    page = (PACKAGE.parent / "docs" / "rescue.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \| (?:in|out) \|", page, re.MULTILINE)) == PORTS


def test_both_packages_have_one_version():
    versions = {ElementTree.parse(path / "package.xml").findtext("version") for path in (PACKAGE, PACKAGE.parent)}
    assert len(versions) == 1
