"""Any `torch.nn.Module` as a trainable part: its parameters and buffers are the part's arrays."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeAlias, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.errors import NetError
from netwright.inits import Fans, Init
from netwright.layers.function import copies, noisy
from netwright.layers.trial import Tried, lengths_in, sizes_from_lengths, trains, trial
from netwright.net import shell
from netwright.net.leaf import LeafFault, LeafNode, Unfit, Weight
from netwright.net.node import Held
from netwright.net.part import Leaf, shared_repr
from netwright.net.registered import all_registered
from netwright.net.run.noise import Noise
from netwright.net.run.padding import NO_LENGTHS, Lengths, ended_run
from netwright.net.source_of_code import import_name, source_hash
from netwright.net.to_torch import Layout
from netwright.seeds import drawing_from
from netwright.sizes import notation
from netwright.sizes.notation import Axis, AxisRun, Port
from netwright.sizes.size import Expression, Size, evaluate, same, unknowns

Sizes: TypeAlias = dict[str, Any]
End: TypeAlias = tuple[Tensor | None, bool]  # how long examples are along an axis, and whether it is a leading one

KEPT = 64  # trials kept for the sizes a module was asked about

LAZY = "lazy_array_"  # and a number: the name of the run of axes of an array that gets its sizes from the input


class Module(Leaf):
    """A module of PyTorch as a part: its parameters are learned, its buffers are kept, and both have paths.

    The module is copied; what happens to it later does not reach the net. Parameters with two names stay one array,
    those without `requires_grad` stay as they are in training, and no array is ever drawn anew: only one whose size
    torch itself leaves open (`nn.LazyLinear`) is, as torch does it. Its outputs are measured by a run without data as
    soon as the sizes of its inputs are known, and never the other way round. It is taken to see everything along every
    axis it names. Noise inside it, such as dropout, is torch's own, and follows the seed in training, so that a run can
    be repeated. It is given copies, so that it may write into them. Buffers are updated in training mode only. What it
    raises comes out as an error that names it. Saved by the import name of its class, which must be supplied when it
    is loaded.

    Where examples differ in length, what lies behind the end of one is a copy of its last element along leading axes
    (`...`). Along an axis that the ports name, examples of one length run together and all others apart, so that the
    module never sees an end that is none; so they do in training along every axis if it has buffers, whose statistics
    would count the copies.

    Shapes: as `ports` says, each port a tensor, int64 where it reads indices. The batch axis is the first of an input;
    in an output it is found. Tuples, lists and mappings, in each other too, are several outputs in their order; of a
    mapping that has the names of all output ports, these are taken.

    Fields:
        module: its class, options and arrays.
        ports: its sizes in the notation of ports; any to any by default.
        layout: `"channels_first"` for a module whose pictures and sequences have their channels before their
            positions, as torch's convolutions have; the last axis of every port with two axes or more is then moved.

    Raises: NetError for something that is no module, cannot be copied, or holds arrays where PyTorch does not register
        them; SizeError when it refuses an input of the size that is known.

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
    family = "code"

    def __init__(self, module: nn.Module, ports: str = "*s -> *t", layout: Layout = "channels_last") -> None:
        if not isinstance(cast(Any, module), nn.Module):
            raise NetError(
                what="nw.Module takes a module of PyTorch",
                got=repr(module),
                mend="nw.Module(torch.nn.Linear(3, 5)), or nw.Function for a function",
            )
        if getattr(module, "batch_first", True) is False:
            raise NetError(
                what=f"this {type(module).__name__} takes the batch axis second, and a net has it first",
                expected="batch_first=True",
                got=repr(module),
                mend=f"torch.nn.{type(module).__name__}(…, batch_first=True)",
            )
        notation.ports(ports)
        there = {name: array for name, array in shell.arrays_of(module).items() if not _empty(array)}
        arrays = {name.replace(".", "/"): array.detach().clone() for name, array in there.items()}
        copied = shell.shell(module)
        all_registered(module, copied)
        fields = {"module": copied, "ports": ports, "layout": layout}
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

    def code(self) -> tuple[str, Any]:
        return self.import_name, self.module

    @property
    def identity(self) -> str:
        """What it is, as a text that is equal when two of them are."""
        name = self.import_name or f"local {id(type(self.module))}"
        kept = f"{shell.options(self.module)}, {shell.plain_attributes(self.module)}"
        return f"Module({name}, {kept}, {self.ports!r}, {self.layout}, {self.source_hash})"

    def alternatives(self, fault: LeafFault, sizes: Sequence[Any]) -> Iterator[LeafNode]:
        if fault == "input" and self.layout == "channels_last":
            yield self.rebuilt(layout="channels_first")

    def weights(self) -> dict[str, Weight]:
        kinds = {name: "learned" if array.requires_grad else "fixed" for name, array in self.module.named_parameters()}
        found: dict[str, Weight] = {}
        for name, array in shell.arrays_of(self.module).items():
            axes = f"*{self._lazy[name]}" if name in self._lazy else " ".join(map(str, array.shape))
            found[name.replace(".", "/")] = Weight(axes, None, cast(Any, kinds.get(name, "running")))
        return found

    def init_of(self, name: str, shapes: Mapping[str, tuple[int, ...]]) -> Init | None:
        torch_name = name.replace("/", ".")
        if not shell.is_lazy(shell.arrays_of(self.module)[torch_name]):
            return None
        return _own_init(self._sized(shapes), torch_name)

    def relate(self, known: Mapping[str, Any]) -> Sizes | None:
        sides = notation.ports(self.ports)
        shapes = [_known_shape(port, known) for port in sides.inputs]
        if not all(shape is not None for shape in shapes):
            return None
        given = [shape for shape in shapes if shape is not None]

        arrays: dict[str, Tensor] = {}

        def measure(lengths: Mapping[str, int]) -> tuple[tuple[int, ...], ...]:
            found = self._trial(tuple(tuple(evaluate(size, lengths) for size in shape) for shape in given))
            arrays.update(shell.arrays_of(found.module))
            return found.shapes

        results = sizes_from_lengths(measure, set[str]().union(*map(lengths_in, given)))
        if len(results) != len(sides.outputs):
            raise Unfit(
                "the module gives another number of outputs than its ports say",
                expected=f"{len(sides.outputs)}, as in {self.ports!r}",
                got=str(len(results)),
            )
        found: Sizes = {}
        for port, result in zip(sides.outputs, results, strict=True):
            found |= _named(port, result)
        return found | {run: tuple(arrays[name].shape) for name, run in self._lazy.items()}

    def fewest(self, sizes: Mapping[str, Any]) -> int:
        """Two where the module trains on two examples and refuses a single one, as torch's batch norms do."""
        sides = notation.ports(self.ports).inputs
        shapes = [_known_shape(port, sizes) for port in sides]
        inputs = [
            (cast(tuple[int, ...], shape or ()), port.below is not None)
            for shape, port in zip(shapes, sides, strict=True)
        ]
        return 2 if not trains(self.module, self._run, inputs, 1) and trains(self.module, self._run, inputs, 2) else 1

    def forward(
        self,
        w: Mapping[str, Tensor],
        *x: Tensor | None,
        lengths: Lengths = NO_LENGTHS,
        training: bool,
        random: Noise | None = None,
    ) -> Any:
        arrays = {name.replace("/", "."): array for name, array in w.items()}
        buffers = {name: arrays[name].clone() for name, _ in self.module.named_buffers()}  # written in place by some
        inputs = copies(x)
        ends = [
            [] if value is None else _ends(port, lengths, value.ndim - 1)
            for port, value in zip(notation.ports(self.ports).inputs, inputs, strict=True)
        ]
        with noisy(x, training, random):
            results = self._padded(self._ready(w, training), inputs, ends, {**arrays, **buffers})
        y = results[0] if len(results) == 1 else tuple(results)
        if not buffers:
            return y
        return y, {name.replace(".", "/"): new for name, new in buffers.items()} if training else {}

    def _padded(
        self, module: nn.Module, x: Sequence[Tensor | None], ends: Sequence[Sequence[End]], arrays: Mapping[str, Tensor]
    ) -> list[Tensor]:
        """The outputs for a batch in which examples may end early."""
        apart = module.training and any(True for _ in module.buffers())
        mixed = [length for end in ends for length, leading in end if length is not None and (apart or not leading)]
        if not mixed:
            whole = [v if v is None else ended_run(v, [at for at, _ in end]) for v, end in zip(x, ends, strict=True)]
            return self._placed(self._run(module, whole, arrays))
        _, which = torch.stack(mixed, 1).unique(dim=0, return_inverse=True)  # (b, k) -> (b,)
        groups = [(which == group).nonzero().squeeze(1) for group in range(int(which.max()) + 1)]
        pieces = [
            self._placed(self._run(module, [_alone(v, end, rows) for v, end in zip(x, ends, strict=True)], arrays))
            for rows in groups
        ]
        inputs = tuple(() if v is None else tuple(v.shape[1:]) for v in x)
        order = torch.cat(groups).argsort()
        return [
            torch.cat([_filled(y, shape) for y in made])[order]
            for shape, *made in zip(self._trial(inputs).shapes, *pieces, strict=True)
        ]

    @cached_property
    def _trials(self) -> dict[tuple[tuple[int, ...], ...], Tried]:
        return {}

    def _trial(self, inputs: tuple[tuple[int, ...], ...]) -> Tried:
        """What comes out for examples of these sizes; known ones are kept."""
        if inputs not in self._trials:
            if len(self._trials) >= KEPT:
                self._trials.clear()
            below = [port.below is not None for port in notation.ports(self.ports).inputs]
            found = trial(self.module, self._run, [*zip(inputs, below, strict=True)])
            moved = [(*s[1:], s[0]) if self._first and len(s) > 1 else s for s in found.shapes]  # (c, *t) -> (*t, c)
            self._trials[inputs] = replace(found, shapes=tuple(moved))
            arrays = shell.arrays_of(found.module)
            for training in (False, True):  # made here: while it is exported, no module can be copied
                self._modes.setdefault(
                    (training, *(tuple(arrays[name].shape) for name in self._lazy)), _in_mode(found.module, training)
                )
        return self._trials[inputs]

    @cached_property
    def _lazy(self) -> dict[str, str]:
        """The arrays whose sizes follow from the input, by name, and what stands for their axes."""
        arrays = shell.arrays_of(self.module)
        return {name: f"{LAZY}{i}" for i, (name, array) in enumerate(arrays.items()) if shell.is_lazy(array)}

    def _sized(self, shapes: Mapping[str, tuple[int, ...]]) -> nn.Module:
        """The module in which lazily sized arrays have these shapes."""
        if not self._lazy:
            return self.module
        for found in self._trials.values():
            arrays = shell.arrays_of(found.module)
            if all(tuple(arrays[name].shape) == shapes[name.replace(".", "/")] for name in self._lazy):
                return found.module
        raise NetError(what=f"no input gives the arrays of {type(self.module).__name__} these sizes", got=str(shapes))

    @cached_property
    def _modes(self) -> dict[Any, nn.Module]:
        return {}

    def _ready(self, w: Mapping[str, Tensor], training: bool) -> nn.Module:
        """The module in this mode, sized for these arrays."""
        shapes = {name: tuple(w[name.replace(".", "/")].shape) for name in self._lazy}
        key = (training, *shapes.values())
        if key not in self._modes:
            sized = self._sized({name.replace(".", "/"): shape for name, shape in shapes.items()})
            self._modes[key] = _in_mode(sized, training)
        return self._modes[key]

    @property
    def _first(self) -> bool:
        return self.layout == "channels_first"

    def _run(
        self, module: nn.Module, x: Sequence[Tensor | None], arrays: Mapping[str, Tensor] | None = None
    ) -> list[Tensor]:
        """The tensors it gives, as it gives them."""
        given = tuple(
            v.movedim(-1, 1) if self._first and v is not None and v.ndim > 2 else v  # (b, *s, c) -> (b, c, *s)
            for v in x
        )
        y = module(*given) if arrays is None else _called_with(arrays, module, given)
        return shell.tensors(y, self.output_names)

    def _placed(self, results: list[Tensor]) -> list[Tensor]:
        """The same with the batch axis first, and the channels where the net has them."""
        batch = next((found.batch for found in self._trials.values()), (0,) * len(results))
        moved = [y.movedim(axis, 0) for y, axis in zip(results, batch, strict=True)]  # (..., b, ...) -> (b, ...)
        return [y.movedim(1, -1) if self._first and y.ndim > 2 else y for y in moved]  # (b, c, *t) -> (b, *t, c)

    def __repr__(self) -> str:
        more = f", {self.ports!r}" if self.ports != "*s -> *t" else ""
        more += f", layout={self.layout!r}" if self.layout != "channels_last" else ""
        text = " ".join(repr(self.module).split())
        return shared_repr(self, f"Module({text}{more})")


