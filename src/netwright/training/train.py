"""Trains a net with one call: chooses what was not given, says it, and gives back a run."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import torch
from torch import Tensor

from netwright.codecs.category import Category
from netwright.codecs.each import Each
from netwright.data.sources import Source, Stream, source
from netwright.data.split import split
from netwright.errors import PathError, TrainingError, did_you_mean
from netwright.net.part import Net
from netwright.net.plan.plan import Plan, plan_of
from netwright.net.run.initialize import initialize
from netwright.net.surgery import hold_arrays
from netwright.training.choose import Chooser, activation_bytes, work_of
from netwright.training.engines import engine_of
from netwright.training.events import Callback, Choice, Status
from netwright.training.feed import collected, feed
from netwright.training.flat import Flat
from netwright.training.loop import Loop
from netwright.training.objective import Objective, ends_in_losses, objective
from netwright.training.optimizers import Optimizer, Piece, TorchOptimizer, Update, optimizer_of
from netwright.training.ports import fitted
from netwright.training.progress import progress as progress_for
from netwright.training.result import Run
from netwright.training.schedules import SCHEDULES, Schedule
from netwright.training.threads import Pace, faster
from netwright.training.validate import validation_of

Rates: TypeAlias = float | Mapping[str, float] | None
WHY_ADAM = "steps of one size for every weight, whatever the scale of its gradient"
WHY_ONE_CYCLE = "warms up, then settles: higher rates and fewer epochs"


def train(
    net: Net,
    data: Any,
    *,
    validation: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    loss: Net | Mapping[str, Net] | None = None,
    optimizer: str | Optimizer | TorchOptimizer = "adam",
    learning_rate: Rates = None,
    schedule: str | Schedule = "one-cycle",
    clip: float | None = None,
    weights: Sequence[float] | None = None,
    precision: str | None = None,
    device: str | torch.device | None = None,
    threads: int | None = None,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
    choices: Sequence[Choice] = (),
) -> Run:
    """Train a net on examples, and give back a run: the best net, every curve, every choice.

    Fields:
        data: two columns `(inputs, targets)`, a list of rows, a dict of named ports, a data set's part, a torch
            Dataset or DataLoader, a generator function, or `nw.folder("pets/")`.
        validation: data held out by yourself, a fraction of `data` (0.1) or a count (5000); the epoch with the lowest
            validation loss is kept. None validates nothing and keeps the last.
        epochs: passes over the data; None makes at least 10 and at least 2,000 steps.
        batch_size: examples a step; None follows from how many there are and from memory.
        loss: a net with the ports `input` and `target`, or one for each output; None follows from the decoder.
        optimizer: `"adam"`, `"adamw"`, `"sgd"`, `"rmsprop"`, a value such as `nw.SGD(momentum=0)`, or torch's class.
        learning_rate: at its peak; None takes the optimizer's own. A mapping from path patterns to rates sets them for
            parts: `{"body/*": 0}` freezes the body.
        schedule: `"one-cycle"`, `"constant"`, `"cosine"`, `"step"` or a value.
        clip: the greatest length of the gradient.
        weights: how much each example counts.
        precision: `"float32"` or `"bf16"`; None follows from the processor and the net.
        device, threads: where and how wide to compute; None takes the best at hand.
        seed: of the new arrays, the order of examples, the validation part and all noise.
        callbacks: read the run as it goes, and may stop it.
        progress: whether the run is shown while it goes.
        choices: the choices of an earlier run, to be made again.

    Raises: DataError and SizeError before anything is trained; TrainingError when the loss is not finite, with the
        part and the example, and the best net so far as `error.run`.

    Example:
        >>> import netwright as nw
        >>> xs = [x / 50 - 1 for x in range(100)]
        >>> net = nw.Chain(16, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> run = nw.train(net, (xs, [x * x for x in xs]), epochs=200, progress=False)
        >>> abs(run.net(0.5) - 0.25) < 0.05
        True
    """
    choose = Chooser(choices)
    targets: dict[str, str] = {} if ends_in_losses(net) else _target_ports(net)
    ports = _data_ports(net, tuple(targets))
    training, held_out = _held_out(_counted(source(data, *ports, weights), net), validation, net, ports, seed)
    net = fitted(net, training, targets)
    goal = objective(net, loss)
    place = choose.device(device)
    net_with_loss = initialize(goal.net, seed=seed).to(place)
    plan = plan_of(net_with_loss)
    work = work_of(plan)
    choose.say("loss", goal.name, goal.why)
    size = choose.batch_size(batch_size, len(training), activation_bytes(plan), place)
    steps_each = -(-len(training) // size)
    count = choose.epochs(epochs, steps_each)
    chosen = optimizer_of(optimizer)
    dtype = choose.precision(precision, place, work, _classifies(net))
    choose.say("optimizer", repr(chosen), WHY_ADAM if optimizer == "adam" else "given")
    rates = _rates(plan, choose.learning_rate(learning_rate, chosen, plan), learning_rate, goal.prefix)
    choose.say("schedule", schedule, WHY_ONE_CYCLE if schedule == "one-cycle" else "given")
    curve = _schedule(schedule)
    codecs = net_with_loss.held.inputs
    examples = feed(training, codecs, place)
    flat, rest = _flatten(net_with_loss, rates, dtype, place)
    status = Status(count, count * steps_each, size, len(training), ())
    loop = Loop(
        engine=engine_of(plan, flat, rest, dtype, seed),
        feed=examples,
        updates=_updates(flat, rates, chosen),
        schedule=curve,
        validate=None
        if held_out is None
        else validation_of(plan, feed(held_out, codecs, place), {**rest, **flat.views(flat.master)}, net, goal.prefix),
        state=lambda: _copied(flat, rest),
        status=status,
        callbacks=[*callbacks, *([progress_for()] if progress else [])],
        seed=seed,
        clip=clip,
    )

    def result() -> Run:
        return _run(net, goal, loop, status)

    with _threads():
        width = choose.threads(threads, work * size * 3, lambda: _trial(loop, rest))
        torch.set_num_threads(width)
        loop.pace = Pace() if width > 1 and threads is None else None
        status.choices = tuple(choose.made)
        try:
            loop.run()
        except TrainingError as error:
            error.run = result()  # type: ignore[attr-defined]  # what was reached is not lost with the error
            raise
    return result()


def _target_ports(net: Net) -> dict[str, str]:
    """The ports of the data that hold what is right, and the output each is compared with."""
    names = net.output_names
    return {"target": names[0]} if len(names) == 1 else {f"{name}_target": name for name in names}


def _data_ports(net: Net, targets: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ports that data fills: inputs and what is right; the second input of a net that ends in its loss is that."""
    names = net.input_names
    return (names, targets) if targets or len(names) != 2 else ((names[0],), (names[1],))


def _counted(found: Source | Stream, net: Net) -> Source:
    if isinstance(found, Source):
        return found
    return collected(found, {**net.held.inputs})


def _held_out(
    whole: Source, validation: Any, net: Net, ports: tuple[tuple[str, ...], tuple[str, ...]], seed: int
) -> tuple[Source, Source | None]:
    if validation is None:
        return whole, None
    if isinstance(validation, int | float) and not isinstance(validation, bool):
        kept, held = split(len(whole), validation, seed)
        return whole.take(kept), whole.take(held)
    return whole, _counted(source(validation, *ports), net)


def _classifies(net: Net) -> bool:
    inner = [codec.codec if isinstance(codec, Each) else codec for codec in net.held.outputs.values()]
    return bool(inner) and all(isinstance(codec, Category) for codec in inner)


def _rates(plan: Plan, base: float, given: Rates, prefix: str) -> dict[str, float]:
    """The peak learning rate of every array that is trained; an array with rate 0 is not."""
    learned = [path for path, spec in plan.arrays.items() if spec.weight.kind == "learned"]
    rates = dict.fromkeys(learned, base)
    for pattern, rate in given.items() if isinstance(given, Mapping) else ():
        matched = [path for path in learned if _matches(path.removeprefix(prefix), pattern)]
        if not matched:
            names = [path.removeprefix(prefix) for path in learned]
            raise PathError(
                what=f"no array of this net has a path like {pattern!r}",
                where="learning_rate",
                expected=f"a pattern of one of {len(names)} paths, such as {names[0]!r}",
                mend=did_you_mean(pattern, [*names, *dict.fromkeys(name.rpartition("/")[0] for name in names)]),
            )
        rates |= dict.fromkeys(matched, rate)
    kept = {path: rate for path, rate in rates.items() if rate}
    if not kept:
        raise TrainingError(
            what="nothing is left to train: every array is frozen or none is learned", where="learning_rate"
        )
    return kept


def _matches(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) or path.startswith(f"{pattern}/")


def _flatten(
    net: Net, rates: Mapping[str, float], dtype: torch.dtype | None, device: torch.device
) -> tuple[Flat, dict[str, Tensor]]:
    """The trained arrays side by side, those of one learning rate together; and copies of all others."""
    ordered = sorted(rates, key=lambda path: rates[path])
    flat = Flat.of({path: net.held.arrays[path] for path in ordered}, dtype, device)
    rest = {path: array.clone() for path, array in net.held.arrays.items() if path not in rates}
    return flat, rest


def _updates(flat: Flat, rates: Mapping[str, float], optimizer: Optimizer) -> list[tuple[Update, float]]:
    groups: dict[float, list[str]] = {}
    for path in flat.spans:
        groups.setdefault(rates[path], []).append(path)
    updates: list[tuple[Update, float]] = []
    for rate, paths in groups.items():
        piece = flat.range(paths)
        arrays = [(flat.view(flat.master, path), flat.view(flat.gradient, path)) for path in paths]
        updates.append((optimizer.bind(Piece(flat.master[piece], flat.gradient[piece], arrays)), rate))
    return updates


def _schedule(given: str | Schedule) -> Schedule:
    if isinstance(given, Schedule):
        return given
    if given not in SCHEDULES:
        raise TrainingError(
            what=f"no schedule has the name {given!r}",
            where="schedule",
            expected=f"one of {', '.join(SCHEDULES)}, or a value such as nw.OneCycle(warm=0.1)",
            mend=did_you_mean(given, SCHEDULES),
        )
    return SCHEDULES[given]


def _copied(flat: Flat, rest: Mapping[str, Tensor]) -> dict[str, Tensor]:
    learned = {
        path: array.clone(memory_format=torch.contiguous_format) for path, array in flat.views(flat.master).items()
    }
    return {**learned, **{path: array.clone() for path, array in rest.items()}}


def _run(net: Net, goal: Objective, loop: Loop, status: Status) -> Run:
    def holding(arrays: Mapping[str, Tensor]) -> Net:
        found = {path.removeprefix(goal.prefix): array.cpu() for path, array in arrays.items()}
        return hold_arrays(net, found)  # type: ignore[return-value]

    return Run(
        net=holding(loop.kept),
        last=holding(loop.state()),
        epochs=tuple(status.done),
        losses=tuple(status.losses),
        choices=status.choices,
        best=status.best,
        seconds=status.seconds,
        ended=status.ended,
    )


def _trial(loop: Loop, rest: Mapping[str, Tensor]) -> int:
    """How many threads make the gradient of a batch fastest; running arrays are left as they were."""
    before = {path: array.clone() for path, array in rest.items()}
    batch = loop.feed.batch(torch.arange(loop.status.batch_size))
    threads = faster(lambda: loop.engine.gradient(batch, 0), torch.get_num_threads())
    for path, array in rest.items():
        array.copy_(before[path])
    return threads


@contextmanager
def _threads() -> Generator[None, None, None]:
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
