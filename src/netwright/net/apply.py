"""The pure function of a net: arrays and a batch in, tensors out, for `torch.func` and for loops of one's own."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from netwright.errors import DataError, MissingArraysError
from netwright.fields import expect_seed
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.run.assemble import program_of
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Program
from netwright.net.run.lengths import axes_of
from netwright.net.run.noise import Noise


def apply(
    net: Net,
    arrays: Mapping[str, Tensor],
    x: Tensor | Mapping[str, Tensor],
    *,
    lengths: Mapping[str, Tensor] | None = None,
    training: bool = False,
    seed: int = 0,
    step: int = 0,
) -> Tensor | Any:
    """The outputs of a net on a batch of encoded tensors, as a function of its arrays; nothing is written anywhere.

    Encoders and decoders are not used, and gradients flow to the arrays and to `x`. In training the new values of
    running arrays, such as those of a norm, are dropped.

    Fields:
        arrays: by path, as `net.arrays` gives them; those left out are the net's own.
        x: the batch, the batch axis first; a mapping by port for several inputs.
        lengths: how long each example is along sizes that vary, by name: whole numbers (b,), or (b, n) for a size that
            varies within n; what lies behind the end of an example may be anything finite. None: nothing is padded.
        training: behave as in training.
        seed, step: of the noise in training; another step draws other noise.

    Returns: the output; for several outputs a mapping by port, which the type leaves open (`Tensor | Any`) so that a
        single output needs no check.

    Raises: MissingArraysError for arrays that neither `arrays` nor the net holds; DataError for inputs that are not
        the net's, lengths that are not the batch's, examples that are too short for the net, and indices that the net
        does not have. On an accelerator, where every call would wait for the device, indices are not checked.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(1, input=3))
        >>> x = torch.ones(2, 3)
        >>> gradient = torch.func.grad(lambda arrays: nw.apply(net, arrays, x).sum())(net.arrays)
        >>> gradient["linear1/bias"].tolist()
        [2.0]
    """
    expect_net(net, "apply")
    seed = expect_seed(seed, "apply")
    inputs = x if isinstance(x, Mapping) else {net.input_names[0]: x}
    if not {*net.required_names} <= {*inputs} <= {*net.input_names}:
        raise DataError(
            what="every input of the net needs a batch",
            expected=", ".join(net.input_names),
            got=", ".join(inputs),
        )
    given = {**net.held.arrays, **arrays}
    missing = [path for path in net.plan.arrays if path not in given]
    if missing:
        raise MissingArraysError(what="some arrays are not given", where=", ".join(missing), mend="net.arrays has all")
    batch = next(iter(inputs.values()))
    noise = Noise(seed, step, torch.arange(batch.shape[0], device=batch.device)) if training else None
    ends, inputs = axes_of(net.plan).given(lengths or {}, inputs)
    context = RunContext(training=training, noise=noise, batch=batch.shape[0], lengths=ends)
    results = whole_program(net).bind(given)(inputs, context)
    names = net.output_names
    return results[0] if len(names) == 1 else dict(zip(names, results, strict=True))


def whole_program(net: Net) -> Program:
    """The program that computes all outputs of a net, made once."""
    return program_of(net.plan, [slot for _, slot in net.plan.wiring.outputs])
