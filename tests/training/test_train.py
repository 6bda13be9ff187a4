"""Training with one call: forms of data, choices, keeping, stopping, freezing, bad input, the same bits again."""

import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.codecs.text.characters import Characters
from netwright.data.held_out import random_parts
from netwright.errors import DataError, NetError, PathError, TrainingError
from netwright.layers.recurrent.gru import GRU
from netwright.net.surgery import hold_arrays
from netwright.training.events import Callback

XS = np.linspace(-1, 1, 60, dtype=np.float32)
SIDES = ["left" if x < 0 else "right" for x in XS]


def classifier(**options):
    return nw.Chain(8, nw.tanh, nw.Linear(), nw.softmax, output=nw.Category(["left", "right"]), **options)


def train(net, data, **options):
    return nw.train(net, data, **{"epochs": 3, "progress": False, **options})


def forms():
    rows = list(zip(XS.tolist(), SIDES, strict=True))
    tensors = torch.utils.data.TensorDataset(torch.tensor(XS)[:, None], torch.tensor([int(x >= 0) for x in XS]))
    loader = torch.utils.data.DataLoader(tensors, batch_size=7)
    return {
        "columns": (XS, SIDES),
        "rows": rows,
        "named": {"input": XS, "target": SIDES},
        "generator": lambda: iter(rows),
        "torch dataset": tensors,
        "torch loader": loader,
    }


@pytest.mark.parametrize("form", forms())
def test_every_form_of_data(form) -> None:
    torch_labels = form.startswith("torch")
    net = nw.Chain(8, nw.tanh, nw.Linear(), nw.softmax)
    net = net.with_output(nw.Category(range(2) if torch_labels else ["left", "right"]))
    run = train(net, forms()[form], epochs=60)
    left = np.array([-0.8], dtype=np.float32) if torch_labels else -0.8
    assert run.net(left) == (0 if torch_labels else "left")


class Noisy(torch.utils.data.Dataset):
    """A data set that draws its numbers each time it is asked: the target is three times the input of the same draw."""

    def __init__(self, n: int = 48) -> None:
        self.n, self.asked = n, 0
        self.draw = torch.Generator().manual_seed(0)

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index):
        self.asked += 1
        x = torch.randn(1, generator=self.draw)
        return x, float(3 * x)


LINE = nw.Chain(nw.Linear(1), input=nw.Array(1), output=nw.Number(0, 1))


def test_input_and_target_of_a_data_set_come_from_one_draw() -> None:
    run = train(LINE, Noisy(), epochs=100, learning_rate=0.05, schedule="constant")
    assert float(run.net.arrays["linear1/weight"]) == pytest.approx(3, abs=0.01)
    assert run.losses[-1] < 1e-3


@pytest.mark.parametrize("memory", [100, 1 << 40])
def test_a_data_set_is_drawn_anew_in_every_epoch_whatever_memory_is_free(monkeypatch, memory) -> None:
    monkeypatch.setattr("netwright.training.feeds.feed.free_memory", lambda device: memory)
    data = Noisy()
    run = train(LINE, data, epochs=5)
    assert 5 * 48 <= data.asked < 6 * 48
    assert [str(choice) for choice in run.choices if choice.name == "examples"] == [
        "examples: read again in every epoch (__getitem__ may give random examples; list(…) reads them once)"
    ]


def passes_of(data):
    """A loader and a function that go through a data set, and an iterator, of which there is one pass."""
    return {
        "loader": torch.utils.data.DataLoader(data, batch_size=8),
        "function": lambda: (data[i] for i in range(len(data))),
        "iterator": (data[i] for i in range(len(data))),
    }


@pytest.mark.parametrize(
    ("form", "held", "epochs", "said"),
    [
        ("loader", None, 3, "read again in every epoch (a stream may give random examples; list(…) reads them once)"),
        ("function", None, 3, "read again in every epoch (a stream may give random examples; list(…) reads them once)"),
        ("iterator", None, 1, "read once (an iterator gives its examples once)"),
    ],
)
def test_a_stream_is_opened_in_every_epoch_or_it_is_said_that_it_is_read_once(form, held, epochs, said) -> None:
    data = Noisy()
    run = train(LINE, passes_of(data)[form], validation=held, learning_rate=0.05)
    assert epochs * 48 <= data.asked <= epochs * 48 + 1  # the first block, which is read first, is trained on
    assert [str(choice) for choice in run.choices if choice.name == "examples"] == [f"examples: {said}"]


