"""Trains a net to predict the next element of a sequence: the codecs it needs, and the data from one column."""

from dataclasses import replace
from typing import Any

from netwright.codecs.codec import LONGEST, Codec
from netwright.codecs.numeric import described, is_array
from netwright.codecs.text.characters import Characters
from netwright.codecs.text.elements import Elements
from netwright.data.sources import Source
from netwright.errors import DataError, TrainingError, shortened, with_article
from netwright.net.part import Net
from netwright.net.plan.plan import plan_of, ranked, shape_text
from netwright.net.ports import following_port, target_name
from netwright.once import once
from netwright.training.prepare.codecs import fitted
from netwright.training.prepare.goal import ends_in_losses
from netwright.value import Value


class NextElement(Value):
    """An objective of training: to predict the next element at every position of a sequence.

    The data is one column of sequences. A net with several inputs, such as a source text and its translation, takes a
    column for each, in pairs (source, translation); it predicts the input whose sequence is as long as the output. That
    input gets a mark at its start. At position i the net has seen the mark and x₁ … xᵢ, and its output is compared with
    xᵢ₊₁; at the last position it is compared with a mark for the end:

        loss = mean over i = 0 … n of −ln p(xᵢ₊₁ | x₁ … xᵢ), in nats, for each sequence, then over sequences.

    The encoder of the trained net has `mark_start=True`, and its decoder is the same codec with `mark_end=True`
    instead. So both have the same indices, and the trained net generates without an edit. Marks with names, as of
    `nw.Words(mark_start="<s>", mark_end="</s>")`, are kept: the encoder has the start mark, the decoder the end mark. A
    vocabulary that is not given is learned from the training part. A net without an encoder reads texts by characters.

    Raises: TrainingError for a net with several outputs; if no input, or more than one, could be the predicted one; if
        its encoder is not one of sequences; if the output is not one distribution for every position; or if the net
        sees ahead in training, since it would learn to copy.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(nw.Embedding(8), nw.GRU(16), nw.Linear(), nw.softmax)
        >>> run = nw.train(net, ["anna", "hannah"] * 8, objective=nw.NextElement(), epochs=1, progress=False)
        >>> run.net.inputs["input"], run.net.outputs["output"]
        (Characters('ahn', mark_start=True), Characters('ahn', mark_end=True))
    """

    def ports(self, net: Net) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns of the data: the net's inputs; the predicted one is the last."""
        if not net.input_names or len(net.output_names) != 1 or ends_in_losses(net):
            losses = ends_in_losses(net)
            raise TrainingError(
                what="the next element is predicted by a net with inputs and one output"
                + (", without its loss" if losses else ""),
                where="objective",
                got=f"inputs {', '.join(net.input_names)}; outputs {', '.join(net.output_names)}",
            )
        if len(net.input_names) == 1:
            return net.input_names, ()
        name = _predicted(net)
        return tuple(other for other in net.input_names if other != name), (name,)

    def coded(self, net: Net, training: Source) -> Net:
        """The net with both codecs of what is predicted, fitted to the training part, and those of other inputs."""
        name, (output,) = _predicted(net), net.output_names
        given = net.held.outputs.get(output)
        encoder = _encoder(net, name, training.row(0)[name])
        start, end = _marks(encoder, given, name)
        both = _fitted(replace(encoder, mark_start=start, mark_end=end), training, name)
        encoder, decoder = replace(both, mark_end=False), replace(both, mark_start=False)
        fits = isinstance(given, Elements) and (given.mark_start, given.mark_end) == (False, end)
        if isinstance(given, Elements) and fits:
            fits = _fitted(replace(given, mark_start=start, mark_end=end), training, name) == both
        if given is not None and not fits:
            raise TrainingError(
                what="a net that predicts the next element decodes as it encodes",
                where=f"output {output!r}",
                expected=shortened(repr(decoder), LONGEST),
                got=shortened(repr(given), LONGEST),
                mend="leave the decoder out",
            )
        net = net.rebuilt(replace(net.held, inputs={**net.held.inputs, name: encoder}, outputs={}))
        net = fitted(net, training, {})
        _check_positions(net, name, output)
        return net.rebuilt(replace(net.held, outputs={output: decoder}))

    def examples(self, net: Net, data: Source) -> Source:
        """The data as inputs and targets, for a net that has its codecs."""
        (output,), name = net.output_names, following_port(net)
        assert name is not None
        target, again, blocks = target_name(net, output), data.again, data.blocks

        def form(source: Source) -> Source:
            return self.examples(net, source)

        columns = {**data.columns, target: data.columns[name]}
        if again is None and blocks is None:  # one source for all runs on the data, which keeps what it encoded
            return once(data, "next elements", lambda: replace(data, columns=columns), (name, target))
        return replace(
            data,
            columns=columns,
            again=None if again is None else lambda: form(again()),
            blocks=None if blocks is None else replace(blocks, form=form),
        )


