"""Examples count as their classes do; classes that are not there are refused."""

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

import netwright as nw
from messages import message
from netwright.data.sources import source
from netwright.training.prepare.class_weights import weighted_by_class

NET = nw.Chain(nw.Linear(3), nw.softmax, input=2, output=nw.Category(["cat", "dog", "rat"]))
DATA = (np.zeros((4, 2)), ["cat", "rat", "dog", "rat"])


class Drawn(Dataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[np.ndarray, str]:
        return DATA[0][index], DATA[1][index]


def test_each_example_counts_as_its_class_times_its_own_weight() -> None:
    found = source(DATA)
    assert weighted_by_class(NET, found, None) is found
    assert weighted_by_class(NET, found, {"rat": 3, "dog": 0.5}).weights.tolist() == [1, 3, 0.5, 3]
    own = source(DATA, weights=[1, 2, 3, 4])
    assert weighted_by_class(NET, own, {"rat": 3}).weights.tolist() == [1, 6, 3, 12]
    yes = nw.Chain(nw.Linear(1), nw.sigmoid, input=2, output=nw.Boolean())
    said = source((np.zeros((3, 2)), [True, False, True]))
    assert weighted_by_class(yes, said, {True: 2}).weights.tolist() == [2, 1, 2]


def test_a_run_with_weights_of_classes_is_one_with_weights_of_its_examples() -> None:
    draw = torch.Generator().manual_seed(0)
    xs, ys = torch.randn(60, 2, generator=draw), [["cat", "dog", "rat"][i % 3] for i in range(60)]
    options = {"epochs": 3, "batch_size": 10, "threads": 1, "progress": False, "seed": 1}
    run = nw.train(NET, (xs, ys), class_weights={"dog": 4, "cat": 0.5}, **options)
    by_example = nw.train(NET, (xs, ys), weights=[[0.5, 4, 1][i % 3] for i in range(60)], **options)
    assert run.net == by_example.net and run.losses == by_example.losses
    assert "class weights: {'dog': 4.0, 'cat': 0.5} (given)" in map(str, run.choices)


def test_in_one_batch_it_is_torch_s_weight() -> None:
    """Where a batch holds all examples: torch divides by the weights of the batch, and a run by those of all."""
    draw = torch.Generator().manual_seed(0)
    xs, ys = torch.randn(30, 2, generator=draw), torch.arange(30) % 7 % 3
    net = nw.initialize(NET.with_output(nw.Category(range(3))), seed=0)
    options = {"epochs": 1, "batch_size": 30, "optimizer": "sgd", "progress": False, "precision": "float64"}
    run = nw.train(net, (xs, ys), class_weights={0: 1, 1: 5, 2: 0.2}, **options)
    weights, bias = (net.arrays[f"linear1/{name}"].double() for name in ("weight", "bias"))
    logits = xs.double() @ weights.T + bias
    expected = torch.nn.CrossEntropyLoss(weight=torch.tensor([1, 5, 0.2], dtype=torch.float64))(logits, ys)
    assert run.losses[0] == pytest.approx(expected.item(), abs=1e-6)


def test_what_cannot_be_weighted_is_refused() -> None:
    assert message(lambda: weighted_by_class(NET, source(DATA), {"dgo": 2})) == (
        "there is no class 'dgo'\n  where:    class_weights\n  expected: some of 'cat', 'dog', 'rat'\n"
        "  mend:     did you mean 'dog'?"
    )
    plain = nw.Chain(nw.Linear(1), input=2, output=nw.Number(0, 1))
    assert message(lambda: weighted_by_class(plain, source((np.zeros((2, 2)), [1, 2])), {1: 2})) == (
        "class_weights need one output that is a class\n  where:    class_weights\n"
        "  got:      output: Number(0.0, 1.0)\n  mend:     weights=…, one number for each example"
    )

    def rows():
        yield from zip(np.zeros((4, 2)), DATA[1], strict=True)

    assert message(lambda: nw.train(NET, rows, class_weights={"cat": 2}, progress=False)) == (
        "class_weights need targets that are known before the first step\n  where:    class_weights\n"
        "  got:      a stream\n  mend:     keep=True, where the data fit in memory\n"
        "  or:       columns (inputs, targets)"
    )
    assert message(lambda: nw.train(NET, Drawn(), class_weights={"cat": 2}, progress=False)) == (
        "class_weights need targets that are known before the first step\n  where:    class_weights\n"
        "  got:      data that are read again in every epoch\n  mend:     columns (inputs, targets)"
    )
    for wrong in ({}, [1, 2]):
        assert message(lambda wrong=wrong: nw.train(NET, DATA, class_weights=wrong)).startswith(
            "class_weights is a mapping from classes to numbers\n"
        )
    assert message(lambda: nw.train(NET, DATA, class_weights={"cat": -1})) == (
        "class_weights['cat'] is a finite number above 0\n  where:    class_weights['cat']\n  got:      -1"
    )


@pytest.mark.parametrize("rows", [[["a", "b"]] * 4, [["a"], ["b", "a"], ["a"], ["b"]]])
def test_a_class_at_each_position_is_refused(rows: list[list[str]]) -> None:
    net = nw.Chain(nw.Linear(2), nw.softmax, input="n 2", output=nw.Each(nw.Category(["a", "b"])))
    found = source(([np.zeros((len(row), 2)) for row in rows], rows))
    assert message(lambda: weighted_by_class(net, found, {"a": 2})) == (
        "class_weights need one output that is a class\n  where:    class_weights\n"
        "  got:      output: Each(Category(['a', 'b']))\n  mend:     weights=…, one number for each example"
    )


def test_a_class_may_be_a_number_of_numpy_or_torch() -> None:
    net = nw.Chain(nw.Linear(2), nw.softmax, input=2, output=nw.Category([0, 1]))
    options = {"epochs": 1, "threads": 1, "progress": False}
    data = (torch.randn(20, 2, generator=torch.Generator().manual_seed(0)), [0, 1] * 10)
    runs = [nw.train(net, data, class_weights={zero: 3}, **options) for zero in (0, np.int64(0), torch.tensor(0))]
    assert runs[0].losses == runs[1].losses == runs[2].losses != nw.train(net, data, **options).losses
