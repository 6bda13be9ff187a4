"""The default net of a table: a linear path beside a residual one."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from netwright.codecs.codec import Answer, Codec
from netwright.codecs.table.bins import Bins
from netwright.data.table import table
from netwright.layers.dropout import Dropout
from netwright.layers.join import Add
from netwright.layers.linear import Linear
from netwright.layers.pointwise import relu, sigmoid, softmax
from netwright.layers.wrap import Parallel, Residual
from netwright.net.chain import Chain
from netwright.net.part import Net

WIDTH = 64
DROPPED = 0.3
LAST = ("paths/linear/weight", "paths/deep/linear2/weight")
ENDS: Mapping[Answer | None, Mapping[str, Any]] = {
    "class": {"softmax": softmax},
    "yes or no": {"sigmoid": sigmoid},
    "labels": {"sigmoid": sigmoid},
}


def tabular(frame: Any, target: str, *, codecs: Mapping[str, Codec] | None = None) -> Net:
    """A net for a table, untrained: a row in, the target out.

    `nw.table` looks at the frame and makes encoder and decoder; columns of numbers get `nw.Bins`. A linear path beside
    the deep one learns what a linear model learns, which is the best that many small tables have, and with the bins
    also steps and bends of single columns; the deep one learns the rest.

    Args:
        frame: of pandas, polars or pyarrow, with the target; codecs learn from it.
        target: the name of the column that the net shall give.
        codecs: the codec of columns that shall be taken for something else, such as `{"zip": nw.Category()}`.

    Raises: as `nw.table`.

    Example:
        >>> import netwright as nw, pandas as pd
        >>> frame = pd.DataFrame({"age": [22.0, 38.0, None], "sex": ["m", "f", "f"], "survived": ["no", "yes", "yes"]})
        >>> net = nw.tabular(frame, "survived")
        >>> net.inputs["input"].codecs["sex"], net.plan.outputs
        (Category(['f', 'm']), {'output': (2,)})
    """
    seen = table(frame, target, codecs=codecs)
    bins = {column.name: Bins() for column in seen.columns if column.kind == "number" and column.name != target}
    found = table(frame, target, codecs={**bins, **(codecs or {})}) if bins else seen
    return net_of_rows(found.input, found.output)


def net_of_rows(input: Codec, output: Codec) -> Net:
    """The same net for any encoder of vectors, and a decoder that says what the answer is.

    The last layer of each path begins at zero where its sizes are known, so that the first answer is the mean, or that
    all classes are equally likely: what a small table cannot tell better, stays so.
    """
    deep = Chain(Linear(WIDTH), Residual([relu, Dropout(DROPPED), Linear(WIDTH)]), relu, Dropout(DROPPED), Linear())
    paths = Parallel(linear=Linear(), deep=deep)
    net = Chain(paths=paths, sum=Add(), **ENDS.get(output.answer, {}), input=input, output=output)
    shapes = {path: spec.known for path, spec in net.plan.arrays.items() if path in LAST}
    zeros = {path: np.zeros(shape, np.float32) for path, shape in shapes.items() if shape is not None}
    return net.with_arrays(zeros)