def _predicted(net: Net) -> str:
    """The only input, or of several inputs the one whose sequence is as long as the output."""
    if len(net.input_names) == 1:
        return net.input_names[0]
    plan = plan_of(net)
    (made,) = plan.outputs.values()
    first = made[0] if made and ranked(made) else None
    found = [name for name, shape in plan.inputs.items() if ranked(shape) and shape and shape[0] == first]
    if first is None or len(found) != 1:
        raise TrainingError(
            what="it is not clear which of several inputs the net predicts",
            where="objective",
            expected="exactly one input whose sequence is as long as the output",
            got=f"output {shape_text(made)}; "
            + ", ".join(f"{name} {shape_text(shape)}" for name, shape in plan.inputs.items()),
            mend="encoders whose sizes have names of their own, such as nw.Characters(length='m')",
        )
    return found[0]


def _encoder(net: Net, name: str, first: Any) -> Elements:
    """The net's own encoder, or characters for texts."""
    codec: Codec | None = net.held.inputs.get(name)
    if codec is None and isinstance(first, str):
        codec = Characters()
    if not isinstance(codec, Elements):
        if codec.answer == "numbers" if codec is not None else _holds_fractions(first):
            raise TrainingError(
                what="the next element comes from a vocabulary, and these data are numbers",
                where=f"input {name!r}",
                expected="nw.Characters(), nw.Bytes(), nw.Words(), nw.Subwords() or nw.Tokens()",
                got=described(first) if codec is None else shortened(repr(codec), LONGEST),
                mend="nw.train(net, ([x[:-1] for x in series], [x[1:] for x in series])), without an objective",
            )
        raise TrainingError(
            what="predicting the next element needs an encoder of sequences",
            where=f"input {name!r}",
            expected="nw.Characters(), nw.Bytes(), nw.Words(), nw.Subwords() or nw.Tokens()",
            got=f"{with_article(type(first).__name__)}, and a net without an encoder"
            if codec is None
            else shortened(repr(codec), LONGEST),
            mend="net.with_input(nw.Tokens())" if not isinstance(first, str) else "net.with_input(nw.Characters())",
        )
    return codec


def _holds_fractions(raw: Any) -> bool:
    """Whether an example is an array or a list of numbers with fractions, which cannot be labels."""
    if is_array(raw):
        return "float" in str(raw.dtype)
    return isinstance(raw, list | tuple) and any(isinstance(item, float) or _holds_fractions(item) for item in raw)


def _marks(encoder: Elements, decoder: Codec | None, name: str) -> tuple[bool | str, bool | str]:
    """The mark at the start of the input, and the mark to predict at the end: both named, or both the edge."""
    behind = decoder.mark_end if isinstance(decoder, Elements) else False
    start = encoder.mark_start or True
    end = next((mark for mark in (behind, encoder.mark_end) if isinstance(mark, str)), True)
    if isinstance(start, str) != isinstance(end, str):
        raise TrainingError(
            what="only one of the two marks of a sequence has a name",
            where=f"input {name!r}",
            expected="names for both marks, or for none",
            got=f"mark_start={start!r}, mark_end={end!r}",
            mend=f"{type(encoder).__name__}(…, mark_start={start!r}, mark_end='…')"
            if isinstance(start, str)
            else f"{type(encoder).__name__}(…, mark_start='…', mark_end={end!r})",
        )
    return start, end


def _fitted(codec: Elements, source: Source, name: str) -> Elements:
    try:
        with source.errors():
            return codec.fit(source.learned_from(name))
    except DataError as error:
        raise error.within(f"port {name!r}") from None


def _check_positions(net: Net, name: str, output: str) -> None:
    """Raise an error for a net whose output is not one row of numbers for every element of its input."""
    plan = plan_of(net)
    given, made = plan.inputs[name], plan.outputs[output]
    if ranked(made) and (len(made) != 2 or made[0] != given[0]):
        raise TrainingError(
            what="the net does not predict the next element at every position",
            where=f"output {output!r}",
            expected=f"({given[0]}, ?), a distribution for every element",
            got=shape_text(made),
            mend="leave out parts that combine positions, such as nw.Last() or pooling",
        )
