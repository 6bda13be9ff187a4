"""A net that says what comes next, fed by elements: log-probabilities out, and a state that is a value."""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor

from netwright.codecs.codec import LONGEST
from netwright.codecs.text.elements import Elements
from netwright.errors import DataError, NetError, shortened
from netwright.net.part import Net
from netwright.net.run.examples import Examples
from netwright.stepping.step_net import NOTHING, State, StepNet
from netwright.training.prepare.next_element import following_port

LEAST = 1e-38  # a probability below counts as this: about the smallest that float32 has


class Predictor:
    """A net that predicts elements of sequences, fed by these elements, perhaps told of something else.

    Fields: `encoder` and `decoder` are the net's for what it predicts; `sources` its other inputs.
    """

    def __init__(self, net: Net) -> None:
        self._net, self._port, self._output = net, _predicted(net), net.output_names[0]
        self.encoder, self.decoder = _codecs(net, self._port)
        whole = self.encoder.max_length is None and not self.encoder.mark_end
        self._starting = self.encoder if whole else replace(self.encoder, max_length=None, mark_end=False)
        self.sources = tuple(name for name in net.required_names if name != self._port)
        self._stepping = StepNet.of(net, self.encoder.length if self.sources else None)
        self._once = self._own = NOTHING
        self._numbers: tuple[int, ...] = ()
        self.device = self._stepping.device

    def told(self, given: Sequence[Any]) -> list[Any]:
        """Take what sequences are about, and give what each starts with; without sources it is all they are given."""
        if not self.sources:
            return [*given]
        names = {*self.sources}
        rows = [raw if isinstance(raw, Mapping) else {self.sources[0]: raw} for raw in given]
        for number, row in enumerate(rows):
            if not names <= row.keys() <= names | {self._port}:
                raise DataError(
                    what="what a sequence is about is said for every input of the net but its own",
                    where=f"prompt {number}",
                    expected="{" + ", ".join(f"{name!r}: …" for name in self.sources) + "}",
                    got=", ".join(map(repr, row)),
                )
        codecs = {name: self._net.held.inputs[name] for name in self.sources}
        columns: dict[str, Any] = {}
        for name, codec in codecs.items():
            try:
                columns[name] = codec.encode_all([row[name] for row in rows])
            except DataError as error:
                raise error.within(f"input {name!r}") from None
        # its own elements come one by one
        columns[self._port] = torch.zeros(len(rows), 1, dtype=torch.int64, device="cpu")
        padded = Examples(self._net.plan, columns).batch(torch.arange(len(rows), device="cpu"))
        inputs = {name: codec.prepare(padded.inputs[name]) for name, codec in codecs.items()}
        lengths = {size: length for size, length in padded.lengths.items() if size != self.encoder.length}
        self._once = self._stepping.fixed(inputs, lengths)
        return [row.get(self._port, "") for row in rows]

    def prompt(self, raw: Any) -> list[int]:
        """The elements of what a sequence starts with, the start element first where there is one."""
        empty = isinstance(raw, Sized) and not len(raw)
        if empty and self.encoder.start is not None:
            return [self.encoder.start]
        try:
            return self._starting.encode(raw).tolist()  # a tokenizer may put a piece of its own in front of nothing
        except DataError:
            if not empty:
                raise
            raise DataError(
                what="there is nothing to start from: the net has no start element, and no start is given",
                where="generate",
                got=repr(raw),
                mend=(
                    "prompt='…'",
                    "nw.train(net, texts, objective=nw.NextElement()), whose nets have a start element",
                ),
            ) from None

    def __call__(self, elements: Tensor, state: State, numbers: Sequence[int] = ()) -> tuple[Tensor, dict[str, Tensor]]:
        """The log-probabilities of what comes after a chunk of elements (b, k), as (b, v), and the state after it.

        `numbers` says of each row which of the sources it is about, where there are any.
        """
        if self.sources and tuple(numbers) != self._numbers:
            self._numbers, self._own = tuple(numbers), self._once.of(numbers)
        run = self._stepping.run if elements.shape[1] == 1 else self._stepping.last  # one element: in one program
        values, after = run({self._port: elements}, state, self._own)
        return values[self._output][:, -1].float().clamp_min(LEAST).log_(), after  # (b, 1, v) -> (b, v)


def said_by(decoder: Elements, elements: Sequence[int]) -> Any:
    """What elements say together: a text, or a tuple of labels, since a list of starts is a batch."""
    found = decoder.text_of(elements)
    return tuple(cast(list[Any], found)) if isinstance(found, list) else found


def _predicted(net: Net) -> str:
    """The input of which the net says what comes next."""
    names = net.required_names
    return (names[0] if len(names) == 1 else following_port(net)) or ""


def _codecs(net: Net, port: str) -> tuple[Elements, Elements]:
    encoder = net.held.inputs.get(port)
    decoder = net.held.outputs.get(net.output_names[0]) if net.output_names else None
    if not isinstance(encoder, Elements) or not isinstance(decoder, Elements):
        raise NetError(
            what="only a net that reads a sequence and says what comes next can generate",
            where="generate",
            expected="an encoder and a decoder of sequences, such as nw.Characters, that go together",
            got=f"input {_said(encoder)}, output {_said(decoder)}",
            mend="nw.train(net, texts, objective=nw.NextElement()).net",
        )
    if _known(encoder) != _known(decoder):
        raise NetError(
            what="what a net says is read again by its encoder, which has other elements",
            where="generate",
            expected=f"a decoder for the elements of {shortened(repr(encoder), LONGEST)}",
            got=shortened(repr(decoder), LONGEST),
            mend="nw.train(net, texts, objective=nw.NextElement()).net, whose codecs go together",
        )
    return encoder, decoder


def _known(codec: Elements) -> list[Any]:
    """The elements without the edge."""
    elements, edge = list(codec.elements), codec.edge
    return elements if edge is None else elements[:edge] + elements[edge + 1 :]


def _said(codec: Any) -> str:
    return "nothing" if codec is None else type(codec).__name__