@pytest.mark.parametrize(
    ("form", "block", "counted"),
    [
        ("loader", 48, "as its length says"),
        ("function", 48, "those of one pass, which was read to count them"),
        ("function", 8, "those of one pass, which was read to count them"),
    ],
)
def test_a_part_is_held_out_of_a_stream_that_is_not_kept(monkeypatch, form, block, counted) -> None:
    monkeypatch.setattr("netwright.data.blocks.MOST", block)
    monkeypatch.setattr("netwright.training.feeds.passes.free_memory", lambda device: 0)
    rows = [([float(i)], float(i)) for i in range(48)]
    data = torch.utils.data.TensorDataset(*(torch.tensor(list(column)) for column in zip(*rows, strict=True)))
    run = train(LINE, passes_of(data)[form], validation=12, epochs=3, learning_rate=0.01)
    assert {str(choice) for choice in run.choices if choice.name in ("held out", "epoch", "examples")} == {
        "held out: 12 of 48 examples of the stream (training and validation both read the stream, and each leaves out "
        "the examples of the other, which are known by their places in a pass)",
        f"epoch: 36 examples ({counted})",
        "examples: read again in every epoch (a stream may give random examples; list(…) reads them once)",
    }
    trains, validates = ([rows[i] for i in part] for part in random_parts(48, 12, seed=0))
    apart = train(LINE, lambda: iter(trains), validation=validates, epochs=3, learning_rate=0.01)
    assert run.losses == pytest.approx(apart.losses, rel=1e-6)
    assert [epoch.validation["loss"] for epoch in run.epochs] == pytest.approx(
        [epoch.validation["loss"] for epoch in apart.epochs], rel=1e-6
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            lambda: passes_of(Noisy())["function"],
            "passes over the stream differ, so a part of one pass, which is kept in memory, is held out",
        ),
        (
            lambda: torch.utils.data.DataLoader(Noisy(), batch_size=8, shuffle=True),
            "a part of a stream is held out of one pass",
        ),
        (lambda: passes_of(Noisy())["iterator"], "an iterator gives its examples once"),
    ],
    ids=["differs", "shuffles", "iterator"],
)
def test_a_part_of_a_stream_that_does_not_repeat_its_passes_is_held_out_of_one_pass(data, said) -> None:
    run = train(LINE, data(), validation=0.25, epochs=2, learning_rate=0.05)
    assert [str(choice) for choice in run.choices if choice.name in ("examples", "held out")] == [
        f"examples: read once ({said})"
    ]


