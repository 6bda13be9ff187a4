"""How many random examples a law is held against: all of them in the whole suite, a third in the fast one."""

FAST = False  # set where the suite begins


def trials(count: int) -> int:
    """The number of random examples, of so many in the whole suite."""
    return max(1, count // 3) if FAST else count
