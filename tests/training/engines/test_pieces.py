"""A batch in pieces gives the loss and the gradient of the whole batch; memory that ends is not the end of a run."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import netwright as nw
from engine_pairs import batch_of, engines
from netwright.errors import TrainingError
from netwright.training.batch import Batch
from netwright.training.engines.engine import Engine
from netwright.training.engines.flat import Flat
from netwright.training.engines.pieces import InPieces, in_halves, memory_ended, size_text
from netwright.training.processes.group import Group
from netwright.training.result import Run
from run_tools import Ends, trained

NO_MEMORY = (
    "[enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
)


def pair(count: int) -> tuple[Engine, Engine, Batch]:
    net = nw.Chain(8, nw.relu, nw.Dropout(0.3), nw.Linear(3), nw.softmax, input=4, output=nw.Category(range(3)))
    draw = torch.Generator().manual_seed(1)
    x, target = torch.randn(10, 4, generator=draw), torch.arange(10) % 3
    autograd, chosen = engines(net, nw.CrossEntropy())
    return autograd, InPieces(chosen, count, 100), batch_of(x, target, torch.rand(10, generator=draw))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 10, 16])
def test_the_sum_over_pieces_is_the_gradient_of_the_batch(count: int) -> None:
    whole, pieces, batch = pair(count)
    assert pieces.gradient(batch, 3) == pytest.approx(whole.gradient(batch, 3), rel=1e-6)
    torch.testing.assert_close(pieces.flat.gradient, whole.flat.gradient, rtol=1e-6, atol=1e-6)


class Small(Engine):
    """An engine that has no memory for more than a few examples."""

    def __init__(self, most: int) -> None:
        self.flat, self.group = Flat.of({"w": torch.zeros(1)}, None, torch.device("cpu")), Group()
        self.most, self.seen, self.released = most, list[int](), 0

    def gradient(self, batch: Batch, step: int) -> float:
        self.seen.append(batch.size)
        if batch.size > self.most:
            raise RuntimeError(NO_MEMORY)
        self.flat.gradient.fill_(float(batch.inputs["input"].mean()))
        return 1.0

    def broken(self) -> None:
        return None

    def release(self) -> None:
        self.released += 1

    def culprit(self, batch: Batch, step: int) -> None:
        return None


def numbers(count: int) -> Batch:
    return Batch({"input": torch.arange(float(count))}, torch.arange(count), None)


def test_memory_that_ends_gives_twice_as_many_pieces() -> None:
    small = Small(most=3)
    pieces = InPieces(small, 1, 100)
    assert pieces.gradient(numbers(8), 0) == pytest.approx(1.0)
    assert (small.seen, pieces.count, small.released) == ([8, 4, 2, 2, 2, 2], 4, 2)
    assert float(small.flat.gradient[0]) == pytest.approx(3.5)
    pieces.gradient(numbers(8), 1)
    assert small.seen[6:] == [2, 2, 2, 2]


def test_an_example_that_does_not_fit() -> None:
    with pytest.raises(TrainingError) as caught:
        InPieces(Small(most=0), 1, 3_000_000).gradient(numbers(4), 6)
    assert str(caught.value) == (
        "one example does not fit in memory\n"
        "  where:    step 7\n"
        "  expected: about 3.0 MB, as forecast\n"
        f"  got:      {NO_MEMORY}\n"
        "  mend:     a smaller net, shorter examples, or a machine with more memory"
    )


def test_a_batch_that_cannot_be_split() -> None:
    with pytest.raises(TrainingError) as caught:
        InPieces(Small(most=2), 1, 3_000_000_000, "batchnorm takes its statistics over the whole batch").gradient(
            numbers(4), 0
        )
    assert str(caught.value) == (
        "a batch does not fit in memory\n"
        "  where:    step 1\n"
        "  expected: about 12.0 GB, as forecast\n"
        f"  got:      {NO_MEMORY}\n"
        "  mend:     batch_size=2, since batchnorm takes its statistics over the whole batch"
    )


def test_a_process_of_several_does_not_split_within_a_step() -> None:
    engine = Small(most=2)
    engine.group.size = 2
    with pytest.raises(TrainingError) as caught:
        InPieces(engine, 1, 1_000_000).gradient(numbers(4), 0)
    assert caught.value.mend == ("batch_size=2, since other processes wait for this one within the step",)


def test_other_errors_are_raised_as_they_are() -> None:
    class Odd(Small):
        def gradient(self, batch: Batch, step: int) -> float:
            raise RuntimeError("another")

    with pytest.raises(RuntimeError, match="another"):
        InPieces(Odd(1), 1, 1).gradient(numbers(4), 0)
    with pytest.raises(RuntimeError, match="another"):
        in_halves(numbers(4), lambda batch: Odd(1).gradient(batch, 0))


def test_halves() -> None:
    small = Small(most=3)
    assert in_halves(numbers(8), lambda batch: [small.gradient(batch, 0), batch.size][1]) == [2, 2, 2, 2]
    with pytest.raises(RuntimeError, match="can't allocate"):
        in_halves(numbers(2), lambda batch: Small(0).gradient(batch, 0))


def test_texts() -> None:
    assert [size_text(n) for n in (1_234_567, 987_000_000, 1_250_000_000)] == ["1.2 MB", "987.0 MB", "1.2 GB"]
    assert memory_ended(MemoryError())
    assert memory_ended(torch.OutOfMemoryError("CUDA out of memory."))
    assert not memory_ended(ValueError("out of memory"))


NETS: dict[str, Callable[[], tuple[nw.Net, Any, dict[str, Any]]]] = {
    "plain": lambda: (
        nw.Chain(8, nw.relu, nw.Dropout(0.2), nw.Linear(), input=nw.Vector(4), output=nw.Number()),
        (torch.arange(160.0).view(40, 4) / 100, torch.arange(40.0)),
        {"weights": [1 + i % 3 for i in range(40)], "validation": None},
    ),
    "lengths": lambda: (
        nw.Chain(nw.Embedding(4), nw.GRU(5), nw.Linear(), nw.softmax, input=nw.Characters("abc")),
        ["abcabcabcabc"[: 2 + i % 9] for i in range(40)],
        {"objective": nw.NextElement(), "validation": 8},
    ),
}


def run_of(name: str, **more: Any) -> Run:
    net, data, options = NETS[name]()
    return nw.train(net, data, epochs=3, batch_size=10, threads=1, progress=False, **{**options, **more})


@pytest.mark.parametrize(("name", "free"), [("plain", 1_500), ("lengths", 6_000)])
def test_a_run_with_little_memory_is_the_run_with_much(name: str, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run_of(name)
    monkeypatch.setattr("netwright.training.prepare.choices.free_memory", lambda device: free)
    run = run_of(name)
    assert [choice.name for choice in run.choices].count("pieces") == 1
    assert run.losses == pytest.approx(whole.losses, rel=1e-5)
    for path, array in run.last.arrays.items():
        torch.testing.assert_close(array, whole.last.arrays[path], rtol=1e-4, atol=1e-5)


def test_memory_that_ends_in_a_run_is_said_and_the_run_goes_on_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from netwright.training.engines.handwritten.engine import Written

    gradient = Written.gradient

    def small(self: Written, batch: Batch, step: int) -> float:
        if step >= 5 and batch.size > 4:
            raise RuntimeError(NO_MEMORY)
        return gradient(self, batch, step)

    monkeypatch.setattr(Written, "gradient", small)
    whole = trained(None)
    said = [choice for choice in whole.choices if choice.name == "pieces"]
    assert [(choice.value, choice.why) for choice in said] == [
        ("4 of a batch", "from step 6 on, since memory ended; the sum of their gradients is that of the batch")
    ]
    with pytest.raises(ValueError, match="no more"):
        trained(tmp_path, callbacks=[Ends(7, ValueError("no more"))])
    monkeypatch.setattr(Written, "gradient", gradient)  # there is room again, but the run keeps its pieces
    run = trained(tmp_path)
    assert (run.losses, run.net, run.last) == (whole.losses, whole.net, whole.last)


CHILD = """
import resource
import torch
import netwright as nw


