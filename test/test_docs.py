"""Snippets and links of README.md, docs/ and the other pages name what exists."""

import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML

from dsm_ros.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
OTHERS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "models/MODEL_CARD.md")
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in OTHERS)]
SNIPPET = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PARSERS = {"python": ast.parse, "xml": ElementTree.fromstring, "yaml": YAML(typ="safe").load}
COMMAND = re.compile(r"(?<![\w/.-])(?:\./)?dsm ((?:map )?[a-z]+)([^`|#\n]*)")
OPTION = re.compile(r"(?<!\S)\[?(--[a-z][a-z-]*)")


def snippets(page):
    return [(match[1], match[2]) for match in SNIPPET.finditer(page.read_text())]


def one_command_a_line(page):
    return re.sub(r"\\\n\s*", "", page.read_text())


def launch_arguments(name):
    """The arguments of a launch file, those of the one that it includes too."""
    names = {name, "relocalizer.launch.py"} if name in ("replay.launch.py", "robots.launch.py") else {name}
    found = set()
    for file in names:
        tree = ast.parse((ROOT / "launch" / file).read_text())
        (table,) = [n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "ARGUMENTS"]
        found |= {ast.literal_eval(key) for key in table.keys}
    return found


def command_options():
    """The options of each command of dsm, by its words."""
    group = typer.main.get_command(app)
    of_maps = group.commands.pop("map").commands
    commands = {**group.commands, **{f"map {name}": command for name, command in of_maps.items()}}
    return {
        name: {option for part in command.params for option in part.opts if option.startswith("--")} | {"--help"}
        for name, command in commands.items()
    }


def anchors(page):
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", re.sub(SNIPPET, "", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def names(pages):
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.name)


@names(PAGES)
def test_snippets_are_well_formed(page):
    for language, text in snippets(page):
        if language in PARSERS:
            PARSERS[language](text)


@names(PAGES)
def test_launch_commands_use_arguments_that_exist(page):
    for name, rest in re.findall(r"ros2 launch dsm_ros (\S+)(.*)", one_command_a_line(page)):
        assert set(re.findall(r"(\w+):=", rest)) <= launch_arguments(name)


@names(PAGES)
def test_commands_and_their_options_exist(page):
    text, options = one_command_a_line(page), command_options()
    for name, rest in COMMAND.findall(text):
        assert name in options, name
        assert set(OPTION.findall(rest)) <= options[name], (name, rest)


@names(PAGES)
def test_links_between_pages_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", page.read_text()):
        linked = page.parent / target if target else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), (target, anchor)


def test_every_page_is_linked_from_another_one():
    linked = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", page.read_text())
    }
    assert not [page.name for page in PAGES if page.parent.name == "docs" and page not in linked]


@names(PAGES)
def test_parameters_in_snippets_are_the_nodes(page):
    pytest.importorskip("rclpy")
    from dsm_ros.node.parameters.node_parameters import NodeParameters

    for language, text in snippets(page):
        if language == "yaml" and "/**:" in text:
            assert NodeParameters(**PARSERS["yaml"](text)["/**"]["ros__parameters"])
