"""Reading ahead changes nothing but the time: order, errors and places are the same, and no thread is left behind."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from subprocess import PIPE
from typing import Any

import pytest
import torch
from torch.utils.data import Dataset

import netwright as nw
from netwright.data.blocks import first_block
from netwright.data.sources import source
from netwright.net.plan.plan import plan_of
from netwright.training.events import Callback, Status
from netwright.training.feeds.ahead import MOST, SWITCH, Ahead, bytes_in, read_ahead
from netwright.training.feeds.feed import feed
from netwright.training.feeds.passes import batches_of

CPU = torch.device("cpu")
NET = nw.Chain(nw.Linear(1), input=nw.Vector(1, 0, 1), output=nw.Number(0, 1))
NUMBERS = nw.with_loss(NET, nw.MSE())
LONG = 60.0  # seconds after which a test has failed


class Rows(Dataset):
    """A data set that calls a function for each row it reads."""

    def __init__(self, count: int, called: Callable[[int], Any] = lambda index: None) -> None:
        self.count, self.called = count, called

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index):
        self.called(index)
        return [float(index)], float(index)


def stream() -> Iterator[tuple[list[float], float]]:
    for i in range(40):
        yield [float(i)], float(i)


def made_of(data: Any) -> Any:
    found = source(data)
    return batches_of(found if isinstance(data, Dataset) else first_block(found, {}), NUMBERS, CPU)


def noised(x: torch.Tensor) -> torch.Tensor:
    return x + torch.rand_like(x)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "netwright-ahead"]


@pytest.mark.parametrize("data", [Rows(40), stream], ids=["by row", "stream"])
def test_batches_and_places_are_those_without_it(data) -> None:
    alone, ahead = made_of(data), Ahead(made_of(data))
    for epoch in (1, 2):
        there, here = alone.epoch(epoch, 6, seed=0), ahead.epoch(epoch, 6, seed=0)
        for left, right in zip(there, here, strict=True):
            assert torch.equal(left.inputs["input"], right.inputs["input"])
            assert torch.equal(left.examples, right.examples)
            assert alone.state() == ahead.state()
    assert (len(ahead), ahead.stored, ahead.digests()) == (len(alone), alone.stored, alone.digests())
    assert (ahead.raw, ahead.composition(6, 0)) == (True, None)
    assert torch.equal(ahead.first(3).examples, alone.first(3).examples)
    assert [batch.size for batch in ahead.every(16)] == [16, 16, 8]
    assert threads() == []


def test_an_epoch_that_was_left_goes_on_at_its_place() -> None:
    alone, ahead = made_of(stream), Ahead(made_of(stream))
    whole = [batch.examples.tolist() for batch in alone.epoch(1, 6, seed=0)]
    begun = ahead.epoch(1, 6, seed=0)
    assert [next(begun).examples.tolist() for _ in range(2)] == whole[:2]
    place = ahead.state()
    begun.close()
    assert threads() == []
    assert [batch.examples.tolist() for batch in ahead.epoch(1, 6, seed=0, skip=2)] == whole[2:]
    other = Ahead(made_of(stream))
    other.restore(place)
    assert [batch.examples.tolist() for batch in other.epoch(1, 6, seed=0, skip=2)] == whole[2:]


def test_the_thread_lets_a_step_go_on_soon_while_an_epoch_runs() -> None:
    before = sys.getswitchinterval()
    for own in (before, 1e-6):  # one that is shorter already is kept
        sys.setswitchinterval(own)
        try:
            given = Ahead(made_of(stream)).epoch(1, 6, seed=0)
            next(given)
            assert sys.getswitchinterval() == pytest.approx(min(own, SWITCH), rel=0.2)
            given.close()
            assert sys.getswitchinterval() == pytest.approx(own)
        finally:
            sys.setswitchinterval(before)


@pytest.mark.parametrize("most_bytes", [64 << 20, 1])
def test_few_batches_wait(monkeypatch, most_bytes) -> None:
    monkeypatch.setattr("netwright.training.feeds.ahead.BYTES", most_bytes)
    read, changed = [], threading.Condition()

    def called(index):
        with changed:
            read.append(index)
            changed.notify_all()

    made = made_of(Rows(100, called))
    read.clear()
    given = Ahead(made).epoch(1, 1, seed=0)
    most = MOST if most_bytes > 1 else 1
    next(given)
    with changed:
        assert changed.wait_for(lambda: len(read) >= 1 + most, LONG)
    for taken in range(2, 50):
        next(given)
        assert len(read) <= taken + most + 1
    given.close()


@pytest.mark.parametrize(("epoch", "most"), [(1, 7), (5, 0)], ids=["more follow", "the last"])
def test_the_next_block_of_a_stream_is_read_while_batches_wait(monkeypatch, epoch, most) -> None:
    monkeypatch.setattr("netwright.data.blocks.MOST", 8)
    read, changed = [], threading.Condition()

    def short():
        for i in range(7):
            with changed:
                read.append(i)
                changed.notify_all()
            yield [float(i)], float(i)

    made = Ahead(made_of(short))
    made.heard_by(Status(epochs=5, steps=0, batch_size=1, examples=7, choices=()))
    read.clear()  # the first pass is the first block, and it is trained on
    given = made.epoch(epoch, 1, seed=0)
    next(given)
    with changed:
        assert changed.wait_for(lambda: len(read) >= most, LONG)
    for _ in given:
        assert len(read) == most
    assert threads() == []


def test_an_error_comes_out_in_the_step_that_needs_the_batch_as_it_was_raised() -> None:
    error = OSError("the cable is out")

    armed: list[bool] = []

    def called(index):
        if index == 9 and armed:
            raise error

    made = made_of(Rows(40, called))
    order = [batch.examples.tolist() for batch in made.epoch(1, 4, seed=0)]
    armed.append(True)
    place = next(i for i, examples in enumerate(order) if 9 in examples)
    given, seen = Ahead(made).epoch(1, 4, seed=0), []
    with pytest.raises(OSError, match="the cable is out") as caught:
        seen.extend(batch.examples.tolist() for batch in given)
    assert caught.value is error
    assert seen == order[:place]
    assert threads() == []


def test_torch_is_in_the_thread_as_it_is_outside() -> None:
    found = []

    def called(index):
        found.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_device().type))

    made = Ahead(made_of(Rows(2, called)))
    for around, expected in (
        (torch.no_grad(), (False, False, "cpu")),
        (torch.enable_grad(), (True, False, "cpu")),
        (torch.inference_mode(), (False, True, "cpu")),
        (torch.device("meta"), (True, False, "meta")),
    ):
        found.clear()
        with around:
            list(made.epoch(1, 2, seed=0))
        assert set(found) == {expected}


HANGS = """
import threading
import netwright as nw
from netwright.data import reading

