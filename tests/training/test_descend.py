"""Descending: the rule of gradient descent, torch's optimizers, noise, and what is refused."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import TrainingError


def bowl(w: torch.Tensor) -> torch.Tensor:
    return (w**2 * torch.tensor([0.5, 2.0], dtype=w.dtype)).sum()


def test_every_step_follows_the_rule() -> None:
    way = nw.descend(bowl, [2.0, 1.0], 0.1, steps=5)
    assert way.points.shape == (6, 2)
    assert np.allclose(way.points[0], [2, 1])
    assert np.allclose(way.gradients, way.points * [1, 4])
    assert np.allclose(way.points[1:], way.points[:-1] - 0.1 * way.gradients[:-1])
    assert np.allclose(way.costs, (way.points**2 * [0.5, 2]).sum(1))
    assert np.array_equal(way.end, way.points[-1])
    assert len(way) == 6
    assert not way.diverged
    assert repr(nw.descend(bowl, [2.0, 1.0], 0.25, steps=1)) == "Trajectory(1 step: cost 4 -> 1.125 at (1.5, 0))"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (nw.SGD(momentum=0.9), lambda p: torch.optim.SGD(p, 0.05, momentum=0.9)),
        (nw.Adam(), lambda p: torch.optim.Adam(p, 0.05)),
        (nw.RMSProp(), lambda p: torch.optim.RMSprop(p, 0.05)),
        (torch.optim.Adagrad, lambda p: torch.optim.Adagrad(p, 0.05)),
    ],
)
def test_other_optimizers_step_as_torch_s_do(ours, theirs) -> None:
    way = nw.descend(bowl, torch.tensor([2.0, 1.0]), 0.05, steps=8, optimizer=ours)
    w = torch.tensor([2.0, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = theirs([w])
    for point in way.points:
        assert np.allclose(point, w.detach().numpy(), atol=1e-6)
        optimizer.zero_grad()
        bowl(w).backward()
        optimizer.step()


def test_a_schedule_gives_each_step_its_rate() -> None:
    way = nw.descend(lambda w: w.sum(), [0.0], 1.0, steps=4, schedule=nw.StepDecay(at=(0.5,)))
    assert np.allclose(way.points[:, 0], [0, -1, -2, -2.1, -2.2])


def test_noise_follows_from_its_seed_and_is_no_part_of_the_gradients() -> None:
    once, again, other = (nw.descend(bowl, [2, 1], 0.1, steps=9, noise=0.5, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(once.points, again.points)
    assert not np.allclose(once.points, other.points)
    assert np.allclose(once.gradients, once.points * [1, 4])
    drift = nw.descend(lambda w: 0 * w.sum(), np.zeros(2000), 0.1, steps=1, noise=0.5).end
    assert drift.std() == pytest.approx(0.05, rel=0.1)


def test_a_descent_that_diverges_ends_at_its_last_finite_point() -> None:
    way = nw.descend(lambda w: (w**4).sum(), [3.0], 1.0, steps=50)
    assert way.diverged
    assert 2 <= len(way) < 50
    assert np.isfinite(way.costs).all()
    assert repr(way).endswith("; it diverged)")


def test_only_what_the_cost_reads_moves() -> None:
    assert np.allclose(nw.descend(lambda w: w[0] ** 2, [1.0, 5.0], 0.5, steps=1).end, [0, 5])
    assert np.allclose(nw.descend(lambda w: w.detach().sum() + 0 * w.sum(), [1.0], 0.5, steps=1).end, [1])


def test_no_tensor_of_the_caller_is_changed() -> None:
    start = torch.tensor([1.0, 2.0], dtype=torch.float64)
    with torch.no_grad():
        nw.descend(bowl, start, 0.1)
    assert start.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: nw.descend(3, [1.0], 0.1), "the cost is a function of a tensor\n  where:    descend\n  got:      3"),
        (
            lambda: nw.descend(bowl, "here", 0.1),
            "the start of a descent is a list of finite numbers\n  where:    start\n  got:      'here'\n"
            "  mend:     start=[1.5, 2.3]",
        ),
        (
            lambda: nw.descend(bowl, [[1.0, 2.0]], 0.1),
            "the start of a descent is a list of finite numbers\n  where:    start\n  got:      [[1.0, 2.0]]\n"
            "  mend:     start=[1.5, 2.3]",
        ),
        (
            lambda: nw.descend(lambda w: w, [1.0, 2.0], 0.1),
            "the cost of a descent is one number, computed with torch\n  where:    cost\n"
            "  got:      a tensor of (2,)\n  mend:     lambda w: (w**2).sum()",
        ),
        (
            lambda: nw.descend(lambda w: 2.0, [1.0], 0.1),
            "the cost of a descent is one number, computed with torch\n  where:    cost\n"
            "  got:      float\n  mend:     lambda w: (w**2).sum()",
        ),
        (
            lambda: nw.descend(lambda w: (w * 1j).sum(), [1.0], 0.1),
            "the cost of a descent is one number, computed with torch\n  where:    cost\n"
            "  got:      a tensor of complex numbers\n  mend:     lambda w: (w**2).sum()",
        ),
        (
            lambda: nw.descend(lambda w: torch.tensor(1.0), [1.0], 0.1),
            "the cost does not depend on its argument, so it has no gradient\n  where:    cost\n"
            "  mend:     a cost that is computed with torch from the tensor that it is given",
        ),
        (
            lambda: nw.descend(lambda w: w.log().sum(), [0.0], 0.1),
            "the cost or its gradient is not finite at the start\n  where:    start\n"
            "  got:      cost -inf, gradient (inf,)\n  mend:     another start",
        ),
        (
            lambda: nw.descend(bowl, [1.0, 2.0], 0.0),
            "learning_rate is a finite number above 0\n  where:    learning_rate\n  got:      0.0",
        ),
        (
            lambda: nw.descend(bowl, [1.0, 2.0], 0.1, steps=0),
            "steps is a whole number of at least 1\n  where:    steps\n  got:      0 (int)",
        ),
    ],
)
def test_what_is_refused(call, text) -> None:
    with pytest.raises(TrainingError) as caught:
        call()
    assert str(caught.value) == text
