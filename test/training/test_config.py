"""Recipes: what is refused, and what the message names."""

import pytest

from dsm_ros.errors import DsmError
from dsm_ros.paths import config_folder
from dsm_ros.training.config import TrainConfig, read_config

IMPOSSIBLE = [
    "steps: 0",
    "episodes: 0",
    "views: 0",
    "views: 1",
    "queries: 0",
    "max_images: 0",
    "elsewhere: 7.0",
    "elsewhere: -0.1",
    "width_px: 100",
    "width_px: -96",
    "height_px: 0",
    "learning_rate: .nan",
    "learning_rate: .inf",
    "learning_rate: 0.0",
    "weight_decay: -1.0",
    "warmup_steps: -1",
    "clip_norm: 0.0",
    "matching_weight: .nan",
    "choice_weight: -0.2",
    "matching_temperature: 0.0",
    "trunk_cache_mb: -1",
    "pool: 0",
    "augmentations: 0",
    "seed: -1",
    "save_every: 0",
    f"steps: {10**30}",
]
OF_ANOTHER_TYPE = ["steps: true", "steps: many", "steps: null", "seed: 1.5", "clip_norm: true", "freeze_trunks: 1"]
NO_MAPPINGS = ["- steps: 3", "steps", "3", "[]", "''", b"\xff\xfe\x00"]
NO_YAML = ["steps: [", "steps: 1\nsteps: 2", "steps: 2020-13-45", "steps: !!int many", "\0"]


@pytest.fixture
def refusal(tmp_path):
    """Return a function that reads a recipe with the given content and returns the error message."""

    def read(content):
        path = tmp_path / "recipe.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(DsmError, match=r"recipe\.yaml") as refused:
            read_config(path)
        return str(refused.value)

    return read


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_an_impossible_value_is_refused_with_the_range_of_its_setting(refusal, text):
    message = refusal(text)
    assert text.split(":")[0] in message
    assert "choose" in message


@pytest.mark.parametrize("text", OF_ANOTHER_TYPE)
def test_a_value_of_another_type_is_refused_with_the_type_of_its_setting(refusal, text):
    message = refusal(text)
    assert text.split(":")[0] in message
    assert "must be of type" in message


@pytest.mark.parametrize("text", NO_MAPPINGS)
def test_a_file_without_settings_is_refused(refusal, text):
    assert "key: value" in refusal(text)


@pytest.mark.parametrize("text", NO_YAML)
def test_a_file_that_is_not_yaml_is_refused(refusal, text):
    assert "YAML" in refusal(text)


def test_unknown_names_are_refused_with_the_known_names(refusal):
    assert "warmup_steps" in refusal("stepz: 3")
    assert "lite, paper" in refusal("preset: huge")


def test_a_comment_may_be_in_another_encoding(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"steps: 3  # f\xfcr den Anfang\nelsewhere: 0\n")
    assert read_config(path) == TrainConfig(steps=3, elsewhere=0.0)


def test_an_empty_recipe_has_the_defaults_which_are_possible(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("# nothing yet")
    assert read_config(path) == TrainConfig()


@pytest.mark.parametrize("preset", ["lite", "paper"])
def test_the_shipped_recipes_are_readable(preset):
    assert read_config(config_folder() / f"train_{preset}.yaml").preset == preset