def test_a_stream_that_validates_is_read_again_in_every_epoch_and_that_is_said() -> None:
    data = Noisy(10)
    run = train(LINE, ([[1.0], [2.0]], [3.0, 6.0]), validation=passes_of(data)["loader"])
    assert data.asked == 10 + 10 * len(run.epochs)
    assert [str(choice) for choice in run.choices if "examples" in choice.name] == [
        "validation examples: read again in every epoch (a stream may give random examples; list(…) reads them once)"
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("port", ["input", "target"])
def test_a_bad_row_is_named_as_the_user_counts_whatever_is_held_out(seed, port) -> None:
    columns = {"input": np.array(XS), "target": np.array(XS)}
    columns[port][41] = np.nan
    net = nw.Chain(nw.Linear(1), input=nw.Number(), output=nw.Number())
    rows = list(zip(*map(np.ndarray.tolist, columns.values()), strict=True))
    for data in (columns, rows, lambda: iter(rows)):
        with pytest.raises(DataError) as caught:
            train(net, data, validation=0.5, seed=seed)
        assert caught.value.where == f"port {port!r}, row 41"


def test_an_example_whose_loss_is_not_finite_is_named_as_the_user_counts() -> None:
    data = ([1.0] * 30 + [0.0] + [1.0] * 9, [1.0] * 40)
    net = nw.Chain(nw.Elementwise("log"), nw.Linear(1), input=nw.Number(0.0, 1.0), output=nw.Number(0.0, 1.0))
    for seed in range(3):
        with pytest.raises(TrainingError) as caught:
            train(net, data, validation=[(1.0, 1.0)], seed=seed)
        assert "example 30" in caught.value.where
    held = [seed for seed in range(4) if 30 not in random_parts(40, 10, seed)[1].tolist()]
    with pytest.raises(TrainingError) as caught:
        train(net, data, validation=10, seed=held[0])
    assert "example 30" in caught.value.where


@pytest.mark.parametrize(
    ("held", "plain"),
    [
        (np.int64(5), 5),
        (np.uint8(5), 5),
        (np.array(5), 5),
        (torch.tensor(5), 5),
        (np.float64(0.25), 0.25),
        (np.float32(0.25), 0.25),
        (torch.tensor(0.25), 0.25),
    ],
)
def test_a_number_of_numpy_or_torch_holds_out_as_pythons_own(held, plain) -> None:
    runs = [train(classifier(), (XS, SIDES), validation=each, epochs=1) for each in (held, plain)]
    assert runs[0].net == runs[1].net and runs[0].epochs[0].validation == runs[1].epochs[0].validation


def test_what_was_learned_of_the_data_comes_from_the_training_part_alone() -> None:
    run = train(nw.Chain(4, nw.tanh, nw.Linear(), output=nw.Number()), (XS, 2 * XS), validation=(XS + 100, XS))
    assert run.net.inputs["input"].mean == pytest.approx(0, abs=1e-6)
    assert run.net.outputs["output"].deviation == pytest.approx(2 * XS.std(), rel=1e-4)


def test_the_best_validation_epoch_is_kept_and_the_last_is_there() -> None:
    run = train(classifier(), (XS, SIDES), validation=20, epochs=8, learning_rate=0.5, schedule="constant")
    losses = [epoch.validation["loss"] for epoch in run.epochs]
    assert run.best == 1 + losses.index(min(losses))
    assert (run.net == run.last) == (run.best == 8)
    assert 0 <= run.epochs[-1].validation["error"] <= 1


def test_without_validation_the_last_is_the_best() -> None:
    run = train(classifier(), (XS, SIDES))
    assert run.best == 3
    assert run.net == run.last
    assert len(run.losses) == 3 * 8


def test_same_seed_same_choices_fresh_process_same_bits() -> None:
    script = (
        "import netwright as nw, numpy as np\n"
        "xs = np.linspace(-1, 1, 60, dtype='float32')\n"
        "net = nw.Chain(8, nw.tanh, nw.Dropout(0.1), nw.Linear(), output=nw.Number())\n"
        "run = nw.train(net, (xs, xs ** 2), validation=0.2, epochs=5, seed=3, progress=False)\n"
        "print(nw.digest(run.net))"
    )
    digests = {subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout for _ in range(2)}
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64


def test_another_seed_another_net() -> None:
    first, second = (train(classifier(), (XS, SIDES), seed=seed).net for seed in (0, 1))
    assert first != second
    assert nw.alike(first, second)


def test_rates_by_path_freeze_and_differ() -> None:
    net = nw.initialize(classifier(input=nw.Number(0.0, 1.0)))
    run = train(net, (XS, SIDES), learning_rate={"linear1": 0})
    difference = nw.diff(net, run.net)
    assert difference.of("kept") == ("linear1/weight", "linear1/bias")
    assert difference.of("changed") == ("linear2/weight", "linear2/bias")
    with pytest.raises(PathError) as caught:
        train(net, (XS, SIDES), learning_rate={"liner1/*": 0})
    assert caught.value.mend == ("did you mean 'linear1' or 'linear1/bias' or 'linear2'?",)


def test_nothing_left_to_train() -> None:
    with pytest.raises(TrainingError, match="nothing is left to train"):
        train(classifier(), (XS, SIDES), learning_rate={"*": 0})


class Interrupts(Callback):
    """Presses Ctrl-C after so many steps."""

    def __init__(self, after: int) -> None:
        self.after, self.ended = after, ""

    def on_step(self, status) -> None:
        if status.step == self.after:
            raise KeyboardInterrupt

    def on_end(self, status) -> None:
        self.ended = status.ended


def test_ctrl_c_returns_the_best_so_far() -> None:
    callback = Interrupts(after=6)
    run = train(classifier(), (XS, SIDES), validation=20, callbacks=[callback])
    assert run.ended == callback.ended == "interrupted"
    assert run.best == 2 - (len(run.epochs) < 2)
    assert run.net(0.5) in ("left", "right")


def test_a_callback_stops_the_run() -> None:
    class Stops(Callback):
        def on_epoch(self, status) -> None:
            if len(status.done) == 2:
                status.stop()

    run = train(classifier(), (XS, SIDES), callbacks=[Stops()], epochs=10)
    assert run.ended == "stopped"
    assert len(run.epochs) == 2


def test_a_loss_that_is_not_finite_names_the_part_and_the_example() -> None:
    net = nw.Chain(nw.Elementwise("log"), nw.Linear(), output=nw.Number(0.0, 1.0), input=1)
    xs = np.ones((40, 1), dtype=np.float32)
    xs[17] = -1
    with pytest.raises(TrainingError) as caught:
        train(net, (xs, np.ones(40)))
    assert "log1, example 17" in caught.value.where
    assert caught.value.run.last.arrays.keys() == {"linear1/weight", "linear1/bias"}


def lengths():
    """A net that takes the length of a vector, whose derivative at 0 is not finite; and data with one such example."""
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    x[17] = 0
    net = nw.Chain(nw.Linear(4, bias=False), nw.square, nw.Sum(0), nw.sqrt, nw.Reshape(1), input=3)
    return net.with_output(nw.Number(0.0, 1.0)), (x, np.ones(40))


def sound(run) -> bool:
    return all(bool(array.isfinite().all()) for net in (run.net, run.last) for array in net.arrays.values())


@pytest.mark.parametrize("validation", [None, (np.ones((4, 3), dtype=np.float32), np.ones(4))])
@pytest.mark.parametrize("epochs", [1, 3])
def test_a_gradient_that_is_not_finite_names_the_part_and_the_example(validation, epochs) -> None:
    net, data = lengths()
    start = nw.initialize(net)
    with pytest.raises(TrainingError) as caught:
        train(start, data, batch_size=40, epochs=epochs, validation=validation, learning_rate=0.01)
    assert str(caught.value) == (
        "the gradient is not finite\n"
        "  where:    step 1, sqrt1, example 17\n"
        "  got:      nan\n"
        "  mend:     look at that example\n"
        "  or:       a function with a finite slope there, in place of sqrt1\n"
        "  or:       a lower learning rate than 0.01"
    )
    assert caught.value.run.net == caught.value.run.last == start


@pytest.mark.parametrize("width", [(), (nw.BatchNorm(),)])  # the written engine, and autograd
@pytest.mark.parametrize("validation", [None, 8])
@pytest.mark.parametrize("stops", [False, True])
def test_an_update_that_overflows_in_the_last_step_leaves_the_net_before_it(width, validation, stops) -> None:
    class Stops(Callback):
        def on_step(self, status) -> None:
            if stops:
                status.stop()

    net = nw.initialize(nw.Chain(8, *width, nw.tanh, nw.Linear(), input=1, output=nw.Number(0.0, 1.0)))
    with pytest.raises(TrainingError) as caught:
        train(
            net, (XS[:, None], np.full(60, 1e6)), epochs=1, batch_size=60, validation=validation,
            learning_rate=3e38, optimizer=nw.SGD(momentum=0), callbacks=[Stops()], schedule="constant",
        )  # fmt: skip
    assert caught.value.what == "the weights are not finite"
    assert caught.value.where.startswith("after step 1, ")
    assert caught.value.mend == ("a lower learning rate than 3e+38", "clip=1.0")
    assert sound(caught.value.run)


def test_a_net_that_is_not_finite_is_not_trained() -> None:
    start = nw.initialize(classifier(input=1))
    arrays = {**start.arrays, "linear1/bias": torch.full_like(start.arrays["linear1/bias"], np.nan)}
    with pytest.raises(TrainingError) as caught:
        train(start.with_arrays(arrays), (XS[:, None], SIDES))
    assert str(caught.value) == (
        "the weights are not finite\n"
        "  where:    before the first step, linear1/bias\n"
        "  got:      nan or inf\n"
        "  mend:     net.bare(), to begin with new arrays"
    )


def test_weights_that_the_nets_own_number_type_cannot_hold_are_not_given_back() -> None:
    """Training is in float32, and the net comes back in float16, whose largest number is 65504."""
    net = nw.initialize(nw.Chain(nw.Linear(1), input=1, output=nw.Number(0, 1))).to(torch.float16)
    with pytest.raises(TrainingError) as caught:
        train(net, (XS[:, None], XS), epochs=1, batch_size=60, learning_rate=1e6)
    assert caught.value.where == "after step 1, linear1/weight"
    assert sound(caught.value.run)
    assert {array.dtype for array in caught.value.run.net.arrays.values()} == {torch.float16}


def test_a_run_without_a_step_gives_back_the_arrays_as_they_were() -> None:
    net = nw.initialize(classifier(input=1)).to(torch.float64)
    net = net.with_arrays({path: array * 1e60 for path, array in net.arrays.items()})  # too large for float32
    with pytest.raises(TrainingError) as caught:
        train(net, (XS[:, None], SIDES))
    assert caught.value.run.net == net


@pytest.mark.parametrize("loss", [lambda y, t: (y - t).detach().sum(), lambda y, t: (y > t).float().sum()])
def test_a_loss_without_a_gradient_is_refused(loss) -> None:
    net = nw.Chain(nw.Linear(1), input=1, output=nw.Number(0, 1))
    with pytest.raises(TrainingError) as caught:
        train(net, (XS[:, None], XS), loss=loss)
    assert str(caught.value) == (
        "the loss does not depend on the weights, so that there is nothing to learn from\n"
        "  where:    loss\n"
        "  expected: a loss with a gradient, which torch computes through every operation on the output\n"
        "  mend:     leave out what has no gradient, such as .detach(), .long(), argmax, > and torch.no_grad()"
    )


class Ends(Callback):
    """Ends a run by this error, after so many steps or when it is told that the run has ended."""

    def __init__(self, error: BaseException, after: int = 0) -> None:
        self.error, self.after = error, after

    def on_step(self, status) -> None:
        if status.step == self.after:
            raise self.error

    def on_end(self, status) -> None:
        if not self.after:
            raise self.error


class Frozen(Exception):
    """An error that takes no attribute."""

    @property
    def run(self) -> None:
        """Taken."""


@pytest.mark.parametrize("after", [0, 6])
@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), ValueError("mine")])
def test_whatever_ends_a_run_carries_it(error, after) -> None:
    hears = Interrupts(after=10**6)
    with pytest.raises(type(error)) as caught:
        train(classifier(), (XS, SIDES), validation=20, callbacks=[Ends(error, after), hears])
    assert caught.value is error
    assert error.run.best == (1 if after else 3)
    assert error.run.net(0.5) in ("left", "right")
    assert hears.ended == error.run.ended, "the other callbacks are told too"


