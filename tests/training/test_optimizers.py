"""Optimizers: equal to torch's, step by step, whether by name, by value or torch's own."""

import pytest
import torch

from netwright.errors import TrainingError
from netwright.training.optimizers import SGD, Adam, AdamW, FlatGroup, Lion, RMSProp, SignSGD, optimizer_of

CASES = [
    (SGD(momentum=0.9, weight_decay=0.1), lambda p: torch.optim.SGD(p, momentum=0.9, weight_decay=0.1)),
    (Adam(weight_decay=0.1), lambda p: torch.optim.Adam(p, weight_decay=0.1)),
    (AdamW(), torch.optim.AdamW),
    (RMSProp(weight_decay=0.1), lambda p: torch.optim.RMSprop(p, weight_decay=0.1)),
    (torch.optim.Adagrad, torch.optim.Adagrad),
]


@pytest.mark.parametrize(("ours", "theirs"), CASES, ids=["sgd", "adam", "adamw", "rmsprop", "torch"])
def test_steps_equal_torch_s(ours, theirs) -> None:
    torch.manual_seed(0)
    weights, gradient = torch.randn(6), torch.zeros(6)
    parameter = torch.nn.Parameter(weights.clone())
    other = theirs([parameter])
    for group in other.param_groups:
        group["lr"] = 0.01
    arrays = [(weights.view(2, 3), gradient.view(2, 3))]
    update = optimizer_of(ours).bind(FlatGroup(weights, gradient, arrays))
    for _ in range(20):
        gradient.copy_(torch.randn(6))
        parameter.grad = gradient.clone()
        with torch.no_grad():
            update(0.01)
        other.step()
    torch.testing.assert_close(weights, parameter.detach())


def test_lion_steps_by_the_sign_of_a_mean() -> None:
    """Worked out by hand: at first the sign of the gradient, then that of a mean in which the gradient has a tenth."""
    weights, gradient = torch.tensor([1.0, -2.0, 3.0]), torch.tensor([0.5, -4.0, 0.0])
    update = Lion(weight_decay=0.5).bind(FlatGroup(weights, gradient, [(weights, gradient)]))
    update(0.1)
    torch.testing.assert_close(weights, torch.tensor([0.95 - 0.1, -1.9 + 0.1, 2.85]))
    gradient.copy_(torch.tensor([-0.1, 0.3, -1.0]))  # 0.9 * 0.005 - 0.1 * 0.1 < 0; 0.9 * -0.04 + 0.1 * 0.3 < 0
    update(0.0)
    before = weights.clone()
    gradient.zero_()
    update(0.1)  # the mean is 0.99 * 0.005 - 0.001 > 0; 0.99 * -0.04 + 0.003 < 0; -0.01
    torch.testing.assert_close(weights, before * 0.95 - 0.1 * torch.tensor([1.0, -1.0, -1.0]))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_signsgd_is_torch_s_sgd_on_the_sign_of_a_mean(momentum: float) -> None:
    torch.manual_seed(0)
    weights, gradient, mean = torch.randn(6), torch.zeros(6), torch.zeros(6)
    parameter = torch.nn.Parameter(weights.clone())
    other = torch.optim.SGD([parameter], lr=0.01)
    update = SignSGD(momentum=momentum).bind(FlatGroup(weights, gradient, [(weights, gradient)]))
    for _ in range(20):
        gradient.copy_(torch.randn(6))
        mean = momentum * mean + (1 - momentum) * gradient
        parameter.grad = mean.sign()
        other.step()
        update(0.01)
        torch.testing.assert_close(weights, parameter.detach())
    before = weights.clone()
    decayed = SignSGD(momentum=0, weight_decay=0.5).bind(FlatGroup(weights, gradient, [(weights, gradient)]))
    decayed(0.1)
    torch.testing.assert_close(weights, before * 0.95 - 0.1 * gradient.sign())


@pytest.mark.parametrize("optimizer", [SGD(), Adam(), Lion(), SignSGD()], ids=["sgd", "adam", "lion", "signsgd"])
def test_the_mean_of_a_dead_weight_ends_at_nothing(optimizer) -> None:
    """Else its numbers become denormal, on which processors are slow."""
    weights, gradient = torch.ones(3), torch.tensor([1.0, -1e-20, 0.5])
    update = optimizer.bind(FlatGroup(weights, gradient, [(weights, gradient)]))
    update(0.01)
    gradient[:2] = 0
    for _ in range(8000):
        update(0.0)
    mean = update.state().arrays[{"SGD": "velocity"}.get(type(optimizer).__name__, "mean")]
    assert mean[:2].tolist() == [0.0, 0.0]
    assert mean[2] > 0.1


def test_a_misspelt_name() -> None:
    with pytest.raises(TrainingError) as caught:
        optimizer_of("adamx")
    assert str(caught.value) == (
        "no optimizer has the name 'adamx'\n"
        "  where:    optimizer\n"
        "  expected: one of sgd, adam, adamw, rmsprop, lion, signsgd, "
        "a value such as nw.Adam(beta1=0.8), or a torch optimizer's class\n"
        "  mend:     did you mean 'adam' or 'adamw'?"
    )
