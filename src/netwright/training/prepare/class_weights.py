"""How much each example counts by its class, so that rare classes are learned too."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.codecs.each import Each
from netwright.codecs.pieces import pieces
from netwright.data.sources import Source
from netwright.errors import TrainingError, did_you_mean
from netwright.net.part import Net
from netwright.net.ports import target_name
from netwright.sizes.notation import port

CLASSES = ("class", "yes or no")  # answers of one class an example


def weighted_by_class(net: Net, training: Source, given: Mapping[Any, float] | None) -> Source:
    """The examples, of which each counts as its class does, times its own weight; a class that is not given counts 1.

    Torch: torch.nn.CrossEntropyLoss(weight=…), which divides by the weights of a batch instead of those of all examples

    Raises: TrainingError for a net without classes, for an unknown class, and for data that are read more than once.
    """
    if given is None:
        return training
    answers = {name: codec for name, codec in net.held.outputs.items() if _of_an_example(codec)}
    if len(answers) != 1:
        raise TrainingError(
            what="class_weights need one output that is a class",
            where="class_weights",
            got=", ".join(f"{name}: {codec!r}" for name, codec in net.held.outputs.items()) or "no decoder",
            mend="weights=…, one number for each example",
        )
    ((name, codec),) = answers.items()
    unknown = [label for label in given if label not in codec.names]
    if unknown:
        known = [str(label) for label in codec.names]
        raise TrainingError(
            what=f"there is no class {unknown[0]!r}",
            where="class_weights",
            expected=f"some of {', '.join(map(repr, codec.names))}",
            mend=did_you_mean(str(unknown[0]), known),
        )
    stream = training.blocks is not None
    if stream or training.drawn:
        raise TrainingError(
            what="class_weights need targets that are known before the first step",
            where="class_weights",
            got="a stream" if stream else "data that are read again in every epoch",
            mend=(*(("keep=True, where the data fit in memory",) if stream else ()), "columns (inputs, targets)"),
        )
    port = target_name(net, name)
    factors = np.array([given.get(label, 1.0) for label in codec.names])
    with training.errors():
        encoded = [cast(Tensor, codec.encode_all(part)) for _, part in pieces(training.columns[port])]
    own = factors[torch.cat(encoded).long().flatten().numpy()]  # (n,)
    return replace(training, weights=own if training.weights is None else np.multiply(training.weights, own))


def _of_an_example(codec: Codec) -> bool:
    """Whether the answer is one class an example, not one at each of its positions."""
    return codec.answer in CLASSES and not isinstance(codec, Each) and len(port(codec.decoded).axes) == 1
