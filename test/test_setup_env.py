"""The script that sets up an environment leaves the environment of another checkout alone."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("folder", [".env", ".env/kilted-python3"])
def test_a_link_to_another_environment_is_refused_with_one_line(tmp_path, folder):
    checkout, other = tmp_path / "checkout", tmp_path / "other"
    (checkout / "scripts").mkdir(parents=True)
    other.mkdir()
    shutil.copy(ROOT / "scripts" / "setup_env.sh", checkout / "scripts")
    (checkout / ".env").symlink_to(other)
    environment = {**os.environ, "DSM_ENV": folder}
    command = ["sh", str(checkout / "scripts" / "setup_env.sh")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    real = other / Path(folder).relative_to(".env")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"setup: {checkout}/{folder} is a link to {real}, which may belong to another checkout; "
        "remove the link, or set DSM_ENV to another folder\n"
    )
    assert not list(other.iterdir())
