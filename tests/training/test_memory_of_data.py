"""A memory map of any size is trained on, validation included, in a bounded amount of memory of its own."""

import subprocess
import sys

import pytest

MOST = 200e6  # bytes above the same run on few data, and 8 batches
SCRIPT = """
import sys, tempfile, threading
import numpy as np
import netwright as nw
from netwright.sizes.free import FREE

def anonymous():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))

def peak(count, encoder):
    # the most memory in a run on so many pictures in a file, without pages of the file
    most, done = [anonymous()], threading.Event()
    def sample():
        while not done.wait(0.005):
            most.append(anonymous())
    with tempfile.NamedTemporaryFile() as file:
        pictures = np.memmap(file.name, np.uint8, "w+", 0, (count, 28, 28))
        pictures[:: max(count // 1000, 1)] = np.arange(784, dtype=np.uint8).reshape(28, 28)
        data = np.memmap(file.name, np.uint8, "r", 0, (count, 28, 28))
        labels = np.arange(count, dtype=np.uint8) % 10
        thread = threading.Thread(target=sample, daemon=True)
        thread.start()
        vectors = isinstance(encoder, nw.Vector)
        data = data.reshape(count, 784) if vectors else data
        parts = [nw.Linear(8), nw.relu, nw.Linear(10), nw.softmax]
        net = nw.Chain(*([] if vectors else [nw.Flatten()]), *parts, input=encoder)
        nw.train(net, (data, labels), epochs=1, batch_size=1024, validation=0.1, threads=1, progress=False)
        done.set()
        thread.join()
    return max(most)

encoder = eval(sys.argv[1])
few = peak(4096, encoder)
print(peak(int(sys.argv[2]), encoder) - few)
"""
ENCODERS = ["nw.Vector()", "nw.Array('28 28')", "nw.Image(28, 28, color='gray', mean=FREE, deviation=FREE)"]


def above(encoder: str, count: int) -> int:
    done = subprocess.run([sys.executable, "-c", SCRIPT, encoder, str(count)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory is a program's own")


@linux
def test_200_megabytes() -> None:
    assert above("nw.Array('28 28')", 200_000_000 // 784) < 0.3 * MOST


@linux
@pytest.mark.slow
@pytest.mark.parametrize("encoder", ENCODERS)
def test_2_gigabytes(encoder: str) -> None:
    batch = 1024 * 784 * 4
    assert above(encoder, 2_000_000_000 // 784) < MOST + 8 * batch
