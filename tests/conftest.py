"""Makes every run of the suite the same: one thread a worker, and the same random examples each time."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores; two threads each would wait for one another

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("same")
