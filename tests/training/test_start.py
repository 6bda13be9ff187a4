"""What a run begins with, and the entry of its net."""

from pathlib import Path

import torch

import netwright as nw
from netwright.training.start import versions
from run_tools import XS, YS, trained


def test_versions() -> None:
    found = versions(torch.device("cpu"))
    assert list(found) == ["netwright", "torch", "numpy", "python", "processor"]
    assert found["torch"] == torch.__version__
    assert all(text and text.isprintable() for text in found.values())


def test_a_training_is_an_entry() -> None:
    run = trained(None, seed=3)
    entry, last = run.net.history[-1], run.last.history[-1]
    assert [one.kind for one in run.net.history] == ["made", "trained"]
    assert entry.text == f"3 epochs, 12 steps, all epochs done, epoch {run.best} kept; 36 examples, seed 3"
    assert last.text == "3 epochs, 12 steps, all epochs done, last step kept; 36 examples, seed 3"
    assert (entry["net after"], last["net after"]) == (nw.digest(run.net), nw.digest(run.last))
    assert entry["net before"] == nw.digest(run.start.net)  # type: ignore[union-attr]
    assert (entry["epochs"], entry["batch_size"], entry["seed"]) == ("3", "9", "3")
    assert entry["data"].startswith("36 examples, ")
    assert entry["validation data"].startswith("4 examples, ")
    assert entry["torch"] == torch.__version__


def test_two_trainings_are_two_entries() -> None:
    first = trained(None).net
    second = nw.train(first, (XS, YS), epochs=1, batch_size=40, threads=1, progress=False).net
    assert [one.kind for one in second.history] == ["made", "trained", "trained"]
    assert second.history[1]["net after"] == second.history[2]["net before"]
    assert second.append(nw.relu).history[-1].text == "append relu"


def test_equal_runs_give_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        nw.save(trained(None).net, tmp_path / f"{name}.net")
    assert (tmp_path / "a.net").read_bytes() == (tmp_path / "b.net").read_bytes()
    assert str(tmp_path).encode() not in (tmp_path / "a.net").read_bytes()


def test_the_net_that_was_given_keeps_its_own_history() -> None:
    net = nw.initialize(nw.Chain(1, input=4, output=nw.Number()))
    nw.train(net, (XS, YS), epochs=1, progress=False)
    assert [one.kind for one in net.history] == ["made", "initialized"]
