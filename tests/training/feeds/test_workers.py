"""Batches that other processes read are those of one process, with its errors, and no process stays behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.multiprocessing as processes
from torch.utils.data import Dataset

import netwright as nw
from launch_tools import launched
from netwright.data.sources import source
from netwright.training.feeds.feed import feed
from netwright.training.feeds.workers import EncodedRows, validated_with_workers

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),  # torch's advice about few processors
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork"),  # Python's, about torch's own processes
]
NET = nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Vector(3), output=nw.Number())


class Rows(Dataset[Any]):
    """Pairs; at row 29 something happens."""

    def __init__(self, at_29: str = "") -> None:
        self.at_29, self.process = at_29, os.getpid()

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> Any:
        if index == 29 and self.at_29:
            if self.at_29 == "raises":
                raise KeyError("nothing here")
            if self.at_29 == "dies" and os.getpid() != self.process:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.at_29 == "short":
                return [1.0, 2.0], 3.0
        return [float(index), 1.0, float(index % 5)], float(index)


def trained(data: Any, workers: int, **more: Any) -> nw.Run:
    net = more.pop("net", NET)
    return nw.train(net, data, epochs=2, batch_size=8, progress=False, threads=1, workers=workers, **more)


def with_net(codec: Any) -> nw.Net:
    return nw.Chain(4, nw.tanh, nw.Linear(), input=codec, output=nw.Number(0, 1))


def test_the_run_is_the_same_for_any_number(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(40, 3)))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(40.0)  # the targets stay in this process
    for data in (Rows(), mapped):
        runs = [trained(data, workers, validation=8) for workers in (0, 1, 3)]
        assert runs[0].losses == runs[1].losses == runs[2].losses
        assert runs[0].net == runs[1].net == runs[2].net
    assert not processes.active_children()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_the_data_names_the_row(workers: int) -> None:
    with pytest.raises(KeyError, match="nothing here") as caught:
        trained(Rows("raises"), workers, net=with_net(nw.Vector(3, 0, 1)))
    assert caught.value.__notes__ == ["raised by the data at row 29, counted from 0"]


@pytest.mark.parametrize("workers", [0, 2])
def test_an_example_that_does_not_fit_is_named(workers: int) -> None:
    with pytest.raises(nw.DataError) as caught:
        trained(Rows("short"), workers, net=with_net(nw.Vector(3, 0, 1)))
    assert caught.value.where == "port 'input', row 29"


def test_a_process_that_is_killed_is_named_and_the_run_goes_on_later(tmp_path: Path) -> None:
    codec = with_net(nw.Vector(3, 0, 1))
    with pytest.raises(nw.TrainingError) as caught:
        trained(Rows("dies"), 2, net=codec, folder=tmp_path / "run", seed=5)
    assert caught.value.what == "a process that reads the data has ended"
    assert "killed by signal" in caught.value.got or "exited unexpectedly" in caught.value.got
    assert (
        trained(Rows(), 2, net=codec, folder=tmp_path / "run", seed=5).net == trained(Rows(), 0, net=codec, seed=5).net
    )
    assert not processes.active_children()


def test_a_stream_has_no_use_for_them() -> None:
    with pytest.raises(nw.DataError) as caught:
        trained(lambda: (([1.0, 2.0, 3.0], float(i)) for i in range(9)), 2)
    assert str(caught.value) == (
        "a stream is read by one process, since it comes in one order\n"
        "  where:    workers=2\n"
        "  expected: data with a length, such as a torch Dataset with __len__ and __getitem__\n"
        "  mend:     leave workers= out\n"
        "  or:       a DataLoader(…, num_workers=…) of your own, as the data"
    )


def test_data_in_memory_has_no_use_for_them() -> None:
    run = trained((torch.ones(9, 3), torch.arange(9.0)), 2)
    assert "workers: 0 (all examples are encoded in memory before the first step)" in map(str, run.choices)


SCRIPT = """
import sys
import time
import torch
import netwright as nw

class Squares(torch.utils.data.Dataset):
    def __len__(self):
        return 24

    def __getitem__(self, index):
        return [float(index), 0.0, 1.0], float(index * index)

class Unsendable(Squares):
    def __init__(self):
        self.function = lambda: 3

