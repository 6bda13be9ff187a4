"""A net that is fed a sequence piece by piece and remembers: the net and its state as one value."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.codecs.ragged import Ragged
from netwright.codecs.reading import Decision, Reading
from netwright.codecs.text.elements import Elements
from netwright.errors import DataError, SizeError, did_you_mean, with_article
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.plan import fixed, shape_text
from netwright.net.run.call import decoded
from netwright.stepping.step_net import StepNet

BEGINNING: Mapping[str, Tensor] = {}
DECISION = Decision()


class Stateful:
    """A net, and its memory of a sequence so far. Feeding it gives a result and a new `Stateful`; this one stays.

    It takes any net that `nw.unfold` takes. Fed piece by piece, it gives the same outputs as the net for the whole
    sequence. The first piece of a text gets the start element of the net, and no piece gets an end element. A
    `Stateful` never changes, so a sequence can be continued from one state more than once. A list of pieces of equal
    length is a batch; the number of sequences stays the same from the first piece on.

    Fields:
        net: the net.
        state: tensors by name, batch first, as `.state` gives them; None for the beginning.

    Raises: NetError for a net that cannot step; MissingArraysError; SizeError for a state that is not this net's;
        DataError for pieces that do not fit.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(nw.GRU(4), nw.Linear(2), input=("n", 3)))
        >>> x = torch.randn(5, 3)
        >>> beginning = nw.Stateful(net)
        >>> first, then = beginning(x[:2])
        >>> second, _ = then(x[2:])
        >>> torch.allclose(torch.cat([first, second]), net(x), atol=1e-6)
        True
        >>> list(then.state)
        ['gru1_hidden']
    """

    net: Net

    def __init__(self, net: Net, state: Mapping[str, Tensor] | None = None) -> None:
        expect_net(net, "Stateful")
        stepping = StepNet.of(net)
        given = {name: tensor.detach().clone() for name, tensor in (state or BEGINNING).items()}
        _check_state(stepping, given)
        object.__setattr__(self, "net", net)
        object.__setattr__(self, "_state", given)
        object.__setattr__(self, "_begun", state is not None)

    @property
    def state(self) -> dict[str, Tensor]:
        """Copies of the state, by name, batch first; empty at the beginning."""
        held: Mapping[str, Tensor] = self.__dict__["_state"]
        return {name: tensor.clone() for name, tensor in held.items()}

    def __call__(self, x: Any, reading: Reading = DECISION) -> "tuple[Any, Stateful]":
        """The decoded result for the next piece, or for a list of pieces, and the `Stateful` after it.

        Fields:
            x: a piece as the net's encoder takes it: a text, an array of one element or more. For a net with several
                inputs a mapping from port to piece; an input without the size that is unfolded is given whole each
                time.
            reading: of the decoder, as a call of the net takes it: `nw.probabilities`, `nw.raw`, ….
        """
        stepping = StepNet.of(self.net)
        inputs, single = _encoded(self.net, x, first=not self.__dict__["_begun"])
        batch = len(next(iter(inputs.values())))
        held: Mapping[str, Tensor] = self.__dict__["_state"]
        for name, tensor in held.items():
            if len(tensor) != batch:
                raise DataError(
                    what="the number of sequences has changed",
                    where=f"state {name!r}",
                    expected=_count(len(tensor)),
                    got=_count(batch),
                )
        moving = {name: piece for name, piece in inputs.items() if name in stepping.moving}
        still = {name: whole for name, whole in inputs.items() if name not in stepping.moving}
        values, after = stepping.run(moving, held, stepping.fixed(still))
        following = object.__new__(Stateful)
        object.__setattr__(following, "net", self.net)
        object.__setattr__(following, "_state", after)
        object.__setattr__(following, "_begun", True)
        return decoded(self.net, values, reading, single), following

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a Stateful is immutable: a call gives the next one")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stateful):
            return NotImplemented
        mine, theirs = self.state, other.state
        same = self.__dict__["_begun"] == other.__dict__["_begun"] and mine.keys() == theirs.keys()
        same = same and all(torch.equal(mine[name], theirs[name]) for name in mine)
        return same and self.net == other.net

    def __hash__(self) -> int:
        return hash(self.net)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in self.state.items())
        place = f"with {sizes or 'no state'}" if self.__dict__["_begun"] else "at the beginning"
        return f"Stateful({self.net!r}, {place})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Stateful, (self.net, self.state if self.__dict__["_begun"] else None)


def _check_state(stepping: StepNet, state: Mapping[str, Tensor]) -> None:
    for name, tensor in state.items():
        if name not in stepping.states:
            raise SizeError(
                what=f"the net remembers nothing under the name {name!r}",
                where="Stateful",
                expected=", ".join(stepping.states) or "no state at all",
                got=repr(name),
                mend=did_you_mean(name, stepping.states),
            )
        shape = stepping.plan.inputs[name]
        whole = (*tensor.shape[:1], *shape)
        if tensor.ndim == 0 or (fixed(shape) and tuple(tensor.shape) != whole):
            raise SizeError(
                what=f"the state {name} has another size than the net's",
                where="Stateful",
                expected=shape_text(whole or (1, *shape)),
                got=shape_text(tuple(tensor.shape)),
            )
    counts = {len(tensor) for tensor in state.values()}
    if len(counts) > 1:
        raise SizeError(
            what="the states are of different numbers of examples",
            where="Stateful",
            got=", ".join(f"{name}: {len(tensor)}" for name, tensor in state.items()),
        )


def _encoded(net: Net, x: Any, first: bool) -> tuple[dict[str, Tensor], bool]:
    """A piece for every input as a batch, and whether one sequence was given."""
    names = [*net.required_names]
    pieces = dict(x) if isinstance(x, Mapping) and len(names) > 1 else {names[0]: x}
    if pieces.keys() != {*names}:
        raise DataError(
            what=f"this net has {len(names)} inputs, and each needs a piece",
            expected=", ".join(names),
            got=", ".join(map(str, pieces)) if isinstance(x, Mapping) else with_article(type(x).__name__),
        )
    found: dict[str, Tensor] = {}
    lists = [isinstance(piece, list) for piece in pieces.values()]
    for name, piece in pieces.items():
        codec = net.held.inputs.get(name)
        if codec is None:
            raise DataError(
                what="this input has neither an encoder nor sizes",
                where=f"input {name!r}",
                expected="an encoder, or sizes",
                mend=f"net.with_input({{{name!r}: ('n', 3)}})",
            )
        own = codec_of_pieces(codec, first)
        rows = own.encode_all(piece) if isinstance(piece, list) else own.encode(piece).unsqueeze(0)
        if isinstance(rows, Ragged):
            raise DataError(
                what="pieces that are fed side by side are equally long",
                where=f"input {name!r}",
                got=", ".join(map(str, rows.lengths[0].tolist()[:8])),
                mend="one Stateful for each sequence, or pieces of one length",
            )
        found[name] = codec.prepare(rows)
    if len({len(rows) for rows in found.values()}) > 1 or len(set(lists)) > 1:
        raise DataError(
            what="the inputs do not hold equally many pieces",
            got=", ".join(f"{name}: {len(rows)}" for name, rows in found.items()),
        )
    return found, not lists[0]


def codec_of_pieces(codec: Codec, first: bool) -> Codec:
    """The encoder of a piece of a sequence: only the first piece gets a start mark, and none gets an end mark."""
    return (
        replace(codec, mark_start=codec.mark_start and first, mark_end=False, max_length=None)
        if isinstance(codec, Elements)
        else codec
    )


def _count(number: int) -> str:
    return f"{number} sequence{'' if number == 1 else 's'}"
