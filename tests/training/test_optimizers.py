"""Optimizers: equal to torch's, step by step, whether by name, by value or torch's own."""

import pytest
import torch

from netwright.errors import TrainingError
from netwright.training import optimizers
from netwright.training.optimizers import SGD, Adam, AdamW, FlatGroup, FlushDenormals, RMSProp, optimizer_of

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


@pytest.mark.parametrize("optimizer", [SGD(), Adam()], ids=["sgd", "adam"])
def test_the_mean_of_a_dead_weight_ends_at_nothing(optimizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its numbers become denormal, on which processors are slow."""
    means: list[torch.Tensor] = []
    monkeypatch.setattr(optimizers, "FlushDenormals", lambda mean: means.append(mean) or FlushDenormals(mean))
    weights, gradient = torch.ones(3), torch.tensor([1.0, -1e-20, 0.5])
    update = optimizer.bind(FlatGroup(weights, gradient, [(weights, gradient)]))
    update(0.01)
    gradient[:2] = 0
    for _ in range(1500):
        update(0.0)
    (mean,) = means
    assert mean[:2].tolist() == [0.0, 0.0]
    assert mean[2] > 0.1


def test_a_misspelt_name() -> None:
    with pytest.raises(TrainingError) as caught:
        optimizer_of("adamx")
    assert str(caught.value) == (
        "no optimizer has the name 'adamx'\n"
        "  where:    optimizer\n"
        "  expected: one of sgd, adam, adamw, rmsprop, "
        "a value such as nw.Adam(beta1=0.8), or a torch optimizer's class\n"
        "  mend:     did you mean 'adam' or 'adamw'?"
    )
