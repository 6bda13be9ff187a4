"""The demonstration must say everything it promises and write its three files, with a stand-in for the long run."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import netwright as nw
from netwright.cli import demo as module
from netwright.cli import main
from netwright.cli.demo import demo, lenet
from netwright.data.datasets import dataset
from netwright.errors import TrainingError
from netwright.training.events import Choice, Epoch
from netwright.training.result import Run

DIGITS = dataset("digits")


@pytest.fixture
def asked(monkeypatch):
    """What the demonstration asked of the trainer."""
    calls = []

    def train(net, data, **options):
        calls.append((len(data), options))
        trained = nw.initialize(net, seed=0)
        epochs = tuple(Epoch(i, 1 / i, {"loss": 1 / i, "error": 0.1 / i}, 1e-3, 2.0, 900.0, 10 * i) for i in (1, 2))
        losses = tuple(2.0 / (1 + i) for i in range(20))
        return Run(trained, trained, epochs, losses, (Choice("loss", "x", "y"),), 2, 4.0, "all epochs done")

    monkeypatch.setattr(module, "train", train)
    monkeypatch.setattr(module, "dataset", lambda name: DIGITS if name == "mnist" else None)
    return calls


def test_the_whole_demonstration(asked, tmp_path, capsys):
    said = []
    run, measured = demo(folder=tmp_path / "demo", say=said.append)
    assert asked == [(4000, {"validation": 400, "epochs": 3, "seed": 0})]
    titles = [block.split("\n")[1] for block in said if block.startswith("\n")]
    assert titles == [
        "The net",
        "Training on 3,600 digits, 400 held out for validation",
        "Choices and their reasons",
        "The official test digits, used once",
        "Validation and test",
        "10 digits with their answers",
        "Written",
    ]
    assert str(nw.summary(lenet())) in said[0]
    assert said[2] == f"MNIST is not available here: {DIGITS.source}. The accuracy will be lower than with MNIST."
    assert "  loss: x (y)" in said[3] and str(measured) in said[4]
    assert "epoch 2; the chapter: 99.6%" in said[5] and "95.00%   (n=400" in said[5]
    assert f"{measured.accuracy.value:.2%}   (n=1,000" in said[5]
    assert len(said[6].splitlines()) == 3 + 10
    files = sorted(path.name for path in (tmp_path / "demo").iterdir())
    assert files == ["lenet.net", "report.html", "seven.png"]
    seven = list(DIGITS.test.targets).index(7)
    assert np.array_equal(np.array(Image.open(tmp_path / "demo" / "seven.png")), DIGITS.test.inputs[seven])
    assert nw.load(tmp_path / "demo" / "lenet.net") == run.net
    assert capsys.readouterr().out == ""


def test_epochs_from_the_environment(asked, tmp_path, monkeypatch):
    monkeypatch.setenv("EPOCHS", "10")
    demo(folder=tmp_path, seed=4, say=lambda _: None)
    assert asked[0][1] == {"validation": 400, "epochs": 10, "seed": 4}


def test_no_number_of_epochs(asked, tmp_path, monkeypatch):
    monkeypatch.setenv("EPOCHS", "many")
    with pytest.raises(TrainingError) as error:
        demo(folder=tmp_path / "demo", say=lambda _: None)
    assert str(error.value) == (
        "EPOCHS is not a number of epochs\n"
        "  where:    the environment\n"
        "  expected: a whole number of at least 1\n"
        "  got:      'many'\n"
        "  mend:     EPOCHS=3"
    )
    assert asked == [] and list(tmp_path.iterdir()) == []


def test_a_run_that_was_interrupted_at_once(asked, tmp_path, monkeypatch):
    net = nw.initialize(lenet(), seed=0)
    run = Run(net, net, (), (2.3,), (), 0, 0.1, "interrupted")
    monkeypatch.setattr(module, "train", lambda *_, **__: run)
    said = []
    demo(folder=tmp_path, say=said.append)
    assert "the validation digits:" not in said[5] and "the official test digits:" in said[5]
    assert (tmp_path / "lenet.net").exists() and (tmp_path / "report.html").exists()


def test_the_net_of_the_demonstration():
    assert nw.summary(lenet()).parameters == 431_080


def test_the_demo_as_json_keeps_its_words_off_stdout(monkeypatch, capsys):
    epoch = SimpleNamespace(number=1, loss=0.5, validation={"error": 0.1})
    run = SimpleNamespace(seconds=2.0, best=1, epochs=[epoch], choices=[SimpleNamespace(name="loss", value="MSE()")])
    measured = SimpleNamespace(to_json=lambda: {"n": 3})

    def stand_in(epochs, folder, seed, say):
        say(f"{epochs} epochs into {folder}, seed {seed}")
        return run, measured

    monkeypatch.setattr(module, "demo", stand_in)
    assert main(["demo", "--json", "--epochs", "2", "--seed", "5"]) == 0
    out, err = capsys.readouterr()
    assert err == "2 epochs into demo, seed 5\n"
    assert json.loads(out) == {
        "seconds": 2.0,
        "best": 1,
        "epochs": [{"number": 1, "loss": 0.5, "validation": {"error": 0.1}}],
        "choices": {"loss": "MSE()"},
        "n": 3,
    }
