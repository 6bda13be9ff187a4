"""Places the items of one row across: a line that goes on without a fork is straight, and what forks is in the middle.

Each item wants to stand where the edges to its neighbours are straight, and neighbours in its layer keep apart. Where
they would overlap, the heavier ones stay: boxes keep their line, and the lanes beside them give way. Layer by layer
this is a regression in which the order is given, solved by pooling neighbours that want to pass each other.

Source: Barlow, Bartholomew, Bremner and Brunk 1972, "Statistical inference under order restrictions"
"""

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Pull: TypeAlias = tuple[str, str, float, float]  # two keys, how far the second begins after the first, how strongly

SWEEPS = 9  # every second one back; the last one forward, so that a line goes on straight
STILL = 0.001  # how strongly an item without neighbours stays where it is
FIXED = 1000.0  # the weight of an item that has its place


class Placing:
    """One row while it is placed: the layers, how far each item reaches, and the pulls between layers."""

    def __init__(
        self,
        layers: Sequence[Sequence[str]],
        reach: Mapping[str, float],
        gap: Mapping[str, float],
        weight: Mapping[str, float],
        pulls: Sequence[Pull],
        axis: Mapping[str, float],
        breadth: float,
    ) -> None:
        self.layers, self.reach, self.gap, self.weight = layers, reach, gap, weight
        self.axis, self.breadth = axis, breadth  # items with a fixed place, and how far a layer may reach
        self.near: tuple[dict[str, list[Pull]], dict[str, list[Pull]]] = ({}, {})
        for a, b, shift, strength in pulls:
            self.near[0].setdefault(b, []).append((a, b, shift, strength))
            self.near[1].setdefault(a, []).append((b, a, -shift, strength))
        self.at: dict[str, float] = {}
        for layer in layers:
            place = -sum(reach[key] + gap[key] for key in layer) / 2
            for key in layer:
                self.at[key] = place
                place += reach[key] + gap[key]

    def solve(self) -> dict[str, float]:
        """Where each item begins; the least is 0."""
        for sweep in range(SWEEPS):
            for layer in reversed(self.layers) if sweep % 2 else self.layers:
                self._settle(layer, sweep % 2)
        self._straighten()
        least = min(self.at.values(), default=0.0)
        return {key: place - least for key, place in self.at.items()}

    def _straighten(self) -> None:
        """Put the light items that follow each other on one line, where their neighbours leave room for it."""
        free: dict[str, tuple[float, float]] = {}
        for layer in self.layers:
            for i, key in enumerate(layer):
                before = self.at[layer[i - 1]] + self.reach[layer[i - 1]] + self.gap[layer[i - 1]] if i else -math.inf
                after = self.at[layer[i + 1]] - self.reach[key] - self.gap[key] if i + 1 < len(layer) else math.inf
                free[key] = (before, after)
        for run in self._runs():
            least, most = max(free[key][0] for key in run), min(free[key][1] for key in run)
            if least <= most + 1e-9:
                middle = sorted(self.at[key] for key in run)[len(run) // 2]
                self.at.update(dict.fromkeys(run, min(max(middle, least), most)))

    def _runs(self) -> list[list[str]]:
        """Light items that follow each other, from layer to layer."""
        light = {key for layer in self.layers for key in layer if self.weight[key] < 1}
        before = {key: other for key in light for other, *_ in self.near[0].get(key, ()) if other in light}
        runs = {key: [key] for key in light if key not in before}
        for layer in self.layers:
            for key in layer:
                if key in before:
                    runs[key] = runs.pop(before[key])
                    runs[key].append(key)
        return list(runs.values())

    def _settle(self, layer: Sequence[str], side: int) -> None:
        """Move a layer to where its edges to the layer before it (side 0) or after it (side 1) are straight."""
        wanted: list[float] = []
        weights: list[float] = []
        offset = 0.0
        for key in layer:
            pulls = [(self.at[other] + shift, strength) for other, _, shift, strength in self.near[side].get(key, ())]
            wanted.append(self.axis.get(key, _median(pulls) if pulls else self.at[key]) - offset)
            weights.append(FIXED if key in self.axis else self.weight[key] if pulls else STILL)
            offset += self.reach[key] + self.gap[key]
        least, most = -self.breadth / 2, self.breadth / 2 - offset
        offset = 0.0
        for key, place in zip(layer, _rising(wanted, weights), strict=True):
            self.at[key] = max(least, min(place, most)) + offset
            offset += self.reach[key] + self.gap[key]


def _median(pulls: Sequence[tuple[float, float]]) -> float:
    """The weighted median; between two places that pull alike, the middle."""
    ordered = sorted(pulls)
    half, passed = sum(strength for _, strength in ordered) / 2, 0.0
    for i, (place, strength) in enumerate(ordered):
        passed += strength
        if abs(passed - half) < 1e-9 and i + 1 < len(ordered):
            return (place + ordered[i + 1][0]) / 2
        if passed > half:
            return place
    return ordered[-1][0]


def _rising(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The places nearest to the wanted ones in which none is before the one before it."""
    pools: list[list[float]] = []  # mean, weight, how many
    for place, weight in zip(wanted, weights, strict=True):
        pools.append([place, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, more, count = pools.pop()
            before = pools[-1]
            before[0] = (before[0] * before[1] + mean * more) / (before[1] + more)
            before[1] += more
            before[2] += count
    return [mean for mean, _, count in pools for _ in range(int(count))]
