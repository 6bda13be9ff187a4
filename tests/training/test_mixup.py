"""Examples are mixed in pairs as torchvision mixes them, alike in any order; a run with mixup has the loss of torch."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

import netwright as nw
from messages import message
from netwright.net.run.noise import Noise
from netwright.training.batch import Batch
from netwright.training.mixup import Mixup, partners
from torchvision_cases import STORED

IDS = torch.tensor([7, 10**10, 3, 20, 5])
X, Y = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0)), torch.eye(3)[[0, 2, 1, 1, 0]]
CLASSES = nw.Chain(nw.Linear(3), nw.softmax, input=nw.Vector(4, 0, 1), output=nw.Category(range(3)))
ROWS = torch.randn(24, 4, generator=torch.Generator().manual_seed(1))
OPTIONS: dict[str, Any] = {
    "epochs": 2, "batch_size": 8, "threads": 1, "seed": 4, "progress": False, "precision": "float64",
}  # fmt: skip


def test_a_batch_is_mixed_with_itself_moved_on_by_one_as_torchvision_does() -> None:
    mixed = Mixup(0.3, seed=2)
    found = mixed(Batch({"input": X, "target": Y}, IDS, torch.arange(5.0), {"n": 3}), 6)
    other, share = partners(Noise(2, 6, IDS, "mixup")), mixed.share(6)
    assert 0 < share < 1
    for port, x in (("input", X), ("target", Y)):
        torch.testing.assert_close(found.inputs[port], share * x + (1 - share) * x[other])
    order = [0]
    while (following := int(other[order[-1]])) != 0:
        order.append(following)
    assert sorted(order) == [0, 1, 2, 3, 4]  # one circle: `order` rolled by one, of which torchvision takes the batch
    assert found.examples is IDS and found.lengths == {"n": 3}
    torch.testing.assert_close(found.weights, share * torch.arange(5.0) + (1 - share) * other.float())


def test_the_order_of_a_batch_changes_nothing_and_seed_and_step_change_all() -> None:
    def mixed(seed: int, step: int, way: torch.Tensor) -> torch.Tensor:
        return Mixup(0.3, seed)(Batch({"input": X[way]}, IDS[way], None), step).inputs["input"]

    way = torch.tensor([3, 0, 4, 2, 1])
    torch.testing.assert_close(mixed(2, 6, way), mixed(2, 6, torch.arange(5))[way])
    for seed, step in ((2, 7), (3, 6)):
        assert not torch.equal(mixed(seed, step, way), mixed(2, 6, way))
    assert torch.equal(Mixup(0.3, 2)(Batch({"input": X[:1]}, IDS[:1], None), 6).inputs["input"], X[:1])


def test_as_torchvision_mixes(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = STORED["mixup"]
    monkeypatch.setattr(Mixup, "share", lambda mixup, step: stored["share"])
    monkeypatch.setattr("netwright.training.mixup.partners", lambda noise: torch.tensor([2, 0, 1]))  # the one before
    inputs = {"input": torch.tensor(stored["pictures"]), "target": torch.eye(3)[stored["labels"]]}
    found = Mixup(0.2, 0)(Batch(inputs, torch.arange(3), None), 0).inputs
    assert (found["input"] - torch.tensor(stored["found"])).abs().max() < 1e-6
    assert (found["target"] - torch.tensor(stored["target"])).abs().max() < 1e-6


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_have_the_moments_of_the_beta_distribution(alpha: float) -> None:
    shares = torch.tensor([Mixup(alpha, 0).share(step) for step in range(4000)], dtype=torch.float64)
    assert shares.min() >= 0 and shares.max() <= 1 and abs(shares.mean() - 0.5) < 0.03
    assert shares.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.08)


def test_the_loss_is_that_of_both_targets() -> None:
    """λ · CE(y) + (1 − λ) · CE(y') of torch, since cross entropy is linear in the target."""
    labels = [i % 3 for i in range(24)]
    net = nw.initialize(CLASSES, seed=0)
    options = {**OPTIONS, "epochs": 1, "batch_size": 24}
    run = nw.train(net, (ROWS, labels), mixup=0.4, **options)
    share, other = Mixup(0.4, 4).share(0), partners(Noise(4, 0, torch.arange(24), "mixup"))
    mixed = (share * ROWS + (1 - share) * ROWS[other]).double()
    logits = mixed @ net.arrays["linear1/weight"].double().T + net.arrays["linear1/bias"].double()
    target = torch.tensor(labels)
    expected = share * F.cross_entropy(logits, target) + (1 - share) * F.cross_entropy(logits, target[other])
    assert run.losses[0] == pytest.approx(expected.item(), abs=1e-6)
    said = {choice.name: f"{choice.value} ({choice.why})" for choice in run.choices}
    assert said["mixup"] == "0.4 (given)" and said["loss"].startswith("CrossEntropy() (")


def test_kernels_and_pieces_and_workers_mix_alike() -> None:
    data = (ROWS, [i % 3 for i in range(24)])
    run = nw.train(CLASSES, data, mixup=0.4, label_smoothing=0.1, **OPTIONS)
    assert run.losses != nw.train(CLASSES, data, label_smoothing=0.1, **OPTIONS).losses
    for more in ({"accumulate": 2}, {"precision": "float32"}):
        other = nw.train(CLASSES, data, mixup=0.4, label_smoothing=0.1, **{**OPTIONS, **more})
        assert other.losses == pytest.approx(run.losses, abs=1e-6)
    rows = [{"input": ROWS[i], "target": i % 3} for i in range(24)]
    dataset: Any = torch.utils.data.Subset(rows, range(24))  # pyright: ignore[reportArgumentType]
    assert nw.train(CLASSES, dataset, mixup=0.4, label_smoothing=0.1, workers=1, **OPTIONS).losses == run.losses


def test_validation_is_that_of_classes_and_never_mixed() -> None:
    labels = [int(row.argmax()) % 3 for row in ROWS]
    options = {**OPTIONS, "learning_rate": {"linear1": 1e-12}}
    net = nw.initialize(CLASSES, seed=0)
    mixed = nw.train(net, (ROWS, labels), validation=(ROWS, labels), mixup=0.4, **options)
    plain = nw.train(net, (ROWS, labels), validation=(ROWS, labels), **options)
    assert mixed.epochs[0].validation == pytest.approx(plain.epochs[0].validation, abs=1e-6)
    right = nw.measure(mixed.net, (ROWS, labels)).accuracy.value
    assert right == pytest.approx(1 - mixed.epochs[0].validation["error"])
    assert mixed.net.outputs == {"output": nw.Category(range(3))}


@pytest.mark.parametrize(
    ("end", "target"),
    [
        ((nw.Linear(1),), [float(i) for i in range(24)]),
        ((nw.Linear(1), nw.sigmoid), [i % 2 == 0 for i in range(24)]),
    ],
)
def test_numbers_and_yes_or_no_are_mixed_too(end: tuple[Any, ...], target: list[Any]) -> None:
    net = nw.Chain(nw.Linear(5), nw.tanh, *end, input=nw.Vector(4, 0, 1))
    runs = [nw.train(net, (ROWS, target), **more, **OPTIONS) for more in ({"mixup": 0.4}, {"mixup": 0.4}, {})]
    assert runs[0].losses == runs[1].losses != runs[2].losses


def test_what_cannot_be_mixed_is_refused() -> None:
    data = (ROWS, [i % 3 for i in range(24)])
    assert message(lambda: nw.train(CLASSES, data, mixup=0, **OPTIONS)) == (
        "mixup is a finite number above 0\n  where:    mixup\n  got:      0"
    )
    start = (
        "mixup mixes targets, and it is not known what this loss makes of mixed ones\n  where:    mixup\n"
        "  expected: nw.CrossEntropy or nw.MSE or nw.MAE or nw.Huber\n"
    )

    def mine(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return -output[target]

    assert message(lambda: nw.train(CLASSES, data, mixup=0.2, loss=mine, **OPTIONS)).startswith(start)
    own = nw.with_loss(CLASSES, nw.CrossEntropy())
    assert message(lambda: nw.train(own, data, mixup=0.2, **OPTIONS)) == (
        f"{start}  got:      the net ends in a loss of its own\n  mend:     leave mixup out"
    )
    words = nw.Chain(nw.Embedding(3), nw.Flatten(), nw.Linear(3), nw.softmax, input=nw.Array("4 <9>"))
    words = words.with_output(nw.Category(range(3)))
    numbers = torch.arange(96).reshape(24, 4) % 9
    assert message(lambda: nw.train(words, (numbers, data[1]), mixup=0.2, **OPTIONS)) == (
        "mixup mixes examples that are numbers, all of one size\n  where:    port 'input'\n"
        "  got:      Array('4 <9>')\n  mend:     leave mixup out"
    )
    long = nw.Chain(nw.GRU(3), nw.Last(), nw.Linear(3), nw.softmax, input=nw.Array("n 4"), output=nw.Category(range(3)))
    several = [ROWS[: 2 + i % 3] for i in range(24)]
    assert message(lambda: nw.train(long, (several, data[1]), mixup=0.2, **OPTIONS)) == (
        "mixup mixes examples that are numbers, all of one size\n  where:    port 'input'\n"
        "  got:      lengths that differ\n  mend:     leave mixup out"
    )
    tagged = nw.Chain(nw.GRU(3), nw.Linear(3), nw.softmax, input=nw.Array("n 4"), output=nw.Each(nw.Category(range(3))))
    kinds = [[i % 3] * (2 + i % 3) for i in range(24)]
    assert message(lambda: nw.train(tagged, (several, kinds), mixup=0.2, **OPTIONS)) == (
        "mixup mixes examples that are numbers, all of one size\n  where:    port 'input'\n"
        "  got:      lengths that differ\n  mend:     leave mixup out"
    )
