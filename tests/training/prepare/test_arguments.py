"""What `train` cannot mean is said in plain words, before anything is computed."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import NetwrightError, TrainingError
from netwright.training.events import Callback
from netwright.training.prepare import arguments

XS, LABELS = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32), ["a", "b"] * 20


def net():
    return nw.Chain(8, nw.relu, nw.Linear(), nw.softmax, input=4, output=nw.Category(["a", "b"]))


def train(**options):
    return nw.train(net(), (XS, LABELS), **{"epochs": 1, "progress": False, **options})


def test_whole_numbers_and_numbers() -> None:
    assert arguments.whole("epochs", np.int64(3), 1) == 3
    assert arguments.whole("epochs", None, 1) is None
    assert arguments.check_number("clip", torch.tensor(0.5)) == 0.5
    assert arguments.rate({"linear1": 0}) == {"linear1": 0.0}
    assert arguments.by_loss({"a": 2}) == {"a": 2.0}
    with pytest.raises(TrainingError) as caught:
        arguments.whole("epochs", 1.5, 1)
    assert str(caught.value) == ("epochs is a whole number of at least 1\n  where:    epochs\n  got:      1.5 (float)")
    with pytest.raises(TrainingError) as caught:
        arguments.rate({"linear1": -1})
    assert str(caught.value) == (
        "learning_rate['linear1'] is a finite number of at least 0\n"
        "  where:    learning_rate['linear1']\n"
        "  got:      -1"
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"epochs": 0}, {"epochs": "3"}, {"batch_size": 2.5}, {"threads": 0}, {"seed": "a"}, {"seed": -1},
        {"learning_rate": "0.1"}, {"learning_rate": -1}, {"learning_rate": float("nan")}, {"learning_rate": {"a": "x"}},
        {"clip": 10**400}, {"device": "gpu"}, {"precision": "int8"}, {"schedule": 3}, {"schedule": "cosin"},
        {"optimizer": 3}, {"optimizer": nw.Adam}, {"optimizer": torch.optim.LBFGS}, {"optimizer": dict},
        {"callbacks": [3]}, {"callbacks": 3}, {"choices": ["x"]}, {"weights": "x"}, {"validation": "x"},
        {"objective": "next"}, {"loss_weights": 2}, {"loss_weights": {"output": 0}}, {"loss_weights": {}},
    ],
)  # fmt: skip
def test_every_wrong_argument_is_a_plain_error(bad) -> None:
    with pytest.raises(NetwrightError):
        train(**bad)


def test_a_module_of_torch_is_no_net() -> None:
    with pytest.raises(TrainingError) as caught:
        nw.train(torch.nn.Linear(4, 2), (XS, LABELS))
    assert str(caught.value) == (
        "this is not a net\n  where:    net\n  got:      Linear\n  mend:     nw.Module(module), a part"
    )


@pytest.mark.parametrize("rate", [np.float32(0.25), torch.tensor(0.25)])
def test_a_rate_of_any_number_type_is_taken(rate) -> None:
    choice = next(choice for choice in train(learning_rate=rate).choices if choice.name == "learning rate")
    assert choice.value == "0.25"


def test_choices_repeat_optimizer_schedule_rates_loss_and_clip() -> None:
    first = train(
        optimizer="sgd", schedule="cosine", learning_rate={"linear1": 0}, clip=0.5, epochs=3, batch_size=8, seed=2
    )
    again = nw.train(net(), (XS, LABELS), choices=first.choices, seed=2, progress=False)
    assert again.net == first.net
    assert [choice.value for choice in again.choices] == [choice.value for choice in first.choices]


def test_an_error_of_a_callback_does_not_lose_the_run() -> None:
    class Fails(Callback):
        def on_epoch(self, status) -> None:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError) as caught:
        train(callbacks=[Fails()], epochs=3)
    assert caught.value.run.ended == "ZeroDivisionError: mine"
    assert caught.value.run.net.arrays


def test_weights_count_at_any_batch_size() -> None:
    weights = [1.0, 3.0] * 20
    assert train(batch_size=1, weights=weights).net != train(batch_size=1).net
    assert train(batch_size=1, weights=[2.0] * 40).net == train(batch_size=1).net


def test_a_decoder_of_probabilities_wants_probabilities() -> None:
    logits = nw.Chain(nw.Linear(2), input=4, output=nw.Category(["a", "b"]))
    with pytest.raises(TrainingError) as caught:
        nw.train(logits, (XS, LABELS), progress=False)
    assert caught.value.where == "linear1 -> output"
    assert caught.value.mend == ("nw.softmax after linear1",)
    with pytest.raises(TrainingError, match=r"nw\.sigmoid after linear1"):
        nw.train(nw.Chain(nw.Linear(1), input=4, output=nw.Boolean()), (XS, [True, False] * 20), progress=False)


def test_torch_s_own_rate_and_groups_are_kept() -> None:
    run = train(optimizer=lambda p: torch.optim.SGD(p, lr=0.5), schedule="constant")
    assert run.epochs[-1].learning_rate == 0.5
    first = nw.initialize(net())
    still = nw.train(
        first,
        (XS, LABELS),
        optimizer=lambda p: torch.optim.SGD([{"params": p[:1], "lr": 0.0}, {"params": p[1:], "lr": 0.1}]),
        progress=False,
        epochs=1,
    )
    assert len(nw.diff(first, still.net).of("kept")) == 1


def test_a_float64_net_comes_back_as_one() -> None:
    run = nw.train(nw.initialize(net()).to(dtype=torch.float64), (XS, LABELS), epochs=1, progress=False)
    assert {array.dtype for array in run.net.arrays.values()} == {torch.float64}


def test_a_validation_loss_that_is_not_finite_stops() -> None:
    bad = nw.Chain(nw.Elementwise("log"), nw.Linear(), input=1, output=nw.Number(0.0, 1.0))
    ones = np.ones((20, 1), dtype=np.float32)
    with pytest.raises(TrainingError) as caught:
        nw.train(bad, (ones, np.ones(20)), validation=(-ones, np.ones(20)), epochs=2, progress=False)
    assert caught.value.where == "after epoch 1, log1, example 0"


@pytest.mark.parametrize("threads", [2**31, 10**9])
def test_so_many_threads_are_refused_and_not_started(threads) -> None:
    with pytest.raises(TrainingError) as caught:
        train(threads=threads)
    most = arguments.most_threads()
    assert str(caught.value) == (
        f"threads is a whole number from 1 to {most}\n  where:    threads\n  got:      {threads} (int)"
    )


def test_a_device_without_numbers_is_none_to_train_on() -> None:
    with pytest.raises(TrainingError) as caught:
        arguments.device("meta")
    assert caught.value.what == "torch has no such device here"
    assert caught.value.got.startswith("'meta': ")


def test_a_precision_that_is_none() -> None:
    with pytest.raises(TrainingError) as caught:
        arguments.precision("float8")
    assert str(caught.value) == (
        'there is no such precision\n  where:    precision\n  expected: "float32", "bf16" or "float64"\n'
        "  got:      'float8'"
    )


@pytest.mark.parametrize("name", ["epochs", "batch_size", "accumulate", "patience", "steps_per_epoch"])
@pytest.mark.parametrize("power", [400, 5000])
def test_a_count_that_no_file_holds(name: str, power: int) -> None:
    net = nw.Chain(nw.Linear(1), input=1)
    with pytest.raises(nw.TrainingError) as caught:
        nw.train(net, [([1.0], [2.0])] * 4, progress=False, **{name: 10**power})
    assert str(caught.value) == (
        f"{name} is at most 9,223,372,036,854,775,807\n"
        f"  where:    {name}\n"
        f"  got:      a whole number with about {power + 1:,} digits"
    )