def test_an_error_that_takes_no_attribute_is_raised_as_it_is() -> None:
    error = Frozen("mine")
    with pytest.raises(Frozen) as caught:
        train(classifier(), (XS, SIDES), callbacks=[Ends(error, 3)])
    assert caught.value is error


@dataclass(frozen=True)
class Stop(Exception):
    """An error that is a value: `stop.run = run` raises FrozenInstanceError."""

    why: str


@pytest.mark.parametrize("after", [[6], [0], [0, 0]])
def test_an_error_that_is_a_frozen_value_comes_out_and_carries_the_run(after) -> None:
    errors = [Stop(f"mine, after {step} steps") for step in after]
    hears = Interrupts(after=10**6)
    with pytest.raises(Stop) as caught:
        train(classifier(), (XS, SIDES), callbacks=[*(Ends(*pair) for pair in zip(errors, after, strict=True)), hears])
    assert caught.value is errors[-1]
    assert errors[-1].run.net(0.5) in ("left", "right")
    assert hears.ended == errors[-1].run.ended, "the other callbacks are told too"


def test_an_error_that_is_a_frozen_value_is_named_where_a_module_raises_it_in_training() -> None:
    class Stops(torch.nn.Module):
        def forward(self, x):
            if self.training:
                raise Stop("mine")
            return x

    net = nw.Chain(8, nw.Module(Stops()), nw.Linear(), nw.softmax, input=nw.Number(), output=nw.Category())
    with pytest.raises(NetError) as caught:
        train(net, (XS, SIDES))
    assert caught.value.what == "net/module1 raised Stop"
    assert caught.value.got.startswith("mine (in Module(Stops())")


