from dataclasses import fields
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.node.parameters import NodeParameters, describe

CONFIG = Path(__file__).resolve().parents[2] / "config" / "relocalizer.yaml"


def test_the_yaml_file_has_every_parameter_with_its_default():
    written = YAML(typ="safe").load(CONFIG)["/**"]["ros__parameters"]
    assert written == {item.name: item.default for item in fields(NodeParameters)}


@pytest.mark.parametrize("item", fields(NodeParameters), ids=lambda item: item.name)
def test_every_parameter_is_described_and_its_default_is_in_range(item):
    descriptor = describe(item)
    assert descriptor.description.endswith(".")
    for limits in (*descriptor.integer_range, *descriptor.floating_point_range):
        assert limits.from_value <= item.default <= limits.to_value


def test_defaults_are_the_localizers():
    assert NodeParameters().localizer_config() == LocalizerConfig()
