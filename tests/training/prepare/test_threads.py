"""Threads: the faster number is taken, and a run that begins to crawl is noticed, a single slow step is not."""

import pytest
import torch

from netwright.training.prepare.threads import WINDOW, Pace, fastest_thread_count, using


@pytest.fixture(autouse=True)
def _threads():
    with using(2):
        yield
        assert torch.get_num_threads() == 2, "a trial leaves the number of threads as it was"


@pytest.mark.parametrize(
    ("one", "two", "chosen"), [(0.1, 0.06, 2), (0.1, 0.09, 2), (0.1, 0.097, 1), (0.1, 4.0, 1), (3.0, 2.0, 2)]
)
def test_the_faster_number_is_taken(one, two, chosen) -> None:
    now = [0.0]

    def step() -> None:
        now[0] += one if torch.get_num_threads() == 1 else two

    assert fastest_thread_count(step, clock=lambda: now[0]) == chosen


def test_a_moment_in_which_the_machine_is_busy_decides_nothing() -> None:
    now, count = [0.0], [0]

    def step() -> None:
        count[0] += 1
        busy = 3 <= count[0] <= 12  # the whole first turn of both numbers of threads
        now[0] += 0.5 if busy and torch.get_num_threads() == 2 else 0.01 if torch.get_num_threads() == 2 else 0.02

    assert fastest_thread_count(step, clock=lambda: now[0]) == 1  # half a second five times: enough is known
    now, count = [0.0], [0]

    def short() -> None:
        count[0] += 1
        busy = 3 <= count[0] <= 12
        now[0] += 0.05 if busy and torch.get_num_threads() == 2 else 0.01 if torch.get_num_threads() == 2 else 0.02

    assert fastest_thread_count(short, clock=lambda: now[0]) == 2


def test_a_run_that_begins_to_crawl_is_noticed() -> None:
    pace = Pace()
    assert not any(pace.is_slow(0.01) for _ in range(30))
    assert not pace.is_slow(5.0)
    assert not any(pace.is_slow(0.01) for _ in range(WINDOW))
    slow = [pace.is_slow(0.1) for _ in range(WINDOW)]
    assert slow[-1]
    assert not slow[0]


@pytest.mark.parametrize(("seconds", "steps"), [(0.01, 32), (0.4, 8), (3.0, 4)])
def test_long_steps_are_timed_less_often(seconds, steps) -> None:
    now, count = [0.0], [0]

    def step() -> None:
        now[0] += seconds
        count[0] += 1

    fastest_thread_count(step, clock=lambda: now[0])
    assert count[0] == steps
