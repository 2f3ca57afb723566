"""Optional runtimes report nothing to their makers, and a runtime that cannot be imported is named with the reason."""

import importlib.util
import os
import subprocess
import sys

import pytest

from dsm_ros.errors import DsmError
from dsm_ros.network.runtime import Runtime, import_runtime

OPTIONAL = [
    pytest.param(
        runtime, marks=pytest.mark.skipif(importlib.util.find_spec(runtime) is None, reason=f"needs {runtime}")
    )
    for runtime in (Runtime.ONNXRUNTIME, Runtime.OPENVINO)
]


@pytest.mark.parametrize("runtime", OPTIONAL)
def test_a_runtime_reports_nothing_to_its_makers(runtime, tmp_path):
    program = f"""
import sys, threading
from dsm_ros.network.checkpoint import load_network
started = []
threading.excepthook = lambda failure: started.append(failure)
sys.addaudithook(lambda event, arguments: started.append(event) if event in ("os.fork", "socket.connect") else None)
load_network(runtime="{runtime}")
assert not started, started
assert not any(name.startswith("openvino_telemetry.") for name in sys.modules)
"""
    folders = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120, env=environment | folders)
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {"dsm_ros"}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that installs a package of a name, whose module contains a text, or no module at all."""

    def install(name, text):
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / "__init__.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.syspath_prepend(tmp_path)

    return install


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "get it"),
        ("import a_package_that_is_missing", "force-reinstall.*a_package_that_is_missing"),
        ("raise OSError('libabc.so is damaged')", "force-reinstall.*libabc.so is damaged"),
    ],
)
def test_a_runtime_that_cannot_be_imported_is_named_with_the_reason(package, text, message, monkeypatch):
    name = "a_runtime_of_this_test"
    package(name, text)
    with pytest.raises(DsmError, match=message):
        import_runtime(name, "get it")


def test_a_runtime_that_is_not_installed_is_named():
    with pytest.raises(DsmError, match="get it"):
        import_runtime("a_runtime_that_is_missing", "get it")
