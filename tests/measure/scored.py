"""Answers of a made-up classifier with their targets, as tests of many measurements need them."""

import numpy as np


def scored(n: int, k: int, seed: int = 0, decimals: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, k), rounded so that some are equal, and targets (n,), which are often the most probable."""
    random = np.random.default_rng(seed)
    target = random.integers(0, k, n)
    logits = random.normal(0, 1, (n, k)) + 1.2 * (np.arange(k) == target[:, None])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p = p.round(decimals)
    p[:, -1] = 1 - p[:, :-1].sum(axis=1)
    return np.clip(p, 0, 1), target


def asked(seen, *names):
    """A tally that keeps what the metrics of these names read, and the metrics."""
    from netwright.measure.kept import KeptAnswers
    from netwright.measure.report import attribute

    found = {attribute(metric.title): metric for metric in seen.further}
    seen.kept = KeptAnswers()
    return [found[name] for name in names]
