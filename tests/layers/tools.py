"""What the tests of layers share: running one part on double-precision tensors, and the text of an error."""

from collections.abc import Mapping

import torch
from torch import Tensor

import netwright as nw
from netwright.net.apply import whole_program
from netwright.net.plan.solve import solve
from netwright.net.plan.wiring import wire
from netwright.net.run.context import RunContext
from netwright.net.run.noise import Noise


def run(net: nw.Net, arrays: Mapping[str, Tensor], *inputs: Tensor, training: bool = False, seed: int = 0):
    """The first output of a net, and the running arrays it would write."""
    bound = whole_program(net).bind(arrays)
    count = len(inputs[0]) if inputs else 1
    context = RunContext(training=training, noise=Noise(seed, 0, torch.arange(count)), batch=count)
    y, *_ = bound(dict(zip(net.input_names, inputs, strict=True)), context)
    return y, context.updates


def unfit(leaf: nw.Net, *inputs: object, output: object = None) -> tuple[str, str, str]:
    """What a leaf itself says of sizes that do not fit it: the fault, what it expects, what it got.

    How the error of a whole net is worded around that is tested with the net.
    """
    codecs = {port: nw.Array(sizes) for port, sizes in zip(leaf.input_names, inputs, strict=True)}
    outputs = {} if output is None else {"output": nw.Array(output)}
    solution = solve(wire(leaf), codecs, outputs, {})
    (mismatch,) = solution.mismatches
    assert mismatch.sentence is not None
    return mismatch.sentence.what, mismatch.sentence.expected, mismatch.sentence.got
