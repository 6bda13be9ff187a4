"""Searches for the most probable text of a net that ends in a `Transcript`, with a grammar or a model of the language.

The search keeps the best beginnings of texts, each with the probability of all paths that read as it.
"""

import math
import sys
from collections.abc import Hashable, Iterable
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor

from netwright.codecs.reading import raw
from netwright.codecs.text.transcript import Transcript
from netwright.errors import DataError, NetError
from netwright.generate.beam import Beam
from netwright.generate.constraint import Constraint
from netwright.generate.grammar import Grammar
from netwright.generate.ngrams import NGrams
from netwright.net.node import expect_net
from netwright.net.part import Net

Letters: TypeAlias = tuple[int, ...]
LEAST = 1e-30  # a probability below counts as this
NEVER = -math.inf


def transcribe(
    net: Net,
    x: Any,
    *,
    strategy: Beam | None = None,
    grammar: Grammar[Any] | None = None,
    model: NGrams | None = None,
    weight: float = 0.5,
) -> Any:
    """The most probable text for a sound, by a search over all paths that read as it.

    A call of the net takes the most probable class of each element. Here the probabilities of all paths with one text
    are added up: log p(text | sound) + weight · log p(text) with a model of the language.

    Fields:
        net: ends in `nw.Transcript`.
        x: what the net takes; a list makes a batch.
        strategy: `nw.Beam(k)`, how many beginnings are kept; 16 by default, since most differ in one letter only. The
            length penalty has no use here: all texts explain the same sound.
        grammar: the form of the whole text: `nw.Regex("(one|two) (cats|dogs)")` or another. Beginnings that it does
            not allow, or that cannot end in the elements that are left, are dropped.
        model: `nw.NGrams(texts)`, which prefers texts that look like these.
        weight: of the model; 0.5, since a model and a net that were trained on the same texts both know them.

    Returns: a text, or a list of texts for a list.

    Raises: NetError for a net that does not end in a transcript; DataError where the search finds no text that the
        grammar allows, as in a sound that is too short.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.softmax, input="n 3", output=nw.Transcript("ab"))
        >>> x = torch.tensor([[0.4, 0.01, 0.59], [0.4, 0.01, 0.59]]).log()
        >>> net(x), nw.transcribe(net, x)
        ('', 'a')

    Source: Hannun et al. 2014, "First-pass large vocabulary continuous speech recognition using bi-directional
        recurrent DNNs", arXiv 1408.2873
    """
    expect_net(net, "transcribe")
    name = net.output_names[0] if net.output_names else ""
    codec = net.held.outputs.get(name)
    if not isinstance(codec, Transcript):
        raise NetError(
            what="only a net that ends in a transcript can be searched for one",
            where="transcribe",
            expected="output=nw.Transcript(…)",
            got="nothing" if codec is None else type(codec).__name__,
        )
    if strategy is not None and not isinstance(cast(Any, strategy), Beam):
        raise NetError(what="strategy= says how many beginnings are kept", expected="nw.Beam(16)", got=repr(strategy))
    found = net(x, raw)
    outputs = found[name] if isinstance(found, dict) else found
    many = isinstance(x, list)
    search = _Search(codec, (strategy or Beam(16)).width, grammar, model, weight)
    texts: list[str] = []
    for row, output in enumerate(outputs if many else [outputs]):
        best = search(output)
        if best is None:
            size = f"{len(output)} element{'' if len(output) == 1 else 's'}"
            raise DataError(
                what="the search found no text that the grammar allows",
                where=f"row {row}" if many else "transcribe",
                expected="an element for each letter, and one more between two equal letters",
                got=f"{size}, a beam of {search.width}, grammar {grammar!r}",
                mend=f"a longer sound, a grammar that allows shorter texts, or strategy=nw.Beam({4 * search.width})",
            )
        texts.append(codec.text_of(best))
    return texts if many else texts[0]


