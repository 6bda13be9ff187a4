"""Any `torch.nn.Module` as a trainable part: its parameters and buffers are the part's arrays."""

import copy
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn

from netwright.errors import NetError
from netwright.inits import Fans, Init
from netwright.layers.function import noisy, own
from netwright.net.node import Held, Unfit, Weight
from netwright.net.part import Leaf, shared_repr
from netwright.net.run.noise import Noise
from netwright.net.source_of_code import import_name, source_hash
from netwright.net.to_torch import Layout
from netwright.sizes import notation
from netwright.sizes.notation import Axis, Port, Run

Sizes: TypeAlias = dict[str, Any]

EVERY = vars(nn.Module()).keys()  # the attributes that every module has
BATCH = 2  # examples in the trial run: one could be taken for no batch at all


class Module(Leaf):
    """A module of PyTorch as a part: its parameters are learned, its buffers are kept, and both have paths.

    The module is copied; what happens to it later does not reach the net. Its outputs are measured by a run without
    data on the meta device as soon as the sizes of its inputs are known, and never the other way round. It is taken to
    see everything along every axis it names. Noise inside it, such as dropout, is torch's own, and follows the seed in
    training, so that a run can be repeated. It is given copies, so that it may write into them. Buffers are updated in
    training mode only. Saved by the import name of its class, which must be supplied when it is loaded.

    Shapes: as `ports` says, the batch axis first, each port a tensor; several outputs are a tuple.

    Fields:
        module: its class, options and arrays.
        ports: its sizes in the notation of ports; any to any by default.
        layout: `"channels_first"` for a module whose pictures and sequences have their channels before their
            positions, as torch's convolutions have; the last axis of every port with two axes or more is then moved.

    Raises: NetError for something that is no module; SizeError when it refuses an input of the size that is known.

    Example:
        >>> import netwright as nw, torch
        >>> net = nw.Chain(nw.Module(torch.nn.Linear(3, 5)), nw.relu, nw.Linear(), input=3, output=2)
        >>> net.plan.shape(("module1", "output")), sorted(net.arrays)
        ((5,), ['module1/bias', 'module1/weight'])

    Torch: torch.nn.Module; `nw.to_torch` goes the other way
    """

    module: nn.Module
    ports: str  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]  # each has its own
    layout: Layout
    opaque = True

    def __init__(self, module: nn.Module, ports: str = "*s -> *t", layout: Layout = "channels_last") -> None:
        if not isinstance(cast(Any, module), nn.Module):
            raise NetError(
                what="nw.Module takes a module of PyTorch",
                got=repr(module),
                mend="nw.Module(torch.nn.Linear(3, 5)), or nw.Function for a function",
            )
        notation.ports(ports)
        arrays = {name.replace(".", "/"): array.detach().clone() for name, array in _arrays(module).items()}
        fields = {"module": copy.deepcopy(module).to("meta"), "ports": ports, "layout": layout}
        for name, value in {**fields, "held": Held(arrays=arrays)}.items():
            object.__setattr__(self, name, value)
        self.validate()

    @cached_property
    def import_name(self) -> str:
        """Where its class can be imported, such as `"torch.nn.modules.linear:Linear"`; empty where it cannot."""
        return import_name(type(self.module))

    @cached_property
    def source_hash(self) -> str:
        """A hash of the source of its class; empty where there is none."""
        return source_hash(type(self.module))

    @property
    def identity(self) -> str:
        """What it is, as a text that is equal when two of them are."""
        name = self.import_name or f"local {id(type(self.module))}"
        return (
            f"Module({name}, {self.module!r}, {_plain(self.module)}, {self.ports!r}, {self.layout}, {self.source_hash})"
        )

    def weights(self) -> dict[str, Weight]:
        learned = dict(self.module.named_parameters())
        return {
            name.replace(".", "/"): Weight(
                " ".join(map(str, array.shape)),
                _own_init(self.module, name),
                "learned" if name in learned else "running",
            )
            for name, array in _arrays(self.module).items()
        }

    def relate(self, known: Mapping[str, Any]) -> Sizes | None:
        sides = notation.ports(self.ports)
        shapes = [_known_shape(port, known) for port in sides.inputs]
        if not all(shape is not None for shape in shapes):
            return None
        x = [torch.empty((BATCH, *(shape or ())), device="meta", dtype=torch.float32) for shape in shapes]
        try:
            with torch.no_grad():
                results = self._run(self._modes[False], x)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            given = ", ".join(str(tuple(value.shape[1:])) for value in x)
            raise Unfit(
                "the module refuses an input of this size", expected=str(error).splitlines()[0], got=given
            ) from None
        if len(results) != len(sides.outputs):
            raise Unfit(
                "the module gives another number of outputs than its ports say",
                expected=f"{len(sides.outputs)}, as in {self.ports!r}",
                got=str(len(results)),
            )
        found: Sizes = {}
        for port, result in zip(sides.outputs, results, strict=True):
            found |= _named(port, tuple(result.shape[1:]))
        return found

    def fewest(self, sizes: Mapping[str, Any]) -> int:
        """Two where the module trains on two examples and refuses a single one, as torch's batch norms do."""
        shapes = [_known_shape(port, sizes) for port in notation.ports(self.ports).inputs]
        return 2 if not self._trains(shapes, 1) and self._trains(shapes, 2) else 1

    def _trains(self, shapes: Sequence[tuple[int, ...] | None], batch: int) -> bool:
        """Whether it takes a batch of these sizes in training, without data."""
        x = [torch.empty((batch, *(shape or ())), device="meta", dtype=torch.float32) for shape in shapes]
        try:
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                self._run(copy.deepcopy(self._modes[True]), x)
        except Exception:  # of code that is not ours
            return False
        return True

    def forward(self, w: Mapping[str, Tensor], *x: Tensor | None, training: bool, random: Noise | None = None) -> Any:
        arrays = {name.replace("/", "."): array for name, array in w.items()}
        buffers = {name: arrays[name].clone() for name, _ in self.module.named_buffers()}  # written in place by some
        with noisy(x, training, random):
            results = self._run(self._modes[training], own(x), {**arrays, **buffers})
        y = results[0] if len(results) == 1 else tuple(results)
        if not buffers:
            return y
        return y, {name.replace(".", "/"): new for name, new in buffers.items()} if training else {}

    @cached_property
    def _modes(self) -> dict[bool, nn.Module]:
        return {training: copy.deepcopy(self.module).train(training) for training in (False, True)}

    def _run(self, module: nn.Module, x: Any, arrays: Mapping[str, Tensor] | None = None) -> list[Tensor]:
        first = self.layout == "channels_first"
        given = tuple(v.movedim(-1, 1) if first and v.ndim > 2 else v for v in x)  # (b, *s, c) -> (b, c, *s)
        y = module(*given) if arrays is None else torch.func.functional_call(module, dict(arrays), given)
        results: list[Tensor] = list(y) if isinstance(y, tuple | list) else [y]
        return [v.movedim(1, -1) if first and v.ndim > 2 else v for v in results]  # (b, c, *t) -> (b, *t, c)

    def __repr__(self) -> str:
        more = f", {self.ports!r}" if self.ports != "*s -> *t" else ""
        more += f", layout={self.layout!r}" if self.layout != "channels_last" else ""
        text = " ".join(repr(self.module).split())
        return shared_repr(self, f"Module({text}{more})")