def test_a_second_ctrl_c_carries_the_run() -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        train(classifier(), (XS, SIDES), callbacks=[Interrupts(after=6), Ends(KeyboardInterrupt())])
    assert caught.value.run.ended == "interrupted"


def test_ctrl_c_while_the_result_is_put_together_waits_for_it(monkeypatch) -> None:
    def interrupted(net, arrays):
        signal.raise_signal(signal.SIGINT)
        return hold_arrays(net, arrays)

    monkeypatch.setattr("netwright.training.holding.hold_arrays", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        train(classifier(), (XS, SIDES))
    assert caught.value.run.ended == "all epochs done"
    assert caught.value.run.net(0.5) in ("left", "right")


def test_small_pieces_are_one_large_batch() -> None:
    """To 1e-6 in float64, also where lengths differ, so that each piece is padded in another way."""
    texts = ["abcabcabcabc"[: 2 + i % 9] for i in range(40)]
    reader = nw.Chain(nw.Embedding(4), nw.GRU(5), nw.Linear(), nw.softmax, input=nw.Characters("abc"))
    for net, data, more in (
        (reader, texts, {"objective": nw.NextElement()}),
        (classifier(), (XS, SIDES), {"weights": [1 + i % 3 for i in range(len(XS))]}),
    ):
        options = {"epochs": 3, "batch_size": 12, "precision": "float64", **more}
        whole = train(net, data, **options)
        for pieces in (3, 12):
            run = train(net, data, accumulate=pieces, **options)
            assert run.losses == pytest.approx(whole.losses, abs=1e-6)
            for path, array in whole.net.arrays.items():
                torch.testing.assert_close(run.net.arrays[path], array, rtol=0, atol=1e-6)
            assert f"pieces: {pieces} of a batch (given)" in map(str, run.choices)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_labels_are_smoothed_in_training_and_validation(precision) -> None:
    options = {"epochs": 2, "batch_size": 10, "validation": 10, "precision": precision}
    run = train(classifier(), (XS, SIDES), label_smoothing=0.3, **options)
    other = train(classifier(), (XS, SIDES), loss=nw.CrossEntropy(smoothing=0.3), **options)
    assert run.net == other.net and run.losses == other.losses
    assert run.epochs[0].validation == other.epochs[0].validation
    assert run.losses != train(classifier(), (XS, SIDES), **options).losses
    assert "label smoothing: 0.3 (given)" in map(str, run.choices)


def test_weights_count_examples() -> None:
    xs = np.zeros((40, 1), dtype=np.float32)
    ys = np.array([0.0] * 20 + [10.0] * 20)
    weights = [1.0] * 20 + [3.0] * 20
    net = nw.Chain(nw.Linear(), input=1, output=nw.Number(0.0, 1.0))
    run = train(net, (xs, ys), weights=weights, epochs=200, learning_rate=0.1)
    assert run.net(np.zeros(1, dtype=np.float32)) == pytest.approx(7.5, abs=0.2)


@pytest.mark.parametrize(("clip", "length"), [({"clip": 1.0}, 0.5), ({"clip_value": 1.0}, 0.5 * 2**0.5)])
def test_clipping_bounds_the_step(clip, length) -> None:
    net = nw.initialize(nw.Chain(nw.Linear(), input=1, output=nw.Number(0.0, 1.0)))
    run = train(
        net,
        (np.ones((8, 1), dtype=np.float32), np.full(8, 1e6)),
        epochs=1,
        batch_size=8,
        **clip,
        optimizer=nw.SGD(momentum=0),
        learning_rate=0.5,
        schedule="constant",
    )
    moved = sum(float((run.net.arrays[path] - array).square().sum()) for path, array in net.arrays.items())
    assert moved**0.5 == pytest.approx(length, rel=1e-3)


def test_earlier_choices_are_made_again() -> None:
    first = train(classifier(), (XS, SIDES), epochs=2, batch_size=10)
    again = nw.train(classifier(), (XS, SIDES), choices=first.choices, progress=False)
    assert again.net == first.net


def test_a_net_that_ends_in_its_losses() -> None:
    net = nw.with_loss(classifier(input=nw.Number(0.0, 1.0)), nw.CrossEntropy())
    run = train(net, (XS, SIDES), epochs=60)
    assert run.net["net"].with_output(nw.Category(["left", "right"]))(-0.8) == "left"


def test_several_outputs() -> None:
    net = nw.Graph(
        body=(nw.Chain(8, nw.tanh), "input"),
        side=(nw.Chain(nw.Linear(), nw.softmax), "body"),
        square=(nw.Linear(), "body"),
        input=nw.Number(),
        output={"side": nw.Category(["left", "right"]), "square": nw.Number()},
    )
    data = {"input": XS, "side_target": SIDES, "square_target": XS**2}
    run = train(net, data, epochs=100, validation=0.2)
    answer = run.net(-0.8)
    assert answer["side"] == "left"
    assert answer["square"] == pytest.approx(0.64, abs=0.3)


NAMES = ["anna", "bo", "eva", "ottoline", "max", "ada", "ernest", "li", "zoe", "christopher"] * 6
ENDS = ["a" if name.endswith("a") else "other" for name in NAMES]


def last_letter(*body):
    body = body or (GRU(8), nw.GlobalMaxPool())
    return nw.Chain(nw.Embedding(4), *body, nw.Linear(), nw.softmax, input=Characters(), output=nw.Category())


def test_examples_of_any_length() -> None:
    run = train(last_letter(), (NAMES, ENDS), epochs=30, validation=0.2)
    assert run.net(["eva", "max"]) == ["a", "other"]
    assert run.epochs[-1].validation["error"] == 0
    said = next(choice for choice in run.choices if choice.name == "batches")
    assert said.value.startswith("by length: ")
    assert run.net == train(last_letter(), (NAMES, ENDS), validation=0.2, choices=run.choices, epochs=None).net


def test_examples_of_any_length_in_bf16() -> None:
    runs = [train(last_letter(), (NAMES, ENDS), precision=p, epochs=30) for p in ("float32", "bf16")]
    assert abs(runs[0].losses[0] - runs[1].losses[0]) < 0.02
    assert all(run.net(["eva", "max"]) == ["a", "other"] for run in runs)


def test_float64_is_torchs_own_loop_to_the_last_digits() -> None:
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    y = x.sum(1, keepdim=True)
    net = nw.initialize(nw.Chain(nw.Linear(1), input=3), seed=1)
    run = train(
        nw.Chain(*net, input=3, output=1).with_arrays(net.arrays), (x, y), precision="float64", batch_size=20,
        optimizer=nw.SGD(), learning_rate=0.1, schedule="constant", validation=(x, y), loss=nw.MSE(), epochs=30,
    )  # fmt: skip
    module = torch.nn.Linear(3, 1, dtype=torch.float64)
    module.load_state_dict({"weight": net.arrays["linear1/weight"], "bias": net.arrays["linear1/bias"]})
    optimizer = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9)
    for _ in range(30):
        optimizer.zero_grad()
        (module(x.double()) - y).square().mean().backward()
        optimizer.step()
    assert (run.last.arrays["linear1/weight"] - module.weight).abs().max() < 1e-14
    assert abs(run.epochs[-1].validation["loss"] - (module(x.double()) - y).square().mean().item()) < 1e-14


