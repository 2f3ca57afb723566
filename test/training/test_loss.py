import pytest
import torch

from dsm_ros.training.loss import average_precision_loss, choice_loss, confidence_loss, coordinate_loss, matching_loss


def test_coordinate_loss_is_in_units_of_the_scene_and_skips_unknown_cells():
    truth = torch.zeros(1, 3, 2, 2)
    coords = torch.full((1, 3, 2, 2), 0.4)
    coords[0, :, 1, 1] = 100
    known = torch.tensor([[[True, True], [True, False]]])
    assert coordinate_loss(coords, truth, known, torch.tensor([2.0])).item() == pytest.approx(0.2)


def test_a_perfect_ranking_has_no_loss_and_a_reversed_one_has():
    confidence = torch.rand(1, 1000, generator=torch.Generator().manual_seed(0))
    right = (confidence > 0.5).float()
    assert average_precision_loss(confidence, right).item() == pytest.approx(0.003, abs=0.005)
    assert average_precision_loss(1 - confidence, right).item() > 0.5
    assert average_precision_loss(confidence, torch.ones_like(right)).item() == pytest.approx(0, abs=1e-6)


def test_an_image_without_a_right_cell_is_left_out_of_the_ranking():
    confidence = torch.rand(2, 50, generator=torch.Generator().manual_seed(0))
    right = torch.zeros(2, 50)
    assert average_precision_loss(confidence, right).item() == 0
    right[0] = (confidence[0] > 0.5).float()
    both = average_precision_loss(confidence, right)
    assert both.item() == pytest.approx(average_precision_loss(confidence[:1], right[:1]).item())


def test_confidence_falls_for_an_image_of_another_place():
    logits = torch.full((1, 4, 4), 2.0, requires_grad=True)
    confidence_loss(logits, torch.zeros(1, 4, 4)).backward()
    assert (logits.grad > 0).all()


def test_matching_loss_is_the_cross_entropy_of_the_right_candidates():
    scores = torch.tensor([[0.9, 0.1, -2.0], [0.2, 0.3, 0.4]])
    right = torch.tensor([[True, False, True], [False, False, False]])
    expected = -torch.log_softmax(scores[0, :2] / 0.1, dim=0)[0]
    assert matching_loss(scores, right, 0.1).item() == pytest.approx(expected.item(), abs=1e-5)


def test_matching_loss_without_a_right_candidate_is_zero():
    scores = torch.zeros(3, 4, requires_grad=True)
    loss = matching_loss(scores, torch.zeros(3, 4, dtype=torch.bool), 0.1)
    loss.backward()
    assert loss.item() == 0
    assert (scores.grad == 0).all()


def test_choice_loss_is_the_negative_logarithm_of_the_weight_of_right_hypotheses():
    weights = torch.tensor([[0.5, 0.25, 0.25], [0.9, 0.1, 0.0]])
    right = torch.tensor([[True, True, False], [False, False, False]])
    assert choice_loss(weights, right).item() == pytest.approx(0.2877, abs=1e-3)  # -log 0.75


@pytest.mark.parametrize("loss", ["coordinates", "ranking", "matching"])
def test_each_loss_falls_on_a_tiny_problem(loss):
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(1, 3, 4, 4, generator=generator).requires_grad_()
    target = torch.randn(1, 3, 4, 4, generator=generator)
    right = torch.rand(1, 48, generator=generator) > 0.5
    losses = {
        "coordinates": lambda: coordinate_loss(values, target, torch.ones(1, 4, 4).bool(), torch.ones(1)),
        "ranking": lambda: average_precision_loss(values.flatten(1).sigmoid(), right.float()),
        "matching": lambda: matching_loss(values.view(4, 12).tanh(), right.view(4, 12), 0.1),
    }
    optimizer = torch.optim.Adam([values], 0.05)
    first = losses[loss]().item()
    for _ in range(100):
        optimizer.zero_grad()
        losses[loss]().backward()
        optimizer.step()
    assert losses[loss]().item() < 0.3 * first
