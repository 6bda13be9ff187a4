"""Makes a loss part of a visible net: the net that training sees."""

from collections.abc import Mapping
from typing import Any

from netwright.codecs.codec import Codec
from netwright.errors import NetError, did_you_mean
from netwright.net.graph import Graph
from netwright.net.level import as_part
from netwright.net.node import Node
from netwright.net.part import Net


def with_loss(net: Net, loss: Any) -> Graph:
    """The net followed by a loss: a graph whose output is the loss, with one more input for what is right.

    Parts: `net`, the net itself, and `loss`. The new input `target` takes its encoder from the net's decoder. A net
    with several outputs takes a mapping from outputs to losses; the new inputs are then called after the outputs:
    `label_target`.

    Example:
        >>> import netwright as nw
        >>> net = nw.Chain(3, nw.softmax, input=2, output=nw.Category(["a", "b", "c"]))
        >>> nw.with_loss(net, nw.CrossEntropy()).paths
        ('net/linear1', 'net/softmax1', 'net', 'loss')
    """
    names = net.output_names
    losses: dict[str, Any] = dict(loss) if isinstance(loss, Mapping) else {names[0]: loss}
    for name in losses:
        if name not in names:
            raise NetError(
                what=f"the net has no output {name!r} for a loss",
                expected=", ".join(names),
                mend=did_you_mean(name, names),
            )
    alone = len(losses) == 1
    inputs: dict[str, Codec | None] = dict(net.inputs)
    nodes: dict[str, tuple[Node | str, ...]] = {"net": (net, *net.input_names)}
    for name, part in losses.items():
        target = "target" if alone else f"{name}_target"
        inputs[target] = net.held.outputs.get(name)
        nodes["loss" if alone else f"{name}_loss"] = (as_part(part), f"net.{name}", target)
    return Graph(input=inputs, outputs=[node for node in nodes if node != "net"], **nodes)
