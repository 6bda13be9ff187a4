"""Makes every run of the suite the same: one thread a worker, the same random examples, Ctrl-C as in a terminal."""

import os
import signal

os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores; two threads each would wait for one another

import pytest
from hypothesis import settings

import trials

settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("same")

# A shell that runs the suite in the background, or nohup, lets all its processes ignore these.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    """The fast suite tries fewer random examples where each takes long."""
    trials.FAST = "not slow" in str(config.getoption("markexpr"))
