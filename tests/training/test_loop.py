"""The loop: its clock is injected, callbacks hear every step and epoch, clipping bounds the gradient."""

import pytest

import netwright as nw
from netwright.training.events import Callback, Status


class Hears(Callback):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_step(self, status) -> None:
        self.heard.append(f"step {status.step} of {status.steps}, epoch {status.epoch}")

    def on_epoch(self, status) -> None:
        self.heard.append(f"epoch {status.done[-1].number}")

    def on_end(self, status) -> None:
        self.heard.append(status.ended)


def test_callbacks_hear_everything_in_order() -> None:
    hears = Hears()
    net = nw.Chain(nw.Linear(), output=nw.Number())
    nw.train(net, ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), epochs=2, batch_size=2, callbacks=[hears], progress=False)
    assert hears.heard == [
        "step 1 of 4, epoch 1",
        "step 2 of 4, epoch 1",
        "epoch 1",
        "step 3 of 4, epoch 2",
        "step 4 of 4, epoch 2",
        "epoch 2",
        "all epochs done",
    ]


def test_stopping_in_an_epoch_ends_it_there() -> None:
    class Stops(Callback):
        def on_step(self, status) -> None:
            if status.step == 2:
                status.stop()

    net = nw.Chain(nw.Linear(), output=nw.Number())
    data = ([1.0, 2.0, 3.0, 4.0, 5.0], [1.0] * 5)
    run = nw.train(net, data, epochs=2, batch_size=2, callbacks=[Stops(), Callback()], progress=False)
    assert (len(run.losses), len(run.epochs), run.ended) == (2, 0, "stopped")


@pytest.mark.parametrize("method", ["on_step", "on_epoch", "on_end"])
def test_an_error_of_a_callback_says_whose_it_is(method: str) -> None:
    class Mine(Callback):
        pass

    def fails(self: Callback, status: Status) -> None:
        raise ValueError("no more")

    fails.__qualname__ = f"test.<locals>.Mine.{method}"
    setattr(Mine, method, fails)
    net = nw.Chain(3, nw.Linear(1), input=1, output=nw.Number())
    with pytest.raises(ValueError, match="no more") as caught:
        nw.train(net, ([[1.0], [2.0]], [1.0, 2.0]), epochs=1, progress=False, callbacks=[Mine()])
    assert caught.value.__notes__ == [f"The callback Mine.{method} raised this error after step 1 of the run."]