if __name__ == "__main__":
    torch.multiprocessing.set_start_method(sys.argv[1])
    net = nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Vector(3), output=nw.Number())
    runs = [nw.train(net, Squares(), epochs=1, progress=False, threads=1, workers=workers) for workers in (1, 0)]
    print(runs[0].losses == runs[1].losses)
    try:
        nw.train(net, Unsendable(), epochs=1, progress=False, threads=1, workers=1)
    except nw.DataError as error:
        print(error.what, *error.mend, sep="; ")
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_ways_to_start_a_process(method: str, tmp_path: Path) -> None:
    if method not in processes.get_all_start_methods():
        pytest.skip("not on this system")
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", tmp_path / "script.py", method], capture_output=True, text=True, timeout=300
    )
    assert done.stdout.splitlines() == [
        "True",
        "the data cannot be sent to another process; "
        "a class and functions of a module, without lambdas and open files; leave workers= out",
    ], done.stderr


def test_an_error_that_cannot_be_sent_is_told() -> None:
    class Odd(Exception):
        pass

    class Raising(Rows):
        def __getitem__(self, index: int) -> Any:
            if index == 29:
                raise Odd("of a function")
            return super().__getitem__(index)

    with pytest.raises(nw.DataError) as caught:
        trained(Raising(), 2, net=with_net(nw.Vector(3, 0, 1)))
    assert str(caught.value) == (
        "the data raised an error\n"
        "  where:    raised by the data at row 29, counted from 0\n"
        "  got:      Odd: of a function"
    )


def test_an_item_is_a_batch() -> None:
    from netwright.data.sources import source

    found = source((np.arange(12.0).reshape(4, 3), [0.0, 1.0, 2.0, 3.0]))
    item = EncodedRows(found, {"input": nw.Vector(3, 0, 1)})[torch.tensor([2, 0])]  # type: ignore[arg-type]
    assert item["input"].tolist() == [[6, 7, 8], [0, 1, 2]]  # type: ignore[index]


SLOW_DATA = """
import sys, time
from pathlib import Path
import torch
import netwright as nw

class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return 4000

    def __getitem__(self, index):
        return [float(index), 0.0, 1.0], float(index % 5)

class Begun(nw.Callback):
    def on_step(self, status):
        if status.step == 3:
            Path(sys.argv[1]).touch()

net = nw.Chain(4, nw.tanh, nw.Linear(), input=nw.Vector(3, 0, 1), output=nw.Number(0, 1))
run = nw.train(net, Rows(), epochs=10_000, batch_size=8, progress=False, threads=1, workers=2, callbacks=[Begun()])
print(run.ended, len(torch.multiprocessing.active_children()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_ctrl_c_ends_the_run_and_its_processes(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SLOW_DATA, begun],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while not begun.exists() and child.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does: the run and all its processes get it
        out, err = child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode == 0 and err == ""
    assert out.split()[-1] == "0", out
    with pytest.raises(ProcessLookupError):  # no process of the session is left
        while time.monotonic() < until + 120:
            os.killpg(child.pid, 0)
            time.sleep(0.05)


class Processes(Dataset[Any]):
    """Each input is the number of the process that reads it."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> Any:
        return [float(os.getpid())], float(index)


def test_validation_is_read_by_the_processes_in_the_same_order() -> None:
    chain = nw.Chain(nw.Linear(), input=nw.Vector(1, 0, 1), output=nw.Number(0, 1))
    alone = feed(source(Processes()), nw.with_loss(chain, nw.MSE()), torch.device("cpu"))
    shared = list(validated_with_workers(alone, 2).every(8))
    assert [batch.examples.tolist() for batch in shared] == [batch.examples.tolist() for batch in alone.every(8)]
    assert not any((batch.inputs["input"] == float(os.getpid())).any() for batch in shared)
    assert validated_with_workers(alone, None) is alone
    assert not processes.active_children()


TOGETHER = """
import json, sys
import netwright as nw
from test_workers import NET, Rows

settings = dict(epochs=2, batch_size=8, validation=8, seed=1, progress=False, threads=1, precision="float64")
run = nw.train(NET, Rows(), workers=int(sys.argv[1]), **settings)
print(json.dumps([array.tolist() for array in run.net.arrays.values()]))
"""


def test_processes_that_train_have_processes_that_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "script.py"
    script.write_text(TOGETHER)
    folder = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(folder), *sys.path]))
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    found = launched(2, script, "2") + launched(1, script, "0")
    assert [code for code, _ in found] == [0, 0, 0], found
    first, second, alone = (json.loads(text.splitlines()[-1]) for _, text in found)
    assert first == second
    for mine, other in zip(first, alone, strict=True):
        assert torch.allclose(torch.tensor(mine), torch.tensor(other), rtol=0, atol=1e-10)
