"""The default net of a table: a linear path beside a residual one."""

from collections.abc import Mapping
from typing import Any

from netwright.codecs.codec import Answer, Codec
from netwright.data.table import table
from netwright.layers.dropout import Dropout
from netwright.layers.join import Add
from netwright.layers.linear import Linear
from netwright.layers.pointwise import relu, sigmoid, softmax
from netwright.layers.wrap import Parallel, Residual
from netwright.net.chain import Chain

WIDTH = 64
DROPPED, DROPPED_INPUTS = 0.3, 0.0
ENDS: Mapping[Answer | None, Mapping[str, Any]] = {"class": {"softmax": softmax}, "yes or no": {"sigmoid": sigmoid}}


def tabular(frame: Any, target: str, *, codecs: Mapping[str, Codec] | None = None) -> Chain:
    """A net for a table, without its arrays: a row in, the target out.

    `nw.table` looks at the frame and makes encoder and decoder. A linear path beside the deep one learns what a linear
    model learns, which is the best that many small tables have; the deep one learns the rest.

    Args:
        frame: of pandas, polars or pyarrow, with the target; codecs learn from it.
        target: the name of the column that the net shall give.
        codecs: the codec of columns that shall be taken for something else, such as `{"zip": nw.Category()}`.

    Raises: as `nw.table`.

    Example:
        >>> import netwright as nw, pandas as pd
        >>> frame = pd.DataFrame({"age": [22.0, 38.0, None], "sex": ["m", "f", "f"], "survived": ["no", "yes", "yes"]})
        >>> net = nw.tabular(frame, "survived")
        >>> net.plan.inputs, net.plan.outputs
        ({'input': (4,)}, {'output': (2,)})
    """
    found = table(frame, target, codecs=codecs)
    return net_of_rows(found.input, found.output)


def net_of_rows(input: Codec | None, output: Codec, width: int = WIDTH) -> Chain:
    """The same net for any encoder of vectors, and a decoder that says what the answer is."""
    deep = Chain(
        Linear(width),
        Residual([relu, Dropout(DROPPED), Linear(width)]),
        relu,
        Dropout(DROPPED),
        Linear(),
    )
    paths = Parallel(linear=Linear(), deep=deep)
    return Chain(paths=paths, sum=Add(), **ENDS.get(output.answer, {}), input=input, output=output)