class _Kept(nn.Module):
    """Gives the error of a module as its result: `functional_call` sets an attribute of an error that passes it.

    An error that is a frozen dataclass refuses that, and FrozenInstanceError would come out in its place.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *x: Any) -> Any:
        try:
            return self.module(*x)
        except BaseException as error:
            return error


def _called_with(arrays: Mapping[str, Tensor], module: nn.Module, x: tuple[Tensor | None, ...]) -> Any:
    """What a module gives with these arrays in place of its own."""
    inside = {f"module.{name}": array for name, array in arrays.items()}
    y = torch.func.functional_call(_Kept(module), inside, x)
    if isinstance(y, BaseException):
        raise y
    return y


def _in_mode(module: nn.Module, training: bool) -> nn.Module:
    return copy.deepcopy(module).train(training)


def _empty(array: Tensor) -> bool:
    """Whether an array has no values to hold."""
    return shell.is_lazy(array) or array.is_meta


def _own_init(module: nn.Module, name: str) -> Init:
    """Fill an array as torch does: by `reset_parameters` of the module that owns it."""
    owner, _, own_name = name.rpartition(".")
    part = module.get_submodule(owner)

    def init(shape: tuple[int, ...], fan: Fans, generator: torch.Generator) -> Tensor:
        real = copy.deepcopy(part).to_empty(device="cpu")
        with drawing_from(generator.initial_seed()):
            cast(Any, real).reset_parameters()  # every lazily sized module of torch has it
        return getattr(real, own_name).detach().clone()

    return init


def _ends(port: Port, lengths: Lengths, rank: int) -> list[End]:
    """How long examples are along every axis of a port, and whether the axis is a leading one."""
    ends: list[End] = []
    for item in port.axes:
        if isinstance(item, AxisRun):
            run = lengths.get(item.name) or (None,) * (rank - len(port.axes) + 1)
            ends += [(length, item.name == "...") for length in run]
        else:
            length = lengths.get(item.name)
            ends.append((None if length is None else length * item.times, False))
    return ends


def _alone(x: Tensor | None, ends: Sequence[End], rows: Tensor) -> Tensor | None:
    """Examples that are equally long, without anything behind their ends."""
    if x is None:
        return None
    x = x[rows]
    for axis, (length, _) in enumerate(ends, 1):
        if length is not None:
            x = x.narrow(axis, 0, int(length[rows[0]]))  # (b, ..., n, ...)
    return x


def _filled(y: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A value with zeros behind its end along every axis."""
    missing = [(0, whole - size) for whole, size in zip(shape, y.shape[1:], strict=True)]
    return F.pad(y, [side for pair in reversed(missing) for side in pair])  # (b, *s) -> (b, *shape)


