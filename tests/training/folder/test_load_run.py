"""Reading a run back: equal in every curve and choice, and what was done so far of one that has not ended."""

from collections.abc import Mapping
from pathlib import Path

import pytest

import netwright as nw
from netwright.errors import FileError
from netwright.training.loggers.logger import Logger
from run_tools import XS, YS, Ends, assert_same, trained


def test_a_run_comes_back(tmp_path: Path) -> None:
    run = trained(tmp_path)
    assert_same(nw.load_run(tmp_path), run)


def test_a_run_that_has_not_ended(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no more") as caught:
        trained(tmp_path, callbacks=[Ends(7, ValueError("no more"))])
    so_far, run = nw.load_run(tmp_path), caught.value.run  # type: ignore[attr-defined]
    assert (so_far.net, so_far.last, so_far.losses, so_far.ended) == (run.net, run.last, run.losses, "not ended")


def test_a_net_of_other_numbers(tmp_path: Path) -> None:
    net = nw.initialize(nw.Chain(3, nw.Linear(1), input=2))
    net = net.with_arrays({path: array.double() for path, array in net.arrays.items()})
    run = nw.train(net, ([[1.0, 2.0]] * 4, [[1.0]] * 4), folder=tmp_path, epochs=1, progress=False)
    assert nw.load_run(tmp_path).net == run.net


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        nw.load_run(tmp_path)
    assert str(caught.value) == (
        "no run is in this folder\n"
        f"  where:    {tmp_path}\n"
        "  expected: a folder that nw.train(…, folder=…) wrote, with run.json"
    )


def test_a_folder_that_was_moved(tmp_path: Path) -> None:
    run = trained(tmp_path / "a")
    assert str(next(c.value for c in run.choices if c.name == "folder")) == str(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    for moved in (nw.load_run(tmp_path / "b"), trained(tmp_path / "b")):
        assert_same(moved, run)
        assert [c.value for c in moved.choices if c.name == "folder"] == [str(tmp_path / "b")]


def test_a_first_net_that_was_removed(tmp_path: Path) -> None:
    run = trained(tmp_path)
    (tmp_path / "start.net").unlink()
    with pytest.raises(FileError) as caught:
        nw.load_run(tmp_path)
    assert str(caught.value) == (
        "the net before the run is missing or damaged\n"
        f"  where:    {tmp_path / 'start.net'}\n"
        "  mend:     the call of nw.train that made the run again; "
        "it writes this file anew, and goes on or gives the run"
    )
    trained(tmp_path)
    assert_same(nw.load_run(tmp_path), run)


def test_a_logger_that_cannot_be_closed_is_in_the_choices(tmp_path: Path) -> None:
    class Fails(Logger):
        def begin(self, texts: Mapping[str, str], goes_on: bool) -> None: ...
        def log(self, numbers: Mapping[str, float], step: int) -> None: ...
        def end(self) -> None:
            raise OSError("the tool does not answer")

    run = trained(tmp_path, callbacks=[Fails("json", "json", "json")])
    assert ("logger Fails", "stopped") in {(choice.name, choice.value) for choice in run.choices}
    assert_same(nw.load_run(tmp_path), run)
    assert_same(trained(tmp_path), run)
    assert "the tool does not answer" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_run_is_shown_as_it_was(tmp_path: Path) -> None:
    digits = nw.dataset("digits").train
    net = nw.Chain(nw.Flatten(), nw.Linear(), nw.softmax, input=nw.Image(28, 28, "gray"), output=nw.Category(range(10)))
    some = (digits.inputs[:40], digits.targets[:40])
    run = nw.train(net, some, validation=10, epochs=1, folder=tmp_path, progress=False)
    assert repr(nw.load_run(tmp_path)) == repr(run)
    assert repr(run).startswith("Run: 1 epoch in ")
    assert list(run.epochs[0].validation) == ["loss", "error"]
    assert run.net.history[-1].text.startswith("1 epoch, 4 steps, all epochs done, epoch 1 kept; ")


@pytest.mark.parametrize("more", [{}, {"learning_rate": {"linear1": 0, "linear2": 0.01}}])
def test_a_run_with_averages(tmp_path: Path, more: dict[str, object]) -> None:
    """Its nets are the averages of the weights, as the run itself gives them, and it can be replayed."""
    run = trained(tmp_path / "a", ema=0.9, **more)
    read = nw.load_run(tmp_path / "a")
    assert_same(read, run)
    assert nw.replay(read, (XS, YS), validation=0.1, progress=False).equal
    with pytest.raises(ValueError, match="no more") as caught:
        trained(tmp_path / "b", ema=0.9, callbacks=[Ends(3, ValueError("no more"))], **more)
    read, run = nw.load_run(tmp_path / "b"), caught.value.run  # type: ignore[attr-defined]
    assert (read.net, read.last, read.best) == (run.net, run.last, 0)


def test_a_fork_without_averages_has_the_weights(tmp_path: Path) -> None:
    trained(tmp_path / "a", epochs=2)
    trained(tmp_path / "b", epochs=2, ema=0.9)
    plain = nw.load_run(nw.fork(tmp_path / "a", epoch=1))
    averaged, weights = (nw.load_run(nw.fork(tmp_path / "b", epoch=1, **more)) for more in ({}, {"ema": None}))
    assert weights.last == plain.last != averaged.last


REPEATED = {
    "penalties": {"penalties": {"*": nw.L2(0.1)}, "optimizer": nw.SGD(momentum=0.5)},
    "rates": {"learning_rate": {"linear1": 0, "linear2": 0.01}, "ema": 0.9},
    "range test": {"learning_rate": nw.RangeTest(steps=20), "schedule": nw.CosineDecay()},
    "loss": {"loss": nw.Huber(), "mixup": 0.2},
    "parts": {"objective": nw.Alternate({"linear1": "output", "linear2": "output"})},
}


@pytest.mark.parametrize("more", REPEATED.values(), ids=REPEATED)
def test_its_choices_make_the_same_run_again(tmp_path: Path, more: dict[str, object]) -> None:
    """Also in a folder, where the settings of the first run are known from its choices alone."""
    run = trained(tmp_path / "a", **more)
    choices = nw.load_run(tmp_path / "a").choices
    with pytest.raises(ValueError, match="no more"):
        trained(tmp_path / "b", choices=choices, callbacks=[Ends(3, ValueError("no more"))])
    again = trained(tmp_path / "b", choices=choices)
    read = nw.load_run(tmp_path / "b")
    third = trained(None, choices=read.choices)
    assert run.losses == again.losses == read.losses == third.losses
    assert run.net == again.net == read.net == third.net
    assert nw.replay(read, (XS, YS), validation=0.1, progress=False).equal


def test_its_choices_know_classes_that_are_no_texts(tmp_path: Path) -> None:
    net = nw.Chain(nw.Linear(), nw.sigmoid, input=nw.Vector(4), output=nw.Boolean())
    options = {"epochs": 2, "threads": 1, "progress": False}
    run = nw.train(net, (XS, YS > 0), class_weights={True: 5}, folder=tmp_path, **options)
    assert nw.train(net, (XS, YS > 0), choices=nw.load_run(tmp_path).choices, **options).losses == run.losses
