"""Penalties of weights: torch's numbers in every engine, forks, and bad input."""

from pathlib import Path
from typing import Any

import pytest
import torch

import netwright as nw
from messages import message
from netwright.errors import TrainingError
from netwright.training.penalties import Penalty

DRAW = torch.Generator().manual_seed(0)
X = torch.randn(20, 4, generator=DRAW)
DATA = (X, X.sum(1).abs())
PENALTIES = {"*/weight": nw.L2(0.02), "linear1": nw.L1(0.01)}


def net(*norm: Any) -> nw.Net:
    return nw.Chain(8, *norm, nw.relu, nw.Linear(), input=nw.Vector(4), output=nw.Number(0.0, 1.0))


def train(one: nw.Net, **more: Any) -> nw.Run:
    options = {"epochs": 3, "batch_size": 20, "optimizer": nw.SGD(momentum=0), "learning_rate": 0.05, "threads": 1}
    return nw.train(one, DATA, schedule="constant", progress=False, **{**options, **more})


def penalized(w: dict[str, torch.Tensor]) -> torch.Tensor:
    squares = sum(array.square().sum() for path, array in w.items() if path.endswith("weight"))
    return 0.02 * squares + 0.01 * sum(array.abs().sum() for path, array in w.items() if path.startswith("linear1"))


@pytest.mark.parametrize(
    ("more", "close"),
    [
        ({"precision": "float32"}, 1e-5),  # the handwritten backward
        ({"precision": "float64"}, 1e-6),  # autograd
        ({"precision": "float64", "accumulate": 4}, 1e-6),
        ({"precision": "bf16"}, 0.03),
        ({"precision": "float64", "clip": 0.5}, 1e-6),
    ],
)
def test_a_step_is_torch_s(more: dict[str, Any], close: float) -> None:
    begun = nw.initialize(net(), seed=0)
    run = train(begun, penalties=PENALTIES, validation=DATA, **more)
    w = {path: array.double().requires_grad_() for path, array in begun.arrays.items()}
    x, y = X.double(), DATA[1].double()
    scale = begun.inputs["input"]
    assert scale == nw.Vector(4)  # not fitted yet
    mean, deviation = X.double().mean(0), X.double().std(0, correction=0)

    def plain() -> torch.Tensor:
        hidden = ((x - mean) / deviation) @ w["linear1/weight"].T + w["linear1/bias"]
        return ((hidden.relu() @ w["linear2/weight"].T + w["linear2/bias"]).squeeze(1) - y).square().mean()

    for step in range(3):
        loss = plain() + penalized(w)
        assert run.losses[step] == pytest.approx(loss.item(), rel=close)
        gradients = torch.autograd.grad(loss, [*w.values()])
        if "clip" in more:
            length = torch.cat([gradient.flatten() for gradient in gradients]).norm()
            gradients = [gradient * min(1.0, 0.5 / length.item()) for gradient in gradients]
        for array, gradient in zip(w.values(), gradients, strict=True):
            array.data -= 0.05 * gradient
        assert run.epochs[step].validation["loss"] == pytest.approx(plain().item(), rel=close)  # without the penalties
    for path, array in w.items():
        torch.testing.assert_close(run.last.arrays[path].double(), array.detach(), rtol=0, atol=close)


def test_weights_without_a_penalty_and_arrays_that_are_not_learned_are_left_alone() -> None:
    one = nw.initialize(net(nw.BatchNorm()), seed=0)
    plain, bound = (train(one, epochs=1, penalties=given) for given in (None, {"linear2/weight": nw.L2(0.3)}))
    differing = [path for path, array in plain.last.arrays.items() if not torch.equal(array, bound.last.arrays[path])]
    assert differing == ["linear2/weight"]
    assert "penalties: {'linear2/weight': L2(0.3)} (given)" in map(str, bound.choices)
    everything = train(one, epochs=1, penalties={"*": nw.L1(0.1)})
    assert torch.equal(everything.last.arrays["batchnorm1/mean"], plain.last.arrays["batchnorm1/mean"])


def test_a_fork_may_change_and_end_them(tmp_path: Path) -> None:
    options = {"penalties": PENALTIES, "validation": 5, "batch_size": 5, "seed": 1}
    whole = train(net(), folder=tmp_path / "a", **options)
    assert nw.load_run(tmp_path / "a").losses == whole.losses
    for given in (None, {"*": nw.L2(0.5)}):
        folder = nw.fork(tmp_path / "a", epoch=2, penalties=given)
        forked = train(net(), folder=folder, validation=5, batch_size=5, seed=1)
        steps = len(whole.losses) * 2 // 3
        assert forked.losses[:steps] == whole.losses[:steps]
        assert forked.losses[steps] != whole.losses[steps]
    assert nw.replay(whole, DATA, progress=False).equal


def test_penalties_of_nothing_are_refused() -> None:
    assert message(lambda: train(net(), penalties={"linaer1": nw.L2(0.1)})) == (
        "no array of this net has a path like 'linaer1'\n  where:    penalties\n"
        "  expected: a pattern of one of 4 paths, such as 'linear1/weight'\n"
        "  mend:     did you mean 'linear1' or 'linear2'?"
    )
    frozen = {"learning_rate": {"linear1": 0}, "penalties": {"linear1": nw.L2(0.1)}}
    assert message(lambda: train(net(), **frozen)) == (
        "'linear1' names only arrays that are not trained, so that a penalty would change nothing\n"
        "  where:    penalties\n  got:      linear1/weight, linear1/bias\n  mend:     leave 'linear1' out\n"
        "  or:       learning_rate=…, which may freeze these arrays"
    )
    running = {"batchnorm1/mean": nw.L1(0.1)}
    assert message(lambda: train(net(nw.BatchNorm()), penalties=running)).startswith(
        "'batchnorm1/mean' names only arrays that are not trained, so that a penalty would change nothing\n"
    )
    for wrong, got in ((3, "3"), ({}, "{}"), ({"*": 0.1}, "0.1"), (nw.L2(0.1), "L2(0.1)")):
        assert message(lambda wrong=wrong: train(net(), penalties=wrong)) == (
            "penalties is a mapping from path patterns to penalties\n  where:    penalties\n"
            f'  expected: such as {{"*/weight": nw.L2(1e-4)}}\n  got:      {got}'
        )


@pytest.mark.parametrize("kind", [nw.L1, nw.L2])
def test_a_penalty_is_a_value_with_a_strength(kind: type[Penalty]) -> None:
    assert kind(0.5) == kind(strength=0.5) and repr(kind(0.5)) == f"{kind.__name__}(0.5)"
    for wrong in (0, -1, float("inf"), float("nan")):
        with pytest.raises(TrainingError) as caught:
            kind(wrong)
        assert str(caught.value) == (
            f"a penalty has a finite strength above 0\n  where:    {kind.__name__}\n  got:      {wrong!r}"
        )
