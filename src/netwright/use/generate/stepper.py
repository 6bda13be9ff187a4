"""A net that says what comes next, fed by elements: log-probabilities out, and a state that is a value."""

from collections.abc import Sequence, Sized
from dataclasses import replace
from typing import Any, cast

from torch import Tensor

from netwright.codecs.codec import LONGEST
from netwright.codecs.text.base import Elements
from netwright.errors import DataError, NetError
from netwright.net.part import Net
from netwright.use.stepping import State, Stepping

LEAST = 1e-38  # a probability below counts as this: about the smallest that float32 has


class Stepper:
    """A net that predicts elements of sequences, fed by these elements.

    Fields: `encoder` and `decoder` are the net's.
    """

    def __init__(self, net: Net) -> None:
        self.encoder, self.decoder = _codecs(net)
        self._stepping = Stepping.of(net)
        self._port, self._output = net.required_names[0], net.output_names[0]
        self.device = self._stepping.device

    def prompt(self, raw: Any) -> list[int]:
        """The elements of what a sequence starts with, the start element first where there is one."""
        encoder = replace(self.encoder, most=None, end=False)
        if not (isinstance(raw, Sized) and not len(raw)):
            return encoder.encode(raw).tolist()
        if encoder.edge is None:
            raise DataError(
                what="there is nothing to start from: the net has no start element, and no start is given",
                where="generate",
                got=repr(raw),
                mend=("start='…'", "nw.train(net, texts, objective=nw.NextElement()), whose nets have a start element"),
            )
        return [encoder.edge]

    def __call__(self, elements: Tensor, state: State) -> tuple[Tensor, dict[str, Tensor]]:
        """The log-probabilities of what comes after a chunk of elements (b, k), as (b, v), and the state after it."""
        values, after = self._stepping.run({self._port: elements}, state)
        return values[self._output][:, -1].float().clamp_min(LEAST).log(), after  # (b, k, v) -> (b, v)


def said_by(decoder: Elements, elements: Sequence[int]) -> Any:
    """What elements say together: a text, or a tuple of labels, since a list of starts is a batch."""
    found = decoder.text_of(elements)
    return tuple(cast(list[Any], found)) if isinstance(found, list) else found


def _codecs(net: Net) -> tuple[Elements, Elements]:
    encoder = net.held.inputs.get(net.required_names[0]) if len(net.required_names) == 1 else None
    decoder = net.held.outputs.get(net.output_names[0]) if net.output_names else None
    if not isinstance(encoder, Elements) or not isinstance(decoder, Elements):
        raise NetError(
            what="only a net that reads a sequence and says what comes next can generate",
            where="generate",
            expected="an encoder and a decoder of sequences, such as nw.Characters, at its only ports",
            got=f"input {_said(encoder)}, output {_said(decoder)}",
            mend="nw.train(net, texts, objective=nw.NextElement()).net",
        )
    if _known(encoder) != _known(decoder):
        raise NetError(
            what="what a net says is read again by its encoder, which has other elements",
            where="generate",
            expected=f"a decoder for the elements of {_short(encoder)}",
            got=_short(decoder),
            mend="nw.train(net, texts, objective=nw.NextElement()).net, whose codecs go together",
        )
    return encoder, decoder


def _known(codec: Elements) -> list[Any]:
    """The elements without the edge."""
    return [element for i, element in enumerate(codec.elements) if i != codec.edge]


def _short(codec: Elements) -> str:
    text = repr(codec)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _said(codec: Any) -> str:
    return "nothing" if codec is None else type(codec).__name__