def _arrays(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name; one that stands under two names once."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _plain(module: nn.Module) -> str:
    """What modules keep in attributes of their own that JSON can say: a repr need not show it."""
    kept: dict[str, str] = {}
    for path, part in module.named_modules():
        for name in sorted(vars(part).keys() - EVERY):
            try:
                kept[f"{path}.{name}"] = json.dumps(vars(part)[name], sort_keys=True)
            except (TypeError, ValueError):
                continue  # what is no plain value, such as a function, is told by the source of the class
    return json.dumps(kept)


def _own_init(module: nn.Module, name: str) -> Init:
    """Fill an array as torch does: by `reset_parameters` of the module that owns it."""
    owner, _, own = name.rpartition(".")
    part = module.get_submodule(owner)

    def init(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
        reset = getattr(part, "reset_parameters", None)
        if reset is None:
            raise NetError(
                what=f"only the module itself knows how to fill {name!r}: it has no reset_parameters",
                where=name,
                got=type(part).__name__,
                mend="put the module in again, with its arrays: net.replace(path, nw.Module(module))",
            )
        real = copy.deepcopy(part).to_empty(device="cpu")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(generator.initial_seed())
            real.reset_parameters()  # type: ignore[operator]  # found above
        return getattr(real, own).detach().clone()

    return init


def _known_shape(port: Port, known: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The sizes of a port in numbers; `None` while one of them is not."""
    shape: list[Any] = []
    for item in port.axes:
        if isinstance(item, Run):
            shape.extend(known[item.name] or (None,)) if known[item.name] != () else None
        elif item.name:
            size = known[item.name]
            shape.append(None if size is None else size * item.times)
        else:
            shape.append(item.times)
    return tuple(shape) if all(isinstance(size, int) for size in shape) else None


def _named(port: Port, shape: tuple[int, ...]) -> Sizes:
    """What the names of an output port are, from the shape that came out."""
    run = next((i for i, item in enumerate(port.axes) if isinstance(item, Run)), None)
    over = len(shape) - len(port.axes) + (run is not None)
    if over < 0 or (run is None and over):
        raise Unfit("the module gives another number of axes than its port says", str(port), str(shape))
    found: Sizes = {}
    sizes = list(shape)
    for item in port.axes:
        if isinstance(item, Run):
            found[item.name], sizes = tuple(sizes[:over]), sizes[over:]
        else:
            found |= _one(item, sizes.pop(0), port, shape)
    return found


def _one(axis: Axis, size: int, port: Port, shape: tuple[int, ...]) -> Sizes:
    if size % axis.times or (not axis.name and size != axis.times):
        raise Unfit("the module gives another size than its port says", str(port), str(shape))
    return {axis.name: size // axis.times} if axis.name and axis.name != notation.UNKNOWN else {}