def test_float64_gives_a_net_of_float64_in_nets_of_every_kind() -> None:
    body = nw.GRU(5), nw.LayerNorm(), nw.Dropout(0.1), nw.Last()
    run = train(last_letter(*body), (NAMES, ENDS), precision="float64", validation=0.2, batch_size=32)
    assert {array.dtype for array in run.net.arrays.values()} == {torch.float64}
    assert isinstance(run.net("eva"), str)
    image = nw.Chain(
        nw.Conv(3, 3), nw.BatchNorm(), nw.relu, nw.MaxPool(2), nw.Flatten(), nw.Linear(), nw.softmax,
        input=nw.Image(8, 8, "gray"), output=nw.Category(),
    )  # fmt: skip
    pictures = np.random.default_rng(0).integers(0, 255, (30, 8, 8), np.uint8)
    run = train(image, (pictures, ["ab"[i % 2] for i in range(30)]), precision="float64", batch_size=10)
    assert {array.dtype for array in run.net.arrays.values()} == {torch.float64}


def test_a_name_too_short_for_a_window_is_refused_before_training() -> None:
    with pytest.raises(DataError) as caught:
        train(last_letter(nw.Conv(4, 3), nw.relu, nw.GlobalMaxPool()), (NAMES, ENDS))
    assert str(caught.value) == (
        "an example is too short for this net\n"
        "  where:    row 1, conv1\n"
        "  expected: at least 1 position in (n - 2, 4)\n"
        "  got:      n = 2"
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (([], []), "no"),
        (([1.0, float("nan")], ["left", "right"]), "row 1"),
        (([1.0, 2.0], ["left", "rihgt"]), "did you mean 'right'?"),
        (([1.0, 2.0, 3.0], ["left", "right"]), "different lengths"),
    ],
)
def test_bad_data_is_a_plain_error(data, text) -> None:
    with pytest.raises(DataError) as caught:
        train(classifier(input=nw.Number(0.0, 1.0)), data)
    assert text in str(caught.value)