def _known_shape(port: Port, known: Mapping[str, Any]) -> tuple[Size, ...] | None:
    """The sizes of a port; `None` while one of them is not known."""
    shape: list[Size | None] = []
    for item in port.axes:
        if isinstance(item, AxisRun):
            run = known[item.name]
            shape += (None,) if run is None else run
        elif item.name:
            size = known.get(item.name)
            shape.append(None if size is None else size * item.times)
        else:
            shape.append(item.times)
    found = [size for size in shape if isinstance(size, int | Expression) and not unknowns(size)]
    return tuple(found) if len(found) == len(shape) else None


def _named(port: Port, shape: tuple[Size, ...]) -> Sizes:
    """What the names of an output port are, from the shape that came out."""
    run = next((i for i, item in enumerate(port.axes) if isinstance(item, AxisRun)), None)
    over = len(shape) - len(port.axes) + (run is not None)
    if over < 0 or (run is None and over):
        raise Unfit("the module gives another number of axes than its port says", str(port), str(shape))
    found: Sizes = {}
    sizes = list(shape)
    for item in port.axes:
        if isinstance(item, AxisRun):
            found[item.name], sizes = tuple(sizes[:over]), sizes[over:]
        else:
            found |= _one(item, sizes.pop(0), port, shape)
    return found


def _one(axis: Axis, size: Size, port: Port, shape: tuple[Size, ...]) -> Sizes:
    whole = size // axis.times if axis.times else 0
    if not same(whole * axis.times, size) or (not axis.name and not same(size, axis.times)):
        raise Unfit("the module gives another size than its port says", str(port), f"({', '.join(map(str, shape))})")
    return {axis.name: whole} if axis.name and axis.name != notation.UNKNOWN else {}
