"""Gives a net as a plain `torch.nn.Module`, for code that knows only torch."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from netwright.codecs.image import Image
from netwright.errors import NetError
from netwright.net.apply import whole_program
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.plan import ranked
from netwright.net.run.call import check_arrays
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Bound, Program
from netwright.net.run.lengths import axes_of
from netwright.net.run.noise import Noise
from netwright.sizes.unify import Shape

Layout: TypeAlias = Literal["channels_last", "channels_first"]


def to_torch(net: Net, layout: Layout = "channels_first") -> nn.Module:
    """The net as a module of PyTorch with arrays of its own, which any torch loop can train.

    It takes and gives tensors with the batch axis first, in the order of the net's ports, already encoded: a picture
    as the net's encoder makes it, with its values prepared. Several outputs are a dictionary. Parameters are named
    by their paths with dots, `conv1.weight`, so that `net.with_arrays(module.state_dict())` brings them back;
    running arrays are buffers, updated in `train()`. Noise in `train()` follows `torch.manual_seed`.

    Fields:
        layout: `"channels_first"`, torch's own, makes every picture, that is every port with three axes or more, (b,
            channels, height, width); a sequence is (b, n, features) either way. `"channels_last"` leaves the axes as
            the net has them.

    Raises: MissingArraysError when the net has arrays that are not filled. The module raises the errors that `nw.apply`
        raises.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.initialize(nw.Chain(nw.Conv(2, 3), nw.relu, input=nw.Image(5, 5, "gray")))
        >>> module = nw.to_torch(net)
        >>> module(torch.zeros(1, 1, 5, 5)).shape, list(module.state_dict())
        (torch.Size([1, 2, 3, 3]), ['conv1.weight', 'conv1.bias'])
        >>> net.with_arrays(module.state_dict()) == net
        True

    Torch: torch.nn.Module; `nw.Module` goes the other way
    """
    expect_net(net, "to_torch")
    check_arrays(net, net.plan)
    return _TorchNet(net, layout)


class _Holder(nn.Module):
    """A node of the tree of modules: it holds arrays and other holders under the names of a path."""

    def hold(self, path: str, array: Tensor, learned: bool) -> tuple["_Holder", str]:
        """Store an array below this module; gives the module and the name that hold it."""
        first, _, rest = path.partition("/")
        if rest:  # past the checks of add_module: a part may be called like a method of nn.Module
            below = self._modules.setdefault(first, _Holder())
            assert isinstance(below, _Holder)
            return below.hold(rest, array, learned)
        if learned:
            self._parameters[first] = nn.Parameter(array)
        else:
            self._buffers[first] = array
        return self, first

    def held(self, name: str) -> Tensor:
        """The array kept here under a name."""
        found = self._parameters[name] if name in self._parameters else self._buffers[name]
        assert found is not None
        return found


class _TorchNet(_Holder):
    """What `to_torch` gives."""

    def __init__(self, net: Net, layout: Layout) -> None:
        super().__init__()
        plan = net.plan
        self._program: Program = whole_program(net)
        self._names, self._axes = net.input_names, axes_of(plan)
        first = layout == "channels_first"
        self._moved = [first and _is_picture(plan.inputs[name], net.inputs[name]) for name in net.input_names]
        self._given = [(name, first and _is_picture(shape, net.outputs[name])) for name, shape in plan.outputs.items()]
        self._places = {
            path: self.hold(path, net.held.arrays[path].clone(), spec.weight.kind == "learned")
            for path, spec in plan.arrays.items()
        }
        self._last: tuple[dict[str, Tensor], Bound] | None = None

    def forward(self, *x: Tensor) -> Any:
        """The outputs for a batch."""
        if len(x) != len(self._names):
            raise NetError(
                what=f"this module takes {len(self._names)} tensors",
                expected=", ".join(self._names),
                got=str(len(x)),
            )
        inputs = {
            name: value.movedim(1, -1) if moved else value  # (b, c, *s) -> (b, *s, c)
            for name, value, moved in zip(self._names, x, self._moved, strict=True)
        }
        _, inputs = self._axes.given({}, inputs)
        context = RunContext(  # the size is read from the shape, which export keeps free; len() would fix it
            training=self.training, noise=_noise(x[0]) if self.training else None, batch=x[0].shape[0]
        )
        results = self._bound()(inputs, context)
        _write(self._places, context.updates)
        outputs = {
            name: value.movedim(-1, 1) if moved else value  # (b, *s, c) -> (b, c, *s)
            for (name, moved), value in zip(self._given, results, strict=True)
        }
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def _bound(self) -> Bound:
        """The program with the module's present arrays; bound again if they were replaced."""
        arrays = {path: place.held(name) for path, (place, name) in self._places.items()}
        if self._last is None or not _same(arrays, self._last[0]):
            self._last = (arrays, self._program.bind(arrays))
        return self._last[1]


def _same(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> bool:
    return all(array is right.get(path) for path, array in left.items())


def _is_picture(shape: Shape, codec: object) -> bool:
    return isinstance(codec, Image) or (ranked(shape) and len(shape) > 2)


def _noise(x: Tensor) -> Noise:
    seed = int(torch.randint(1 << 31, (), device="cpu"))
    return Noise(seed, 0, torch.arange(x.shape[0], device=x.device))


def _write(places: Mapping[str, tuple[_Holder, str]], updates: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for path, new in updates.items():
            place, name = places[path]
            place.held(name).copy_(new)