def test_one_example_trains() -> None:
    assert train(classifier(input=nw.Number(0.0, 1.0)), ([0.5], ["left"]), epochs=50).net(0.5) == "left"


def test_bf16_and_float32_agree() -> None:
    runs = [train(classifier(input=nw.Number()), (XS, SIDES), precision=p, epochs=60) for p in ("float32", "bf16")]
    assert abs(runs[0].losses[0] - runs[1].losses[0]) < 0.02
    assert runs[1].net.arrays["linear1/weight"].dtype == torch.float32
    assert all(run.net(-0.8) == "left" for run in runs)


def test_running_arrays_are_written() -> None:
    net = nw.Chain(4, nw.BatchNorm(), nw.relu, nw.Linear(), nw.softmax, output=nw.Category(["left", "right"]))
    run = train(net, (XS, SIDES), epochs=20)
    assert not torch.equal(run.net.arrays["batchnorm1/mean"], torch.zeros(4))
    assert run.net(-0.9) == "left"


def normed(norm):
    return nw.Chain(8, norm, nw.relu, nw.Linear(), nw.softmax, input=nw.Array(1), output=nw.Category(["left", "right"]))


@pytest.mark.parametrize("norm", [nw.BatchNorm(), nw.Module(torch.nn.BatchNorm1d(8))])
@pytest.mark.parametrize(("count", "batch_size", "steps"), [(17, None, 2), (33, None, 4), (13, 4, 3), (14, 4, 4)])
def test_a_last_batch_that_a_batch_norm_cannot_bear_joins_the_one_before(norm, count, batch_size, steps) -> None:
    run = train(normed(norm), (XS[:count, None], SIDES[:count]), batch_size=batch_size)
    assert run.ended == "all epochs done"
    assert len(run.losses) == 3 * steps


@pytest.mark.parametrize("norm", [nw.BatchNorm(), nw.Module(torch.nn.BatchNorm1d(8))])
@pytest.mark.parametrize(("count", "mend"), [(1, "2 examples or more"), (9, "batch_size=2, or more")])
def test_batches_of_one_are_refused_where_a_part_cannot_train_on_them(norm, count, mend) -> None:
    net = normed(norm)
    with pytest.raises(DataError) as caught:
        train(net, (XS[:count, None], SIDES[:count]), batch_size=1)
    assert str(caught.value) == (
        "this part cannot train on one example at once\n"
        f"  where:    {'module1' if isinstance(norm, nw.Module) else 'batchnorm1'}\n"
        "  expected: at least 2 examples in a batch\n"
        "  got:      1\n"
        f"  mend:     {mend}"
    )


@contextmanager
def doubles_by_default():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


NETS = {
    "written": classifier(),
    "autograd": normed(nw.BatchNorm()),
    "picture": nw.Chain(
        nw.Conv(4, 3), nw.relu, nw.MaxPool(2), nw.Flatten(), nw.Linear(), nw.softmax,
        input=nw.Image(8, 8, "gray"), output=nw.Category(["left", "right"]),
    ),
    "reader": nw.Chain(nw.Embedding(4), GRU(5), nw.Linear(), nw.softmax),
}  # fmt: skip


def learned(name):
    """What a run leaves, and what its net answers and measures."""
    data = {
        "written": (XS, SIDES),
        "autograd": (XS[:, None], SIDES),
        "picture": (np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8), SIDES),
        "reader": ["abc", "ab"] * 10,
    }[name]
    if name == "reader":
        run = train(NETS[name], data, validation=4, objective=nw.NextElement())
        return run, nw.generate(run.net, "a", max_elements=3)
    run = train(NETS[name], data, validation=20)
    return run, (run.net(data[0][0]), str(nw.measure(run.net, data)))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize(
    "state", [doubles_by_default, torch.no_grad, lambda: torch.device("meta"), torch.inference_mode]
)
def test_nothing_depends_on_the_state_of_torch(name, state) -> None:
    expected, answers = learned(name)
    with state():
        run, found = learned(name)
    assert run.losses == expected.losses
    assert run.net == expected.net
    assert found == answers
    assert not any(array.is_inference() for array in run.net.held.arrays.values())


