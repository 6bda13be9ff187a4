"""A net that says what comes next, fed piece by piece: its step net, bound once, and states that are values."""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from netwright.codecs.codec import LONGEST
from netwright.codecs.text.base import Elements
from netwright.errors import DataError, NetError
from netwright.net.part import Net
from netwright.net.plan.plan import plan_of
from netwright.net.run.assemble import program
from netwright.net.run.call import check_arrays
from netwright.net.run.execute import Bound
from netwright.net.run.told import Circumstances
from netwright.net.unfold import unfold

State = Mapping[str, Tensor]
LEAST = 1e-38  # a probability below counts as this: about the smallest that float32 has


@dataclass(frozen=True, eq=False)
class Stepper:
    """A net's step net, ready to run.

    Fields: `encoder` and `decoder` are the net's; `bound` gives the probabilities, then every state by `states`.
    """

    encoder: Elements
    decoder: Elements
    bound: Bound
    port: str
    states: tuple[str, ...]
    device: torch.device

    @classmethod
    def of(cls, net: Net) -> "Stepper":
        """The step net of a net that predicts elements of sequences."""
        cache = net.__dict__
        if "_stepper" not in cache:
            cache["_stepper"] = cls._of(net)
        return cache["_stepper"]

    @classmethod
    def _of(cls, net: Net) -> "Stepper":
        encoder, decoder = _codecs(net)
        check_arrays(net, plan_of(net))
        step = unfold(net)
        plan = plan_of(step)
        port, *_ = step.required_names
        states = step.optional_names
        outputs = dict(plan.wiring.outputs)
        value = step.output_names[0]
        bound = program(plan, [outputs[value], *(outputs[name] for name in states)]).bind(step.held.arrays)
        device = next((array.device for array in step.held.arrays.values()), torch.device("cpu"))
        return cls(encoder, decoder, bound, port, states, device)

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
        inputs = {self.port: elements.to(self.device), **state}
        with torch.no_grad():
            value, *after = self.bound(inputs, Circumstances(batch=len(elements)))
        log_probabilities = value[:, -1].float().clamp_min(LEAST).log()  # (b, k, v) -> (b, v)
        return log_probabilities, dict(zip(self.states, after, strict=True))


def reordered(state: State, rows: Tensor) -> dict[str, Tensor]:
    """The state of these rows: the batch comes first in all of it."""
    return {name: value.index_select(0, rows) for name, value in state.items()}


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
