"""Writing takes the share of the time that it may, whatever it costs."""

import pytest

from netwright.training.folder.time_share import TimeShare


def spent_in(seconds: float, cost: float, free: float = 0.0) -> float:
    now = 0.0
    share = TimeShare(0.01, free, clock=lambda: now)
    while now < seconds:
        now += 0.01
        if share.due:
            with share.measured():
                now += cost
    return share.spent


@pytest.mark.parametrize("cost", [0.001, 0.03, 0.5])
def test_the_share_is_kept(cost: float) -> None:
    assert 0.8 <= spent_in(100, cost) <= 1.0 + cost


def test_what_is_free_waits_for_nothing() -> None:
    assert spent_in(1, 0.03, free=0.25) == pytest.approx(0.24)


def test_an_error_is_paid_for_too() -> None:
    now = 0.0
    share = TimeShare(0.01, clock=lambda: now)
    with pytest.raises(OSError, match="full"), share.measured():
        now += 1
        raise OSError("full")
    assert not share.due
