"""The run as a value prints its epochs and marks the one that is kept."""

import netwright as nw
from messages import message
from netwright.training.events import Choice, Epoch
from netwright.training.result import Run


def test_a_run_prints_its_epochs() -> None:
    net = nw.Chain(3)
    epochs = (
        Epoch(1, 0.5, {"loss": 0.25, "error": 0.125}, 0.1, 1.0, 80.0, 10),
        Epoch(2, 0.25, {"loss": 0.3}, 0.1, 1.0, 80.0, 20),
    )
    assert repr(Run(net, net, epochs, (), (), 1, 2.0, "all epochs done")) == (
        "Run: 2 epochs in 2.0 s, all epochs done\n"
        "  epoch 1: loss 0.5, validation loss 0.25, validation error 0.125  <- kept\n"
        "  epoch 2: loss 0.25, validation loss 0.3"
    )


def test_a_choice_by_its_name() -> None:
    net = nw.Chain(3)
    said = (Choice("device", "cpu", "given"), Choice("threads", "4", "measured"), Choice("threads", "1", "slow", 1))
    run = Run(net, net, (), (), said, 0, 0.0, "stopped")
    assert run.choice("threads").setting == 1
    assert message(run.choice, "thread") == (
        "this run has no choice 'thread'\n  where:    Run.choice\n  expected: device, threads\n"
        "  mend:     did you mean 'threads'?"
    )
