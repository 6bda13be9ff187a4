"""How many trials of a sweep go how far: after each round the better part goes on."""

from netwright.value import Value

MOST_ROUNDS = 4  # with a factor of 3 the first round is then 1/27 of a run; in less a net has hardly begun


class Round(Value):
    """A part of a sweep in which trials are trained.

    Fields: `trials` that are in it, `share` of its run after which each of them stops.
    """

    trials: int
    share: float


def rounds(trials: int, factor: int) -> list[Round]:
    """The rounds of successive halving: from each to the next the best 1/`factor` go on, `factor` times as far.

    The first round is as short as it takes to have one trial left in the last one, but there are at most 4 rounds. All
    trials go to the end where the factor is 1.

    Source: Jamieson and Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
        arXiv 1502.07943; Li et al. 2018, "Hyperband", arXiv 1603.06560

    Example:
        >>> [(each.trials, round(each.share, 3)) for each in rounds(9, 3)]
        [(9, 0.111), (3, 0.333), (1, 1.0)]
    """
    counts = [trials]
    while factor > 1 and counts[-1] > 1 and len(counts) < MOST_ROUNDS:
        counts.append(-(-counts[-1] // factor))
    return [Round(count, 1 / factor ** (len(counts) - 1 - i)) for i, count in enumerate(counts)]