def test_training_is_the_same_under_autocast() -> None:
    x = torch.linspace(-1, 1, 48).reshape(16, 3)
    net = nw.Chain(8, nw.BatchNorm(), nw.relu, 1, input=nw.Vector(3, mean=0, deviation=1), output=nw.Number(0, 1))

    def losses() -> list[float]:
        run = nw.train(net, (x, x.sum(1)), epochs=2, batch_size=8, precision="float32", threads=1, progress=False)
        return [epoch.loss for epoch in run.epochs]

    alone = losses()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert losses() == alone


def test_a_stream_without_an_end_has_epochs_of_so_many_steps() -> None:
    data = Noisy()

    def endless():
        while True:
            yield data[0]

    run = train(LINE, endless, steps_per_epoch=7, epochs=3, batch_size=5, validation=([[1.0]], [3.0]))
    assert (len(run.losses), len(run.epochs)) == (21, 3)
    said = {choice.name: str(choice) for choice in run.choices}
    assert said["epoch"] == (
        "epoch: so many steps, whatever a pass has (given; codecs learn from the first 10,000 examples)"
    )
    assert said["steps per epoch"] == "steps per epoch: 7 (given)"


@pytest.mark.parametrize(
    ("data", "more", "text"),
    [
        (
            ([[1.0], [2.0]], [3.0, 6.0]),
            {},
            "steps_per_epoch is for streams that can be opened again, and these examples are counted\n"
            "  where:    steps_per_epoch=2\n"
            "  got:      2 examples\n"
            "  mend:     leave it out",
        ),
        (
            iter([([1.0], 3.0)]),
            {},
            "steps_per_epoch is for streams that can be opened again, and these examples are counted\n"
            "  where:    steps_per_epoch=2\n"
            "  got:      an iterator, which is kept in memory\n"
            "  mend:     the function that makes the iterator",
        ),
        (
            lambda: iter([([1.0], 3.0)]),
            {"keep": True},
            "a stream of which an epoch is a number of steps is not read to its end\n"
            "  where:    steps_per_epoch=2\n"
            "  got:      keep=True\n"
            "  mend:     leave keep=True out",
        ),
        (
            lambda: iter([([1.0], 3.0)]),
            {"validation": 0.5},
            "a stream of which an epoch is a number of steps is not read to its end\n"
            "  where:    steps_per_epoch=2\n"
            "  got:      validation=0.5, a part of the stream\n"
            "  mend:     validation=…, examples of your own",
        ),
    ],
)
def test_steps_per_epoch_is_for_streams_that_are_not_counted(data, more, text) -> None:
    with pytest.raises(DataError) as caught:
        train(LINE, data, steps_per_epoch=2, **more)
    assert str(caught.value) == text


def test_a_kept_stream_is_shuffled_as_a_whole_and_one_in_blocks_says_its_order() -> None:
    data = Noisy()
    run = train(LINE, passes_of(data)["function"], epochs=2, keep=True)
    assert {"order", "epoch"}.isdisjoint(choice.name for choice in run.choices)
    assert "keep: True (given)" in map(str, run.choices)
    run = train(LINE, passes_of(data)["loader"], epochs=2)
    assert [str(choice) for choice in run.choices if choice.name in ("order", "epoch")] == [
        "order: shuffled within blocks of 10,000 examples; a block ends earlier where it reaches 24 MB "
        "(the stream is not kept in memory; keep=True keeps a pass and shuffles all of it)",
        "epoch: 48 examples (as its length says)",
    ]
    with pytest.raises(nw.TrainingError, match="keep is True or False"):
        train(LINE, data, keep="yes")


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_loader_that_shuffles_cannot_repeat_its_passes_and_the_run_says_so(shuffle) -> None:
    rows = torch.utils.data.TensorDataset(torch.arange(8.0)[:, None], torch.arange(8.0)[:, None])
    run = train(LINE, torch.utils.data.DataLoader(rows, batch_size=4, shuffle=shuffle), epochs=1)
    said = (
        "passes: each in another order, so a run that goes on sees other batches "
        "(the DataLoader shuffles; a run that goes on is exact where the data set itself is the data)"
    )
    assert (said in map(str, run.choices)) == shuffle


def test_codecs_learn_from_a_whole_pass_of_a_stream(monkeypatch) -> None:
    monkeypatch.setattr("netwright.data.blocks.MOST", 8)
    rows = [([float(i), 1.0], "abc"[i // 20]) for i in range(60)]
    net = nw.Chain(4, nw.tanh, 3, nw.softmax, input=nw.Vector())
    for learned in (1 << 20, 0):
        monkeypatch.setattr("netwright.data.blocks.LEARNED", learned)
        run = train(net, lambda: iter(rows), epochs=1)
        assert run.net.outputs["output"] == nw.Category(["a", "b", "c"])
        assert run.net.inputs["input"] == nw.Vector().fit([x for x, _ in rows])
