"""Fits a net to its data: adds codecs that the net lacks, and lets codecs learn from the training part."""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from netwright.around import around
from netwright.codecs.array import Array
from netwright.codecs.category import Boolean, Category
from netwright.codecs.codec import Codec, by_row
from netwright.codecs.number import Number, Vector
from netwright.codecs.numeric import time_as_number
from netwright.codecs.pieces import kept_if_small
from netwright.data.sources import Source
from netwright.errors import DataError, TrainingError, with_article
from netwright.net.part import Net
from netwright.net.plan.plan import fixed, plan_of, ranked
from netwright.sizes.size import names
from netwright.sizes.unify import Row
from netwright.training.prepare.labels import codec_in_bounds, end_of, kept_order, target_codec

FEW = 100  # examples whose targets are compared with their pictures, since reading the size of a file takes a while


def fitted(net: Net, source: Source, targets: Mapping[str, str]) -> Net:
    """The net with a codec at every port, fitted to the training examples.

    `targets` maps each port of the data that holds targets to an output of the net.
    """
    inputs = {name: _fitted(net.held.inputs.get(name), net, source, name, "") for name in net.input_names}
    if inputs != dict(net.held.inputs):
        net = net.holding(inputs=inputs)
    outputs = dict(net.held.outputs)
    for port, name in targets.items():
        outputs[name] = _fitted(net.held.outputs.get(name), net, source, port, name)
    if outputs != dict(net.held.outputs):
        net = net.holding(outputs=outputs)
    for port, name in targets.items():
        _check_places(net, source, port, outputs[name])
    return net


def _check_places(net: Net, source: Source, port: str, codec: Codec) -> None:
    """Raise an error for targets of places that do not fit the pictures they belong to, among the first examples."""
    if not codec.about_places:
        return
    moving = [name for name, codec in net.held.inputs.items() if codec.has_places]
    if moving:
        encoder, rows = net.held.inputs[moving[0]], source.read(range(min(len(source), FEW)), [moving[0], port])
        with _errors_at(port, source):
            pairs = zip(rows[moving[0]], rows[port], strict=True)
            for _ in by_row(pairs, lambda pair: codec.expect_place(pair[1], encoder.place_of(pair[0]))):
                pass


def _fitted(codec: Codec | None, net: Net, source: Source, port: str, output: str) -> Codec:
    raws: Sequence[Any] | None = None
    if codec is None and output:
        with _errors_at(port, source):
            raws = kept_if_small(source.learned_from(port))  # targets are looked at before they are learned from
        codec = _chosen_for_targets(net, source, port, output, raws)
    elif codec is None:
        codec = _inferred(net, port, source.row(0)[port])
    if codec.fitted:
        return codec
    with _errors_at(port, source):
        return codec.fit(source.learned_from(port) if raws is None else raws)


def _chosen_for_targets(net: Net, source: Source, port: str, output: str, raws: Sequence[Any]) -> Codec:
    """The decoder that the end of the net asks for; else the one that the values ask for."""
    first, end = source.row(0)[port], end_of(net, output)
    codec = target_codec(end, port, raws, first) or _inferred(net, port, first, output)
    if end.form or not end.limits or not isinstance(codec, Number | Vector):
        return codec
    with _errors_at(port, source):
        return codec_in_bounds(end, codec, raws)


@around
def _errors_at(port: str, source: Source) -> Generator[None, None, None]:
    """Within, an error names the port, and rows as the user counts them."""
    try:
        with source.errors():
            yield
    except DataError as error:
        raise error.within(f"port {port!r}") from None


def _inferred(net: Net, port: str, first: Any, output: str = "") -> Codec:
    """A codec for raw values like this one, for a port that has none."""
    if isinstance(first, bool):
        return Boolean()
    if isinstance(first, str):
        return Category()
    if isinstance(first, int | float):
        return Number()
    if isinstance(first, list | tuple | np.ndarray | Tensor):
        shape = np.asarray(first).shape
        plan = plan_of(net)
        known = plan.outputs.get(output, ()) if output else plan.inputs.get(port, ())
        if (
            len(known) == len(shape)
            and ranked(known)
            and any(names(size) for size in known if not isinstance(size, Row))
        ):
            return Array(" ".join(kept_order(size, found) for size, found in zip(known, shape, strict=True)))
        if known and not output and ranked(known) and fixed(known):
            return Array(tuple(size for size in known if isinstance(size, int)))
        return Vector() if len(shape) == 1 else Array(tuple(shape))
    picture = isinstance(first, Path | bytes) or hasattr(first, "getpixel")
    mend = f"net.with_{'output' if output else 'input'}({'nw.Image(height, width)' if picture else '…'})"
    raise TrainingError(
        what="the net has no codec for these values",
        where=f"port {port!r}",
        got=with_article(type(first).__name__),
        mend=time_as_number(first) or f"{mend}, which gives it a codec",
    )
