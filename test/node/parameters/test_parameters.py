import re
from dataclasses import fields
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.node.parameters.declaration import describe
from dsm_ros.node.parameters.node_parameters import NodeParameters
from dsm_ros.node.reference import default

CONFIG = Path(__file__).resolve().parents[3] / "config" / "relocalizer.yaml"


def test_the_yaml_file_has_every_parameter_with_its_default():
    written = YAML(typ="safe").load(CONFIG)["/**"]["ros__parameters"]
    assert written == {item.name: item.default for item in fields(NodeParameters)}


def test_the_parameters_of_the_readme_have_their_defaults():
    rows = re.findall(r"^\| `(\w+)` \| `?([^|`]*)`? \|", (CONFIG.parents[1] / "README.md").read_text(), re.MULTILINE)
    defaults = {item.name: default(item) for item in fields(NodeParameters)}
    named = {name: value for name, value in rows if name in defaults}
    assert len(named) >= 4
    assert named == {name: defaults[name] for name in named}


@pytest.mark.parametrize("item", fields(NodeParameters), ids=lambda item: item.name)
def test_every_parameter_is_described_and_its_default_is_in_range(item):
    descriptor = describe(item)
    assert descriptor.description.endswith(".")
    for limits in (*descriptor.integer_range, *descriptor.floating_point_range):
        assert limits.from_value <= item.default <= limits.to_value


def test_defaults_are_the_localizers():
    assert NodeParameters().localizer_config() == LocalizerConfig()


def test_the_inlier_limit_stays_within_a_factor_of_two_of_the_limit_that_the_confidence_was_fitted_with():
    (item,) = (each for each in fields(NodeParameters) if each.name == "max_error_px")
    (limits,) = describe(item).floating_point_range
    assert (limits.from_value, limits.to_value) == (item.default / 2, 2 * item.default)
