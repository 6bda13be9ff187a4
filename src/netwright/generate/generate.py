"""The loop that makes sequences with any net that steps: one element after another, by the given strategy."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast, overload

import torch
from torch import Tensor

from netwright.codecs.reading import Sample
from netwright.codecs.text.elements import REPLACEMENT
from netwright.errors import DataError, NetError
from netwright.generate.beam import Beam, Finished, expanded, first_beam
from netwright.generate.choice import Greedy, chosen
from netwright.generate.constraint import Constraint
from netwright.generate.generated import Ended, Generated, Piece
from netwright.generate.grammar import Grammar
from netwright.generate.predictor import Predictor, decoded_elements
from netwright.net.arguments import check_question
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.run.call import Changes
from netwright.stepping.step_net import State, reordered

Choose: TypeAlias = Greedy | Sample | Beam
TAIL = 32  # elements at the end of a text that are looked at for a stop; more for longer ones


@overload
def generate(  # pyright: ignore[reportOverlappingOverload]  # a prompt that is a list is a batch, whatever it holds
    net: Net,
    prompt: list[Any],
    *,
    strategy: Choose | None = None,
    max_elements: int = 200,
    stop: str | Sequence[str] = (),
    grammar: Grammar[Any] | None = None,
    set: Changes | None = None,
) -> list[Generated]: ...
@overload
def generate(
    net: Net,
    prompt: Any = "",
    *,
    strategy: Choose | None = None,
    max_elements: int = 200,
    stop: str | Sequence[str] = (),
    grammar: Grammar[Any] | None = None,
    set: Changes | None = None,
) -> Generated: ...
def generate(
    net: Net,
    prompt: Any = "",
    *,
    strategy: Choose | None = None,
    max_elements: int = 200,
    stop: str | Sequence[str] = (),
    grammar: Grammar[Any] | None = None,
    set: Changes | None = None,
) -> Generated | list[Generated]:
    """Sequences that a net makes element by element; each element is fed back to choose the next.

    The net is run as its step net (`nw.unfold`), so the time for an element does not grow with the length, except in
    attention, which reads all earlier elements. A sequence does not depend on the others of its batch.

    Fields:
        net: reads a sequence and gives, at every position, the distribution of the next element, as
            `objective=nw.NextElement()` trains it.
        prompt: the beginning of the sequence; it may be empty for a net with a start element. For a net that also reads
            a source, such as a text to translate, it is the source; a mapping by port gives both, or several sources.
            A list makes a batch.
        strategy: `nw.Greedy()`, the default, the most probable element; `nw.Sample(temperature, …)`, drawn by a seed;
            `nw.Beam(k)`, the most probable sequence that a search with k candidates finds.
        max_elements: how many elements are made, if nothing ends the sequence earlier.
        stop: texts; the sequence ends as soon as it ends with one of them.
        grammar: the form of the whole sequence, its prompt included: `nw.Regex(…)`, `nw.Brackets(…)`, `nw.Arity(…)` or
            an automaton of your own. An element is allowed only if the shortest completion after it still fits in
            `max_elements`, so the result is always well formed, unless a `stop` ends it earlier.
        set: path to a function or an array that takes the place of the value there at each element, as in a call of
            the net. A function is given the elements of a chunk, (b, k, …): first the prompt's, then each that is made.

    Returns: a `Generated`, or a list of them for a list of prompts.

    Raises: NetError for a net that does not predict elements, or looks ahead; DataError for a prompt with an unknown
        element, a missing prompt, or one that the grammar does not allow.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.Embedding(16), nw.GRU(32), nw.Linear(), nw.softmax)
        >>> run = nw.train(net, ["abcabcabc"] * 64, objective=nw.NextElement(), epochs=25, progress=False)
        >>> print(nw.generate(run.net, "ab"))
        abcabcabc
    """
    expect_net(net, "generate")
    chosen_by = _checked(strategy)
    check_question(prompt, None, set)
    many = isinstance(prompt, list)
    prompts: list[Any] = cast(list[Any], prompt) if many else [prompt]
    making = _Generation(Predictor(net, set), prompts, max_elements, _stops(stop), grammar)
    if isinstance(chosen_by, Beam):
        if stop:
            raise NetError(
                what="a beam cannot use stop texts: it compares whole sequences",
                where="generate",
                got=f"{chosen_by!r} and stop={stop!r}",
                mend="nw.Greedy() or nw.Sample(…), or a net with an end element",
            )
        results = [making.search(i, chosen_by) for i in range(len(prompts))]
    else:
        for _ in making.steps(chosen_by):
            pass
        results = [making.result(i) for i in range(len(prompts))]
    return results if many else results[0]


def stream(
    net: Net,
    prompt: Any = "",
    *,
    strategy: Greedy | Sample | None = None,
    max_elements: int = 200,
    stop: str | Sequence[str] = (),
    grammar: Grammar[Any] | None = None,
    set: Changes | None = None,
) -> Iterator[Piece]:
    """The pieces of a sequence as `generate` makes them, without the prompt.

    A piece is the text of one element, or of several if one character takes more than one.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.Embedding(16), nw.GRU(32), nw.Linear(), nw.softmax)
        >>> run = nw.train(net, ["abcabcabc"] * 64, objective=nw.NextElement(), epochs=25, progress=False)
        >>> [str(piece) for piece in nw.stream(run.net, "abca")]
        ['b', 'c', 'a', 'b', 'c']
    """
    expect_net(net, "stream")
    chosen_by = _checked(strategy)
    check_question(prompt, None, set)
    if isinstance(chosen_by, Beam):
        raise NetError(
            what="a beam knows its sequence only at the end", where="stream", got=repr(chosen_by), mend="nw.generate(…)"
        )
    making = _Generation(Predictor(net, set), [prompt], max_elements, _stops(stop), grammar)
    return _pieces(making, chosen_by)


def _pieces(making: "_Generation", choose: Greedy | Sample) -> Iterator[Piece]:
    decoder, row = making.stepper.decoder, making.rows[0]
    yielded, logged = len(row.elements), 0
    for _ in making.steps(choose):
        context = row.elements[:yielded][-1:]
        pending = row.elements[yielded:]
        before, now = decoded_elements(decoder, context), decoded_elements(decoder, [*context, *pending])
        if pending and isinstance(now, str) and now.endswith(REPLACEMENT) and row.ended is None:
            continue  # half a character
        if pending:
            yield Piece(now[len(before) :], tuple(row.logs[logged : logged + len(pending)]))
            yielded, logged = len(row.elements), logged + len(pending)


@dataclass
class _Sequence:
    """One sequence: its prompt, the elements made so far, and the state of its grammar."""

    prompt: list[int]
    elements: list[int]
    logs: list[float] = field(default_factory=list[float])
    grammar: Hashable = None
    ended: Ended | None = None

    @property
    def made(self) -> int:
        return len(self.logs)


class _Generation:
    """Sequences being made by one net."""

    def __init__(
        self, stepper: Predictor, starts: Sequence[Any], most: int, stops: Sequence[str], grammar: Grammar[Any] | None
    ) -> None:
        if type(most) is not int or most < 1:
            raise DataError(what="at least one element is made", expected="max_elements of 1 or more", got=repr(most))
        if not starts:
            raise DataError(what="there are no prompts", got="[]", mend="'' for an empty prompt")
        self.stepper, self.max_elements, self.stops = stepper, most, stops
        self.tail = max([TAIL, *(len(text.encode()) for text in stops)])  # an element has at least one byte
        self.ends = sorted(stepper.decoder.ends)
        never = {stepper.decoder.unknown_index, *(stepper.encoder.marks | stepper.decoder.marks) - {*self.ends}}
        size = stepper.decoder.size
        self.never = sorted(index for index in never if index is not None and index < size)  # elements not to make
        self.edge = self.ends[0] if self.ends else None  # stands for all of them where only one can be used
        self.constraint: Constraint[Any] | None = None
        if grammar is not None:
            excluded = {*self.ends, *self.never}
            known = [None if i in excluded else element for i, element in enumerate(stepper.decoder.elements)]
            self.constraint = Constraint(grammar, known, end=self.edge)
        self.rows = [self._row(i, start) for i, start in enumerate(stepper.prompts_of(starts))]

    def _row(self, number: int, start: Any) -> _Sequence:
        prompt, marks = self.stepper.prompt(start), self.stepper.encoder.marks
        elements = [index for index in prompt if index not in marks]
        row = _Sequence(prompt, elements)
        if self.constraint is None:
            return row
        state = self.constraint.start
        for place, index in enumerate(elements):
            state = self.constraint.next(state, index)
            if state is None:
                raise DataError(
                    what="the grammar does not allow this prompt",
                    where=f"prompt {number}, element {place}",
                    expected=f"an element that {self.constraint.grammar!r} allows here",
                    got=repr(start),
                )
        self._check_room(number, start, self.constraint.shortest(state))
        row.grammar = state
        row.ended = "max_elements" if self._is_complete(row) else None
        return row

    def _check_room(self, number: int, start: Any, shortest: int | None) -> None:
        if shortest is None:
            raise DataError(
                what="the grammar cannot end after this prompt with the elements that the net has",
                where=f"prompt {number}",
                got=repr(start),
            )
        if shortest > self.max_elements:
            raise DataError(
                what="the grammar cannot end after this prompt within so few elements",
                where=f"prompt {number}",
                expected=f"room for at least {shortest} element{'' if shortest == 1 else 's'} more",
                got=f"max_elements={self.max_elements}",
                mend=f"max_elements={shortest}",
            )

    def _advance(
        self, elements: Tensor, state: State, rows: Sequence[_Sequence], numbers: Sequence[int]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The log-probabilities after more elements; if the net takes no more, the error says how many can be made."""
        try:
            return self.stepper(elements, state, numbers)
        except DataError as error:
            made = min(row.made for row in rows)
            mends = (f"max_elements={made}", *error.mend) if made else error.mend
            where = f"{error.where}, element {made + 1} that is made" if made else error.where
            raise error.changed(where=where, mend=mends) from None

    def steps(self, choose: Greedy | Sample) -> Iterator[None]:
        """Make one element of every unfinished sequence, until all are finished. Longer prompts are read meanwhile."""
        alive = [i for i, row in enumerate(self.rows) if row.ended is None]
        if not alive:
            return
        at = min(len(self.rows[i].prompt) for i in alive)
        logs, state = self.stepper(
            torch.tensor([self.rows[i].prompt[:at] for i in alive], dtype=torch.int64, device="cpu"), {}, alive
        )
        while True:
            ready = [place for place, i in enumerate(alive) if len(self.rows[i].prompt) <= at]
            following = [self.rows[i].prompt[at] if len(self.rows[i].prompt) > at else 0 for i in alive]
            if ready:
                picked = self._choose(choose, logs[ready], [alive[place] for place in ready])
                for place, index in zip(ready, picked, strict=True):
                    following[place] = index
                yield
            going = [place for place, i in enumerate(alive) if self.rows[i].ended is None]
            if not going:
                return
            if len(going) < len(alive):
                state = reordered(state, torch.tensor(going, device=self.stepper.device, dtype=torch.int64))
                alive, following = [alive[place] for place in going], [following[place] for place in going]
            logs, state = self._advance(
                torch.tensor(following, dtype=torch.int64, device="cpu").unsqueeze(1),
                state,
                [self.rows[i] for i in alive],
                alive,
            )
            at += 1

    def _choose(self, choose: Greedy | Sample, logs: Tensor, numbers: Sequence[int]) -> list[int]:
        """The next element of these sequences."""
        rows = [self.rows[i] for i in numbers]
        logs = self._allowed(logs, rows)
        made = torch.tensor([row.made for row in rows], device=logs.device, dtype=torch.int64)
        index, log = chosen(choose, logs, made, torch.tensor(numbers, device=logs.device, dtype=torch.int64))
        for row, element, value in zip(rows, index.tolist(), log.tolist(), strict=True):
            self._take(row, element, value)
        return index.tolist()

    def _allowed(self, logs: Tensor, rows: Sequence[_Sequence]) -> Tensor:
        """Log-probabilities with -inf where an element may not come."""
        if self.never:
            logs = logs.clone()
            logs[:, self.never] = -torch.inf
        if self.constraint is None:
            return logs
        masks = torch.stack(
            [self.constraint.allowed(cast(Any, row.grammar), self.max_elements - row.made) for row in rows]
        )
        masks[:, self.ends[1:]] = masks[:, self.ends[:1]]
        return logs.masked_fill(~masks.to(logs.device), -torch.inf)  # (rows, v)

    def _one_end(self, logs: Tensor) -> Tensor:
        """The log-probabilities for a beam, which knows one end element: the most probable end replaces the first."""
        if len(self.ends) < 2:
            return logs
        best = logs[:, self.ends].amax(-1)  # (rows, ends) -> (rows,)
        ends = torch.tensor(self.ends, dtype=torch.int64, device=logs.device)
        logs = logs.index_fill(-1, ends, -torch.inf)  # (rows, v)
        logs[:, self.ends[0]] = best
        return logs

    def _take(self, row: _Sequence, element: int, log: float) -> None:
        row.logs.append(log)
        if element in self.ends:
            row.ended = "end"
            return
        row.elements.append(element)
        if self.constraint is not None:
            row.grammar = self.constraint.next(cast(Any, row.grammar), element)
        if self.stops and self._text(row.elements[-self.tail :]).endswith(tuple(self.stops)):
            row.ended = "stop"
        elif row.made >= self.max_elements or self._is_complete(row):
            row.ended = "max_elements"

    def _is_complete(self, row: _Sequence) -> bool:
        """Whether the grammar is complete and allows no next element, in a net without an end element."""
        if self.constraint is None or self.edge is not None or not self.constraint.done(cast(Any, row.grammar)):
            return False
        return not bool(self.constraint.allowed(cast(Any, row.grammar), self.max_elements - row.made).any())

    def _text(self, elements: Sequence[int]) -> str:
        found = self.stepper.decoder.text_of(elements)
        return found if isinstance(found, str) else " ".join(map(str, found))

    def result(self, number: int) -> Generated:
        """A finished sequence."""
        row = self.rows[number]
        assert row.ended is not None
        return Generated(decoded_elements(self.stepper.decoder, row.elements), tuple(row.logs), row.ended)

    def search(self, number: int, beam: Beam) -> Generated:
        """The best sequence that a beam finds from one prompt."""
        row = self.rows[number]
        if row.ended is not None:
            return self.result(number)
        logs, state = self.stepper(torch.tensor([row.prompt], dtype=torch.int64, device="cpu"), {}, [number])
        state = reordered(state, torch.zeros(beam.width, dtype=torch.int64, device=logs.device))
        scores = first_beam(beam.width, logs)
        finished = Finished.none(beam.width, logs)
        rows = [_Sequence(row.prompt, list(row.elements), [], row.grammar) for _ in range(beam.width)]
        logs = logs.expand(beam.width, -1)
        for length in range(1, self.max_elements + 1):
            allowed = self._one_end(self._allowed(logs, rows))
            step = expanded(scores, allowed.unsqueeze(0), self.edge)
            ends = torch.tensor(
                [[*r.elements[len(row.elements) :], self.edge or 0] for r in rows], dtype=torch.int64, device="cpu"
            )
            finished = finished.joined(beam, step.ended, ends.unsqueeze(0), length)
            parents, picked = step.parent[0].tolist(), step.element[0].tolist()
            kept = [rows[parent] for parent in parents]
            logs_of = allowed[parents, picked].tolist()
            rows = [
                _Sequence(r.prompt, [*r.elements, e], [*r.logs, log], self._after(r, e, best))
                for r, e, log, best in zip(kept, picked, logs_of, step.scores[0].tolist(), strict=True)
            ]
            scores, finished = self._filled(beam, finished, rows, step.scores, length)
            if not bool(scores.isfinite().any()) or bool(finished.settled(beam, scores, length).all()):
                break
            if length < self.max_elements:
                state = reordered(state, step.parent[0])
                logs, state = self._advance(step.element[0].unsqueeze(1), state, rows, [number] * beam.width)
        return self._best(number, finished, rows, scores)

    def _filled(
        self, beam: Beam, finished: Finished, rows: Sequence[_Sequence], scores: Tensor, length: int
    ) -> tuple[Tensor, Finished]:
        """Finish the hypotheses after which the grammar allows nothing, in a net without an end element."""
        full = torch.tensor(
            [[self._is_complete(row) for row in rows]], device=scores.device, dtype=torch.bool
        )  # (1, k)
        if not bool(full.any()):
            return scores, finished
        made = torch.tensor(
            [[row.elements[len(row.elements) - length :] for row in rows]], dtype=torch.int64, device="cpu"
        )  # (1, k, length)
        ended = scores.masked_fill(~full, -torch.inf)
        return scores.masked_fill(full, -torch.inf), finished.joined(beam, ended, made, length)

    def _after(self, row: _Sequence, element: int, score: float) -> Hashable:
        if self.constraint is None or score == -torch.inf:
            return row.grammar
        return self.constraint.next(cast(Any, row.grammar), element)

    def _best(self, number: int, finished: Finished, going: Sequence[_Sequence], scores: Tensor) -> Generated:
        """The best finished hypothesis; if none has finished, the best of the others."""
        decoder, row = self.stepper.decoder, self.rows[number]
        ended: Ended
        if bool(finished.scores[0, 0].isfinite()):
            count = int(finished.lengths[0, 0])
            made = finished.elements[0, 0, :count].tolist()
            logs, ended = self._logs(number, made), "max_elements" if self.edge is None else "end"
            made = made if self.edge is None else made[:-1]
        else:
            best = going[int(scores[0].argmax())]
            made, logs, ended = best.elements[len(row.elements) :], best.logs, "max_elements"
        return Generated(decoded_elements(decoder, [*row.elements, *made]), tuple(logs), ended)

    def _logs(self, number: int, made: Sequence[int]) -> list[float]:
        """The log-probability of every made element, from a second run over the sequence."""
        logs: list[float] = []
        now, state = self.stepper(
            torch.tensor([self.rows[number].prompt], dtype=torch.int64, device="cpu"), {}, [number]
        )
        for place, element in enumerate(made):
            logs.append(float(self._one_end(now)[0, element]))
            if place + 1 < len(made):
                now, state = self.stepper(torch.tensor([[element]], dtype=torch.int64, device="cpu"), state, [number])
        return logs


def _checked(choose: Any) -> Choose:
    if choose is None:
        return Greedy()
    if not isinstance(choose, Greedy | Sample | Beam):
        raise NetError(
            what="strategy= says how the next element is chosen",
            expected="nw.Greedy(), nw.Sample(temperature=0.8) or nw.Beam(4)",
            got=repr(choose),
        )
    return choose


def _stops(stop: str | Sequence[str]) -> tuple[str, ...]:
    stops = (stop,) if isinstance(stop, str) else tuple(stop)
    if not all(isinstance(cast(Any, text), str) and text for text in stops):
        raise DataError(what="a stop is a text", where="stop", got=repr(stop))
    return tuple(text for text in stops if text)
