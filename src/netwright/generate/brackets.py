"""Allows texts whose brackets balance."""

from typing import Any, cast

import torch

from netwright.errors import NetError
from netwright.generate.grammar import Grammar, Moves, Vocabulary
from netwright.value import Value


class Effect(Value):
    """The effect of one element on the brackets that are still open: first it closes some, then it opens some.

    Fields:
        closes: the closing brackets in the element, which must be the last of the state, in the order of the state.
        opens: the closing brackets that it adds to the state, in the order of the state.
    """

    closes: str
    opens: str


class Brackets(Value, Grammar[str]):
    """Texts whose brackets balance: every one is closed by its own kind, the last opened first.

    Elements of several characters are read character by character. The state holds the closing brackets that are still
    missing, the next one last. The distance to an end is counted in elements that only close brackets, so a kind of
    bracket can be opened only if the vocabulary has such an element for it.

    Fields:
        pairs: the kinds of brackets, each an opening and a closing character.
        free: the other characters that may stand anywhere; None: all.

    Raises:
        NetError: the pairs are not pairs of different characters, or a free character is a bracket.

    Example:
        >>> Brackets("()[]").matches("f(a[0])"), Brackets("()[]").matches("([)]")
        (True, False)
    """

    pairs: str = "()[]{}"
    free: str | None = None

    def __post_init__(self) -> None:
        pairs, free = cast(Any, self.pairs), cast(Any, self.free)
        if not isinstance(pairs, str) or not pairs or len(pairs) % 2 or len(set(pairs)) < len(pairs):
            raise NetError(
                what="brackets come in pairs of different characters",
                expected='a text such as "()[]{}"',
                got=repr(pairs),
            )
        if free is not None and not isinstance(free, str):
            raise NetError(
                what="the free characters of Brackets are a text",
                expected='a text such as "xyz+", or None for all characters',
                got=repr(free),
            )
        both = [c for c in free or "" if c in pairs]
        if both:
            raise NetError(
                what="a bracket cannot be free",
                where=f"Brackets({pairs!r})",
                expected="free characters that are no brackets",
                got=f"{both[0]!r} in free={free!r}",
                mend="leave it out of free, or its pair out of pairs",
            )

    def start(self) -> str:
        return ""

    def next(self, state: str, element: str) -> str | None:
        effect = self._effect(element)
        return None if effect is None else _after(state, effect)

    def done(self, state: str) -> bool:
        return not state

    def shortest(self, state: str, vocabulary: Vocabulary) -> int | None:
        closers = [effect.closes for effect in self._effects(vocabulary)[0] if effect.closes and not effect.opens]
        best: list[int | None] = [0]  # best[i]: the fewest elements that close the first i brackets of the state
        for i in range(1, len(state) + 1):
            ways = [best[i - len(c)] for c in closers if state.endswith(c, 0, i)]
            best.append(min((n + 1 for n in ways if n is not None), default=None))
        return best[-1]

    def successors(self, state: str, vocabulary: Vocabulary) -> Moves[str]:
        effects, which = self._effects(vocabulary)
        places: dict[str, int] = {}
        led: list[int] = []
        for effect in effects:
            after = _after(state, effect)
            led.append(-1 if after is None else places.setdefault(after, len(places)))
        return Moves(list(places), torch.tensor([*led, -1], dtype=torch.int64, device="cpu")[which])

    def _effects(self, vocabulary: Vocabulary) -> tuple[list[Effect], torch.Tensor]:
        """The distinct effects of a vocabulary, and which each element has, (v,); -1 for one that may never come."""

        def work() -> tuple[list[Effect], torch.Tensor]:
            places: dict[Effect, int] = {}
            which: list[int] = []
            for element in vocabulary.elements:
                effect = None if element is None else self._effect(element)
                which.append(-1 if effect is None else places.setdefault(effect, len(places)))
            return list(places), torch.tensor(which, dtype=torch.int64, device="cpu")

        return vocabulary.once(self, "effects", work)

    def _effect(self, element: object) -> Effect | None:
        """The effect of an element; None if it is never allowed, such as `(]` or a character that is not free."""
        if not isinstance(element, str):
            raise NetError(
                what="Brackets reads text, and this element is not a text",
                where=f"grammar {self!r}",
                expected="elements that are texts",
                got=repr(element),
            )
        closes, opens = "", ""
        for char in element:
            place = self.pairs.find(char)
            if place < 0:
                if self.free is not None and char not in self.free:
                    return None
            elif place % 2 == 0:
                opens += self.pairs[place + 1]
            elif not opens:
                closes = char + closes
            elif opens[-1] == char:
                opens = opens[:-1]
            else:
                return None
        return Effect(closes, opens)


def _after(state: str, effect: Effect) -> str | None:
    if not state.endswith(effect.closes):
        return None
    return state[: len(state) - len(effect.closes)] + effect.opens
