"""A net that predicts the next element, fed with elements: it gives log-probabilities, and a state as a value."""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor

from netwright.codecs.codec import LONGEST
from netwright.codecs.text.elements import Elements
from netwright.errors import DataError, NetError, shortened
from netwright.net.part import Net
from netwright.net.ports import following_port
from netwright.net.run.call import Changes
from netwright.net.run.examples import Examples
from netwright.stepping.step_net import NOTHING, State, StepNet

LEAST = 1e-38  # a probability below counts as this: about the smallest that float32 has


class Predictor:
    """A net that predicts elements of sequences, fed with these elements and perhaps with sources.

    `changes` take the place of values inside, as `set=` of a call.

    Fields: `encoder` and `decoder` are the net's codecs of the predicted sequence; `sources` are its other inputs.
    """

    def __init__(self, net: Net, changes: Changes | None = None) -> None:
        self._net, self._port, self._output = net, _predicted(net), net.output_names[0]
        self.encoder, self.decoder = _codecs(net, self._port)
        whole = self.encoder.max_length is None and not self.encoder.mark_end
        self._starting = self.encoder if whole else replace(self.encoder, max_length=None, mark_end=False)
        self.sources = tuple(name for name in net.required_names if name != self._port)
        along = self.encoder.length if self.sources else None
        self._stepping = StepNet(net, along, changes) if changes else StepNet.of(net, along)
        self._once = self._own = NOTHING
        self._numbers: tuple[int, ...] = ()
        self.device = self._stepping.device

    def prompts_of(self, given: Sequence[Any]) -> list[Any]:
        """Keep the sources, and give the prompts; a net without sources is given the prompts alone."""
        if not self.sources:
            return [*given]
        names = {*self.sources}
        rows = [raw if isinstance(raw, Mapping) else {self.sources[0]: raw} for raw in given]
        for number, row in enumerate(rows):
            if not names <= row.keys() <= names | {self._port}:
                raise DataError(
                    what="each sequence needs a value for every source of the net",
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
        """The elements of a prompt, the start element first if there is one."""
        empty = isinstance(raw, Sized) and not len(raw)
        try:
            return self._starting.encode(raw).tolist()  # a tokenizer may add a piece of its own to an empty text
        except DataError:
            if not empty:
                raise
            if self.encoder.start is not None:
                return [self.encoder.start]
            raise DataError(
                what="the prompt is empty, and the net has no start element",
                where="generate",
                got=repr(raw),
                mend=(
                    "prompt='…'",
                    "nw.train(net, texts, objective=nw.NextElement()), whose nets have a start element",
                ),
            ) from None

    def __call__(self, elements: Tensor, state: State, numbers: Sequence[int] = ()) -> tuple[Tensor, dict[str, Tensor]]:
        """The log-probabilities (b, v) of the element after a chunk of elements (b, k), and the state after it.

        `numbers` gives for each row the number of its source, if there are sources.
        """
        if self.sources and tuple(numbers) != self._numbers:
            self._numbers, self._own = tuple(numbers), self._once.of(numbers)
        run = self._stepping.run if elements.shape[1] == 1 else self._stepping.last  # one element: in one program
        values, after = run({self._port: elements}, state, self._own)
        return values[self._output][:, -1].float().clamp_min(LEAST).log_(), after  # (b, 1, v) -> (b, v)


def decoded_elements(decoder: Elements, elements: Sequence[int]) -> Any:
    """The text of elements, or a tuple of their labels; not a list, since a list of prompts is a batch."""
    found = decoder.text_of(elements)
    return tuple(cast(list[Any], found)) if isinstance(found, list) else found


def _predicted(net: Net) -> str:
    """The input whose next element the net predicts."""
    names = net.required_names
    return (names[0] if len(names) == 1 else following_port(net)) or ""


def _codecs(net: Net, port: str) -> tuple[Elements, Elements]:
    encoder = net.held.inputs.get(port)
    decoder = net.held.outputs.get(net.output_names[0]) if net.output_names else None
    if not isinstance(encoder, Elements) or not isinstance(decoder, Elements):
        raise NetError(
            what="only a net that reads a sequence and predicts its next element can generate",
            where="generate",
            expected="an encoder and a decoder of sequences, such as nw.Characters, that go together",
            got=f"input {_codec_name(encoder)}, output {_codec_name(decoder)}",
            mend="nw.train(net, texts, objective=nw.NextElement()).net",
        )
    if _known(encoder) != _known(decoder):
        raise NetError(
            what="the net's encoder and decoder have different elements, so it cannot read what it generates",
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


def _codec_name(codec: Any) -> str:
    return "nothing" if codec is None else type(codec).__name__