reading.PATIENCE = 1.0

passes = []

def rows():
    passes.append(1)
    if len(passes) > 2:  # in the first one a row is looked at; the second one is trained on
        threading.Event().wait()
    for i in range(8):
        yield [float(i)], float(i)

net = nw.Chain(nw.Linear(1), input=nw.Vector(1, 0, 1), output=nw.Number(0, 1))
run = nw.train(net, rows, epochs=3, steps_per_epoch=4, batch_size=4)
print(run.ended, len(run.losses), [choice.value for choice in run.choices if choice.name == "data waits"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a group of programs")
def test_a_run_that_waits_shows_it_and_ctrl_c_ends_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", HANGS], stdout=PIPE, stderr=PIPE, text=True)
    assert child.stderr is not None
    limit = threading.Timer(LONG, child.kill)
    limit.start()
    shown = next((line for line in child.stderr if "nothing" in line), "")
    assert shown == "the data gave nothing for 1 s, at item 0 in epoch 1; Ctrl-C ends the run\n"
    child.send_signal(signal.SIGINT)
    out, rest = child.communicate()
    limit.cancel()
    assert child.returncode == 0, rest
    assert rest.splitlines()[0] == "the wait for the data is over"
    assert out == "interrupted 2 ['gave nothing for 1 s, at item 0 in epoch 1']\n"


def test_a_run_that_is_to_stop_does_not_wait(monkeypatch) -> None:
    monkeypatch.setattr("netwright.training.feeds.ahead.GLANCE", 0.01)
    go_on = threading.Event()
    armed: list[bool] = []
    inner = made_of(Rows(8, lambda index: armed and go_on.wait(LONG)))
    armed.append(True)
    made, status = Ahead(inner), Status(1, 2, 4, 8, ())
    status.stop()
    made.heard_by(status)
    assert list(made.epoch(1, 4, seed=0)) == []
    assert not go_on.is_set()
    go_on.set()
    _until(lambda: threads() == [])


def _until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another thread makes true."""
    waiting = threading.Event()
    for _ in range(int(LONG / 0.01)):
        if holds():
            return
        waiting.wait(0.01)
    raise AssertionError("it did not come true")


def test_only_what_is_read_or_encoded_one_by_one_is_read_ahead() -> None:
    plan, memory = plan_of(NUMBERS), feed(source(([[1.0]], [2.0])), NUMBERS, CPU)
    assert read_ahead(memory, plan) is memory
    read = made_of(stream)
    assert isinstance(read_ahead(read, plan), Ahead)
    own = nw.Chain(nw.Linear(1), nw.Function(noised, "n -> n"), input=nw.Vector(1, 0, 1), output=nw.Number(0, 1))
    assert read_ahead(read, plan_of(nw.with_loss(own, nw.MSE()))) is read
    assert bytes_in(memory.first(1)) == 8


class Stops(Callback):
    def __init__(self, step: int, error: bool) -> None:
        self.step, self.error = step, error

    def on_step(self, status: Status) -> None:
        if status.step == self.step:
            if self.error:
                raise ValueError("enough")
            status.stop()


@pytest.mark.parametrize("error", [False, True])
def test_no_thread_is_left_when_a_run_ends_early(error) -> None:
    net = nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Vector(1), output=nw.Number())
    stops = Stops(3, error)
    if error:
        with pytest.raises(ValueError, match="enough") as caught:
            nw.train(net, stream, epochs=9, batch_size=4, callbacks=[stops], progress=False)
        run = caught.value.run
    else:
        run = nw.train(net, stream, epochs=9, batch_size=4, callbacks=[stops], progress=False)
    assert len(run.losses) == 3
    assert threads() == []
