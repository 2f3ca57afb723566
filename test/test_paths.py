"""The package finds its own files wherever it is installed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dsm_ros.paths import config_folder, models_folder

ROOT = Path(__file__).resolve().parents[1]
LAYOUTS = {  # package folder, folder of the weights
    "source": ("dsm_ros", "models"),
    "pip": ("site-packages/dsm_ros", "site-packages/dsm_ros/models"),
    "colcon": ("lib/python3.12/site-packages/dsm_ros", "share/dsm_ros/models"),
    "colcon on Ubuntu": ("local/lib/python3.12/dist-packages/dsm_ros", "share/dsm_ros/models"),
}


def models_found_from(package: Path) -> str:
    """Return the folder of weights that paths.py finds in a package at another location."""
    package.mkdir(parents=True, exist_ok=True)
    for name in ("__init__.py", "errors.py", "paths.py"):
        shutil.copy(ROOT / "dsm_ros" / name, package)
    code = "import dsm_ros.paths as p; print(p.models_folder())"
    done = subprocess.run([sys.executable, "-c", code], cwd=package.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_source_tree_has_weights_and_parameters():
    assert list(models_folder().glob("*.safetensors"))
    assert (config_folder() / "relocalizer.yaml").is_file()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_finds_its_own_weights(tmp_path, layout):
    package, models = (tmp_path / folder for folder in LAYOUTS[layout])
    models.mkdir(parents=True)
    if layout != "source":
        (package.parent / "models").mkdir(parents=True)  # of some other package
    assert models_found_from(package) == str(models)


def test_missing_weights_give_one_line(tmp_path):
    assert "reinstall the package" in models_found_from(tmp_path / "dsm_ros")
