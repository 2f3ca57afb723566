"""Snippets in docs/ are well-formed, and name launch arguments and files that exist."""

import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
SNIPPET = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PARSERS = {"python": ast.parse, "xml": ElementTree.fromstring, "yaml": YAML(typ="safe").load}


def snippets(page):
    return [(match[1], match[2]) for match in SNIPPET.finditer(page.read_text())]


def launch_arguments(name):
    """The arguments of a launch file, those of the one that it includes too."""
    names = {name, "relocalizer.launch.py"} if name == "replay.launch.py" else {name}
    found = set()
    for file in names:
        tree = ast.parse((ROOT / "launch" / file).read_text())
        (table,) = [n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "ARGUMENTS"]
        found |= {ast.literal_eval(key) for key in table.keys}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snippets_are_well_formed(page):
    for language, text in snippets(page):
        if language in PARSERS:
            PARSERS[language](text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_launch_commands_use_arguments_that_exist(page):
    text = re.sub(r"\\\n\s*", "", page.read_text())
    for name, rest in re.findall(r"ros2 launch dsm_ros (\S+)(.*)", text):
        assert set(re.findall(r"(\w+):=", rest)) <= launch_arguments(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)\)", page.read_text()):
        assert (page.parent / target).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_parameters_in_snippets_are_the_nodes(page):
    pytest.importorskip("rclpy")
    from dsm_ros.node.parameters import NodeParameters

    for language, text in snippets(page):
        if language == "yaml" and "/**:" in text:
            assert NodeParameters(**PARSERS["yaml"](text)["/**"]["ros__parameters"])
