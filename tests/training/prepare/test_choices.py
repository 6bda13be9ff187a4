"""Automatic choices: what they are, why, and that they can be given or repeated."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.codecs.sound.audio import Audio
from netwright.codecs.text.characters import Characters
from netwright.data.sources import Source, source
from netwright.errors import TrainingError
from netwright.layers.linear import Linear
from netwright.layers.pool import GlobalAvgPool
from netwright.layers.recurrent.gru import GRU
from netwright.net.chain import Chain
from netwright.net.plan.plan import plan_of
from netwright.training.events import Choice
from netwright.training.feeds.feed import feed
from netwright.training.optimizers import SGD, Adam
from netwright.training.prepare.choices import Chooser, why_whole

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("examples", "size"), [(1, 1), (7, 7), (100, 16), (1000, 16), (10_000, 64), (55_000, 128), (10**7, 256)]
)
def test_batch_size_follows_from_the_number_of_examples(examples, size) -> None:
    choose = Chooser(())
    assert choose.batch_size(None, examples, 1, CPU) == size
    assert choose.made[0].name == "batch size"


@pytest.mark.parametrize(
    ("examples", "epochs", "size"), [(10_000, 1, 8), (10_000, 4, 16), (10_000, 12, 64), (60_000, 3, 64), (5, 1, 5)]
)
def test_batches_are_smaller_where_few_epochs_would_make_few_steps(examples, epochs, size) -> None:
    choose = Chooser(())
    assert choose.batch_size(None, examples, 1, CPU, epochs=epochs) == size
    earlier = Chooser((Choice("epochs", str(epochs), "a reason", epochs),))
    assert earlier.batch_size(None, examples, 1, CPU) == size


def test_why_a_batch_has_its_size() -> None:
    choose = Chooser(())
    choose.batch_size(None, 10_000, 1, CPU, epochs=30)
    choose.batch_size(None, 10_000, 1, CPU, epochs=1)
    assert [str(choice) for choice in choose.made] == [
        "batch size: 64 (half the square root of 10,000 examples, rounded to a power of two from 16 to 256)",
        "batch size: 8 (1 epoch of 10,000 examples in about 2,000 steps; at least 8 examples a step)",
    ]


def test_batch_size_stays_within_memory(monkeypatch) -> None:
    monkeypatch.setattr("netwright.training.prepare.choices.free_memory", lambda device: 4000)
    choose = Chooser(())
    assert choose.batch_size(None, 55_000, 100, CPU) == 8
    assert choose.made[0].why == "the largest batch that fits in a quarter of the free memory"


def test_the_schedule_follows_from_the_number_of_steps() -> None:
    assert Chooser(()).schedule(None, 99) == "constant"
    assert Chooser(()).schedule(None, 100) == "warmup-stable-decay"
    assert Chooser(()).schedule("one-cycle", 5) == "one-cycle"


def test_epochs() -> None:
    assert Chooser(()).epochs(None, 430) == 10
    assert Chooser(()).epochs(None, 7) == 286
    assert Chooser(()).epochs(3, 7) == 3


def test_learning_rate_follows_from_the_widest_layer() -> None:
    plan = nw.Chain(100, nw.relu, nw.Linear(3), input=900).plan
    choose = Chooser(())
    assert choose.learning_rate(None, Adam(), plan, batch=64) == (0.0047, {})
    assert choose.made[0].why == "0.14 / √900, because a neuron has up to 900 inputs; kept between 0.0001 and 0.03"
    assert Chooser(()).learning_rate(None, Adam(), plan, batch=16) == (0.0023, {})
    assert Chooser(()).learning_rate(None, Adam(), plan, batch=16, numbers=True) == (0.0028, {})
    assert Chooser(()).learning_rate(None, SGD(), plan, batch=16) == (0.05, {})
    assert Chooser(()).learning_rate(0.2, Adam(), plan) == (0.2, {})
    by_path = Chooser(())
    assert by_path.learning_rate({"linear1": 0.0}, SGD(), plan) == (0.05, {"linear1": 0.0})
    assert by_path.made[0].value == "0.05, linear1: 0"
    assert Chooser(by_path.made).learning_rate(None, Adam(), plan) == (0.05, {"linear1": 0.0})


def test_what_an_earlier_run_chose_is_chosen_again() -> None:
    choose = Chooser((Choice("batch size", "12", "a reason", 12),))
    assert choose.batch_size(None, 55_000, 1, CPU) == 12
    assert str(choose.made[0]) == "batch size: 12 (copied from the given choices)"


READER = nw.Chain(
    nw.Embedding(2), GRU(3), nw.Linear(), nw.softmax, input=Characters("ab", mark_start=True, max_length=6)
)
NET = nw.with_loss(READER.with_output(Characters("ab", mark_end=True, max_length=6)), nw.CrossEntropy())
TEXTS = source((["a" * (i % 9) for i in range(100)],) * 2)


def test_how_batches_are_made_is_said(monkeypatch) -> None:
    choose = Chooser(())
    choose.batches(feed(TEXTS, NET, CPU), 10, seed=0)
    assert [str(choice) for choice in choose.made] == [
        "batches: by length: 4.4% padding (a random order would have 28% padding)"
    ]
    alike = Chooser(())
    alike.batches(feed(source((["ab"] * 5,) * 2), NET, CPU), 2, seed=0)
    assert alike.made == []
    monkeypatch.setattr("netwright.training.feeds.feed.free_memory", lambda device: 100)
    lazy = Chooser(())
    lazy.batches(feed(replace(TEXTS), NET, CPU), 10, seed=0)
    assert [str(choice) for choice in lazy.made] == [
        "batches: in random order (the data does not fit in memory, so its lengths are not known)"
    ]


def test_texts_that_are_cut_off_are_said() -> None:
    choose = Chooser(())
    choose.truncated(TEXTS, NET.held.inputs)
    assert [str(choice) for choice in choose.made] == [
        "truncated: 33 of 100 at port 'input', 33 of 100 at port 'target' "
        "(the encoder keeps at most `max_length` elements)"
    ]
    whole = Chooser(())
    whole.truncated(source((["ab"] * 5,) * 2), NET.held.inputs)
    assert whole.made == []


def test_sounds_that_are_resampled_are_said() -> None:
    choose = Chooser(())
    waves = [(np.zeros(40, np.float32), 4000), np.zeros(80, np.float32)]
    net = Chain(GlobalAvgPool(), Linear(1), input=Audio(8000))
    choose.converted(source((waves, [0.0, 1.0])), net.held.inputs)
    assert [str(choice) for choice in choose.made] == [
        "converted: 1 of 2 from 4000 Hz at port 'input' (the encoder is Audio(8000))"
    ]


@pytest.mark.parametrize(
    ("given", "value", "why"),
    [
        ({"*": 0, "linear2/*": 1e-2}, "*: 0, linear2/*: 0.01", "the rates by path are given"),
        ({"linear1": 0.5, "linear2": 0}, "linear1: 0.5, linear2: 0", "the rates by path are given"),
        ({"linear2": 0.5}, "0.05, linear2: 0.5", "the rate of the optimizer; the rates by path are given"),
        (0.25, "0.25", "given"),
    ],
)
def test_a_learning_rate_that_no_array_has_is_not_said(given, value, why) -> None:
    choose, plan = Chooser(()), nw.with_loss(nw.Chain(2, nw.BatchNorm(), nw.Linear(1), input=3), nw.MSE()).plan
    wider = given if not isinstance(given, dict) or "*" in given or len(given) == 1 else {**given, "batchnorm1": 0.5}
    choose.learning_rate(wider, SGD(), plan, "net/")
    assert choose.made[0].value == value + (", batchnorm1: 0.5" if wider is not given else "")
    assert choose.made[0].why == why


@pytest.mark.parametrize(("shape", "said"), [((3, 32, 32), True), ((32, 32, 3), False), ((8, 32, 32), False)])
def test_a_word_about_channels(shape, said) -> None:
    choose = Chooser(())
    choose.channels(nw.Chain(nw.Conv(2, (3, 3)), input=shape).plan)
    why = "the last axis has the channels; if the first has them, put nw.Transpose(1, 2, 0) before conv1"
    assert [(one.value, one.why) for one in choose.made] == [("32 of (3, 32, 32)", why)] * said


SENTENCES = [
    f"The {noun} {verb} in {place}."
    for noun in ("cat", "dog")
    for verb in ("sleeps", "eats")
    for place in ("Rome", "Oslo", "Lima", "Bern", "Cairo")
]


def said_of_validation(training: Source, held_out: Source | None) -> list[str]:
    choose = Chooser(())
    choose.examples(training, held_out, ["input"])
    return [str(choice) for choice in choose.made if choice.name == "validation"]


def test_examples_that_validate_and_train_are_said() -> None:
    training = Source({"input": SENTENCES, "target": SENTENCES}, rows=torch.arange(20) + 100)
    others = [*map(str.upper, SENTENCES[:5]), "Birds sing early in the morning."]
    given = Source({"input": others}, name="validation data")
    assert said_of_validation(training, given) == [
        "validation: 5 of 6 examples are also in the training data (row 0 of the validation data = row 100, row 1 of "
        "the validation data = row 101, row 2 of the validation data = row 102, …; texts are compared without case, "
        "spacing and punctuation; their loss says nothing about new examples; nw.split(data, by=…) keeps examples "
        "like these in one part)"
    ]
    held_out = Source({"input": others[4:]}, rows=torch.tensor([7, 8]))
    assert said_of_validation(training, held_out) == [
        "validation: 1 of 2 examples are also in the training data (row 7 = row 104; texts are compared without case, "
        "spacing and punctuation; their loss says nothing about new examples; nw.split(data, by=…) keeps examples "
        "like these in one part)"
    ]
    assert said_of_validation(training, Source({"input": others[5:]})) == []
    assert said_of_validation(training, None) == []


def test_examples_that_were_not_all_looked_at_are_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.data.duplicates.MOST", 10 * 256 * 9)
    pictures = torch.rand(100, 20, 20, generator=torch.Generator().manual_seed(0))
    assert said_of_validation(Source({"input": pictures}), Source({"input": pictures[:12]})) == [
        "validation: at least 9 of 12 examples are also in the training data (row 0 = row 0, row 1 = row 1, row 2 = "
        "row 2, …; pictures may be moved by one pixel; 90 of the 100 that train were looked at; 10 of the 12 that "
        "validate were looked at; their loss says nothing about new examples; nw.split(data, by=…) keeps examples like "
        "these in one part)"
    ]


def pieces(free: int, monkeypatch: pytest.MonkeyPatch, joined: str = "") -> tuple[int, list[str]]:
    monkeypatch.setattr("netwright.training.prepare.choices.free_memory", lambda device: free)
    choose = Chooser(())
    return choose.pieces(10, 1_000_000, 50_000, torch.device("cpu"), joined, Adam()), [
        str(choice) for choice in choose.made
    ]


def test_a_batch_comes_in_pieces_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pieces(20_000_000, monkeypatch) == (1, [])
    assert pieces(5_000_000, monkeypatch) == (
        4,
        [
            "pieces: 4 of a batch (a batch takes about 10.0 MB, and 5.0 MB are free; "
            "the sum of their gradients is that of the batch)"
        ],
    )
    assert pieces(6_000_000, monkeypatch, "norm takes its statistics over the whole batch") == (1, [])


@pytest.mark.parametrize(
    ("joined", "given", "error"),
    [
        (
            "",
            4,
            "a batch of 10 examples does not come in 4 equal pieces\n  where:    accumulate\n"
            "  mend:     accumulate=5\n  or:       batch_size=12",
        ),
        (
            "norm takes its statistics over the whole batch",
            2,
            "a batch of this net cannot be split\n  where:    accumulate\n"
            "  got:      2 pieces, and norm takes its statistics over the whole batch\n"
            "  mend:     leave accumulate out, with a smaller batch_size",
        ),
    ],
)
def test_pieces_that_a_batch_cannot_have_are_refused(joined: str, given: int, error: str) -> None:
    with pytest.raises(TrainingError) as caught:
        Chooser(()).pieces(10, 1, 1, torch.device("cpu"), joined, Adam(), given=given)
    assert str(caught.value) == error


def test_a_given_number_of_pieces_is_taken_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    for free, expected in ((20_000_000, "2 of a batch (given)"), (5_000_000, "4 of a batch (a batch takes about")):
        monkeypatch.setattr("netwright.training.prepare.choices.free_memory", lambda device, free=free: free)
        choose = Chooser(())
        assert choose.pieces(10, 1_000_000, 50_000, torch.device("cpu"), "", Adam(), given=2) == int(expected[0])
        assert str(choose.made[0]).startswith(f"pieces: {expected}")


def test_a_run_that_cannot_fit_is_refused_before_its_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError) as caught:
        pieces(800_000, monkeypatch)
    assert str(caught.value) == (
        "the run does not fit in memory\n"
        "  where:    device 'cpu'\n"
        "  expected: at least 0.4 MB for weights and gradients, 0.5 MB for the values of an example\n"
        "  got:      0.8 MB free\n"
        "  mend:     a smaller net, shorter examples, or a machine with more memory"
    )
    with pytest.raises(TrainingError) as caught:
        pieces(5_000_000, monkeypatch, "norm takes its statistics over the whole batch")
    assert str(caught.value) == (
        "the run does not fit in memory\n"
        "  where:    device 'cpu'\n"
        "  expected: at least 0.4 MB for weights and gradients, 5.0 MB for the values of a batch of 10 examples\n"
        "  got:      5.0 MB free\n"
        "  mend:     a smaller batch_size, since norm takes its statistics over the whole batch\n"
        "  or:       a smaller net, shorter examples, or a machine with more memory"
    )


def test_what_needs_the_whole_batch() -> None:
    def of(*parts: nw.Net) -> str:
        return why_whole(plan_of(nw.Chain(4, *parts, nw.Linear(1), input=2)), "")

    assert of(nw.BatchNorm()) == "batchnorm1 takes its statistics over the whole batch"
    assert of(nw.LayerNorm(), nw.Dropout(0.1)) == ""