def trained(**more):
    x = torch.randn(512, 4, generator=torch.Generator().manual_seed(0))
    last = more.pop("last", [nw.Linear()])
    net = nw.Chain(50_000, nw.relu, nw.Dropout(0.1), *last, input=nw.Vector(4), output=nw.Number())
    return nw.train(net, (x, x.sum(1)), epochs=2, batch_size=256, threads=1, optimizer="sgd", learning_rate=1e-4,
                    validation=64, progress=False, **more)


whole = trained()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (120 << 20), resource.RLIM_INFINITY))
run = trained()
print([str(choice) for choice in run.choices if choice.name == "pieces"])
difference = max(float((array - whole.last.arrays[path]).abs().max()) for path, array in run.last.arrays.items())
print(difference < 1e-6, max(abs(a - b) / b for a, b in zip(run.losses, whole.losses)) < 1e-6)
try:
    trained(last=[nw.BatchNorm(), nw.Linear()])
except nw.errors.TrainingError as error:
    print(error.what, error.mend)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other limits")
def test_a_limit_of_the_system() -> None:
    found = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    said, same, error = found.stdout.splitlines()
    assert "of a batch (from step 1 on, since memory ended" in said
    assert same == "True True"
    why = "batchnorm1 takes its statistics over the whole batch"
    assert error == f"a batch does not fit in memory ('batch_size=128, since {why}',)"
