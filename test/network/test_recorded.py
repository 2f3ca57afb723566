import numpy as np
import pytest
import torch

from dsm_ros.network.recorded import MAX_SIGNATURES, Recorder, recorded
from dsm_ros.network.tensor_tree import tensors_of


class FakeGraph:
    """Captures a call as a CUDA graph does: replay reads the same inputs and writes into the same results."""

    def __init__(self):
        self.captures = self.replays = 0
        self.devices = set()

    def __call__(self, function, device):
        self.captures += 1
        self.devices.add(device)
        result = function()
        for tensor in tensors_of(result):
            tensor.fill_(torch.nan)  # a capture computes nothing

        def replay():
            self.replays += 1
            for old, new in zip(tensors_of(result), tensors_of(function()), strict=True):
                old.copy_(new)

        return result, replay


@pytest.fixture
def graph():
    return FakeGraph()


def on_cpu(function, graph):
    return recorded(function, graph, "cpu")


@torch.inference_mode()
def test_every_call_returns_what_the_function_returns(graph):
    doubled = on_cpu(lambda x, factor: (x * factor, [x + 1]), graph)
    for value in range(5):
        product, (more,) = doubled(torch.full((3,), float(value)), 2)
        assert product.tolist() == [2.0 * value] * 3
        assert more.tolist() == [value + 1.0] * 3
    assert (graph.captures, graph.replays) == (1, 4)
    assert graph.devices == {torch.device("cpu")}


@torch.inference_mode()
def test_a_result_keeps_its_values_when_the_next_call_is_replayed(graph):
    doubled = on_cpu(lambda x: x * 2, graph)
    results = [doubled(torch.tensor([float(value)])) for value in range(4)]
    assert [float(result) for result in results] == [0, 2, 4, 6]


@torch.inference_mode()
def test_an_input_that_is_passed_on_is_the_callers_own(graph):
    passed_on = on_cpu(lambda x: (x, x + 1), graph)
    for value in range(3):
        given = torch.tensor([float(value)])
        assert passed_on(given)[0] is given


@torch.inference_mode()
def test_each_signature_has_its_own_recording(graph):
    summed = on_cpu(lambda x: x.sum(), graph)
    for size in (2, 3, 2, 3, 2, 3):
        assert float(summed(torch.ones(size))) == size
    assert (graph.captures, graph.replays) == (2, 4)


@torch.inference_mode()
def test_a_recording_cannot_read_an_array(graph):
    moved = on_cpu(lambda x, offset: x + 1 if offset is None else x + float(offset[0]), graph)
    values = [float(moved(torch.zeros(1), np.full(1, 5.0))) for _ in range(3)]
    assert values == [5, 1, 1]


def test_calls_outside_inference_mode_keep_their_gradients(graph):
    doubled = on_cpu(lambda x: x * 2, graph)
    for _ in range(3):
        assert doubled(torch.ones(1, requires_grad=True)).requires_grad
    assert graph.captures == 0


@torch.inference_mode()
def test_other_devices_are_not_recorded(graph):
    doubled = recorded(lambda x: x * 2, graph, "cuda")
    for _ in range(3):
        doubled(torch.ones(1))
    assert graph.captures == 0


@torch.inference_mode()
def test_the_oldest_signature_is_forgotten(graph):
    doubled = on_cpu(lambda x: x * 2, graph)
    for size in range(1, MAX_SIGNATURES + 2):
        doubled(torch.ones(size))
    doubled(torch.ones(1))
    assert graph.captures == 0
    doubled(torch.ones(1))
    assert graph.captures == 1


@torch.inference_mode()
def test_a_function_whose_capture_fails_is_called_directly_from_then_on(caplog):
    attempts = []

    def without_memory(function, device):
        attempts.append(device)
        raise torch.OutOfMemoryError("no memory for the graph")

    doubled = on_cpu(lambda x: x * 2, without_memory)
    assert [float(doubled(torch.tensor(float(value)))) for value in range(4)] == [0, 2, 4, 6]
    assert len(attempts) == 1
    assert [record.getMessage() for record in caplog.records if "no memory for the graph" in record.getMessage()]


@torch.inference_mode()
def test_a_recorder_tells_functions_with_equal_arguments_apart(graph):
    record = Recorder(graph, "cpu")

    def once(x):
        return x

    def twice(x):
        return x * 2

    for value in range(3):
        given = torch.tensor(float(value))
        assert (float(record(once, given)), float(record(twice, given))) == (value, 2 * value)
