"""The fastest of the installed runtimes is chosen."""

import time
from dataclasses import dataclass

import pytest

from dsm_ros.errors import DsmError
from dsm_ros.network import checkpoint
from dsm_ros.network.checkpoint import load_network
from dsm_ros.network.fastest import encoding_s, fastest_network
from dsm_ros.network.runtime import Runtime


@dataclass(frozen=True)
class Timed:
    """A network with a known time for an image."""

    runtime: Runtime
    time_s: float


@pytest.mark.parametrize(
    ("times_s", "fastest"),
    [
        ({Runtime.TORCH: 3.0, Runtime.ONNXRUNTIME: 2.0, Runtime.OPENVINO: 1.0}, Runtime.OPENVINO),
        ({Runtime.TORCH: 1.0, Runtime.ONNXRUNTIME: 2.0}, Runtime.TORCH),
        ({Runtime.TORCH: 3.0, Runtime.OPENVINO: 2.0}, Runtime.OPENVINO),
        ({Runtime.TORCH: 3.0}, Runtime.TORCH),
    ],
)
def test_the_fastest_runtime_that_is_installed_is_chosen(times_s, fastest):
    def load(runtime):
        if runtime not in times_s:
            raise DsmError(f"{runtime} is not installed")
        return Timed(runtime, times_s[runtime])

    assert fastest_network(load, lambda network: network.time_s).runtime == fastest


@pytest.mark.parametrize(
    "error", [RuntimeError("from_dlpack received an invalid capsule"), AttributeError("module has no attribute 'Core'")]
)
def test_an_optional_runtime_that_does_not_work_is_not_used_and_named(error, caplog):
    def measure(network):
        if network.runtime == Runtime.ONNXRUNTIME:
            raise error
        return network.time_s

    times_s = {Runtime.TORCH: 3.0, Runtime.ONNXRUNTIME: 1.0, Runtime.OPENVINO: 2.0}
    assert fastest_network(lambda runtime: Timed(runtime, times_s[runtime]), measure).runtime == Runtime.OPENVINO
    assert "onnxruntime is installed but does not work" in caplog.text


def test_an_error_of_the_weights_is_not_taken_for_a_missing_runtime(tmp_path):
    with pytest.raises(DsmError, match="no weights"):
        load_network(tmp_path / "missing.safetensors", runtime=Runtime.FASTEST)


def test_a_gpu_runs_torch_because_cuda_graphs_contain_no_other_runtime(monkeypatch):
    def refuse(load, encoding_s):
        raise AssertionError("measured")

    monkeypatch.setattr(checkpoint, "fastest_network", refuse)
    monkeypatch.setattr(checkpoint, "_require_device", lambda device: None)
    assert load_network(device="meta", runtime=Runtime.FASTEST).runtime == "torch"
    with pytest.raises(AssertionError, match="measured"):
        load_network(device="cpu", runtime=Runtime.FASTEST)


def test_the_time_of_an_encoding_is_measured(network):
    assert 1e-3 < encoding_s(network) < 60


def test_the_time_of_other_programs_does_not_count():
    class Waiting:
        def encode(self, image_HW3, camera):
            time.sleep(0.05)

    assert encoding_s(Waiting()) < 0.02