class _Search:
    """A beam of beginnings; each has the log-probability of the paths that end in a blank, and of those that do not."""

    def __init__(
        self, codec: Transcript, width: int, grammar: Grammar[Any] | None, model: NGrams | None, weight: float
    ) -> None:
        self.codec, self.width, self.model, self.weight = codec, width, model, weight
        self._constraint: Constraint[Any] | None = None if grammar is None else Constraint(grammar, codec.letters)
        self._states: dict[Letters, Hashable | None] = {}
        self._allowed: dict[Hashable, list[tuple[int, int]]] = {}
        self._shortest: dict[Hashable | None, int] = {}
        self._known: dict[Letters, float] = {(): 0.0}

    def __call__(self, output: Tensor) -> Letters | None:
        """The best text for probabilities (n, k); None if no text that is allowed fits them."""
        logs: list[list[float]] = output.double().cpu().clamp_min(LEAST).log().tolist()
        if self._constraint is not None:
            self._states = {(): self._constraint.start}
        beam: dict[Letters, tuple[float, float]] = {(): (0.0, NEVER)}
        for i, frame in enumerate(logs):
            beam = self._step(beam, frame, len(logs) - 1 - i)
        ended = [
            (self._score(text, chances, last=True), text) for text, chances in beam.items() if self._least(text) == 0
        ]
        return max(ended, key=lambda pair: pair[0])[1] if ended else None

    def _step(
        self, beam: dict[Letters, tuple[float, float]], frame: list[float], left: int
    ) -> dict[Letters, tuple[float, float]]:
        """The best beginnings after one more frame, of those that can end in the frames that are left."""
        after: dict[Letters, list[float]] = {}
        for text, (blank, letter) in beam.items():
            whole = _added(blank, letter)
            if self._least(text) <= left:
                same = after.setdefault(text, [NEVER, NEVER])
                same[0] = _added(same[0], whole + frame[-1])
                if text:
                    same[1] = _added(same[1], letter + frame[text[-1]])
            for index in self._following(text, left):
                from_ = blank if text and index == text[-1] else whole  # a letter twice needs a blank between
                if from_ > NEVER:
                    longer = after.setdefault((*text, index), [NEVER, NEVER])
                    longer[1] = _added(longer[1], from_ + frame[index])
        scored = sorted(after.items(), key=lambda pair: -self._score(pair[0], (pair[1][0], pair[1][1])))
        return {text: (chances[0], chances[1]) for text, chances in scored[: self.width]}

    def _score(self, text: Letters, chances: tuple[float, float], last: bool = False) -> float:
        score = _added(*chances)
        if self.model is None:
            return score
        end = self.model.log_probability(self.codec.text_of(text), "") if last else 0.0
        return score + self.weight * (self._of_model(text) + end)

    def _of_model(self, text: Letters) -> float:
        """The log-probability of a beginning in the language."""
        if self.model is None:
            return 0.0
        if text not in self._known:
            before = self.codec.text_of(text[:-1])
            own = self.model.log_probability(before, self.codec.letters[text[-1]])
            self._known[text] = self._of_model(text[:-1]) + own
        return self._known[text]

    def _following(self, text: Letters, left: int) -> Iterable[int]:
        """The letters that may come next, after which the text can end in the frames that are left."""
        if self._constraint is None:
            return range(self.codec.blank)
        return [index for index, least in self._moves(self._state(text)) if least <= left]

    def _moves(self, state: Hashable) -> list[tuple[int, int]]:
        """The letters that the grammar allows, each with the least number of letters after it; kept for all sounds."""
        assert self._constraint is not None
        if state not in self._allowed:
            indices: list[int] = torch.nonzero(self._constraint.allowed(state)).flatten().tolist()
            after = [self._constraint.next(state, index) for index in indices]
            self._allowed[state] = [(i, self._least_of(s)) for i, s in zip(indices, after, strict=True)]
        return self._allowed[state]

    def _least(self, text: Letters) -> int:
        """The least number of letters that complete a beginning."""
        return 0 if self._constraint is None else self._least_of(self._state(text))

    def _least_of(self, state: Hashable | None) -> int:
        assert self._constraint is not None
        if state not in self._shortest:
            found = None if state is None else self._constraint.shortest(state)
            self._shortest[state] = sys.maxsize if found is None else found
        return self._shortest[state]

    def _state(self, text: Letters) -> Hashable:
        assert self._constraint is not None
        if text not in self._states:
            self._states[text] = self._constraint.next(self._state(text[:-1]), text[-1])
        return self._states[text]


def _added(a: float, b: float) -> float:
    """log(eᵃ + eᵇ)."""
    if a < b:
        a, b = b, a
    return a if b == NEVER else a + math.log1p(math.exp(b - a))
