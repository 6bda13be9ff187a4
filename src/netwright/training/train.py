"""Trains a net with one call: chooses what was not given, says it, and gives back a run."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeAlias

import torch
from torch import Tensor

from netwright.codecs.numeric import plain_number
from netwright.data.order import batch_sizes
from netwright.data.sources import Source, Stream, source
from netwright.data.split import split
from netwright.net.cost import activation_bytes, multiply_adds
from netwright.net.initialize import initialize
from netwright.net.part import Net
from netwright.net.plan.plan import plan_of
from netwright.net.surgery import hold_arrays
from netwright.training.engines.flat import Flat
from netwright.training.engines.pick import engine_of
from netwright.training.events import Callback, Choice, Status
from netwright.training.interrupts import held
from netwright.training.loop import Loop
from netwright.training.optimizers import Adam, Optimizer, TorchOptimizer, optimizer_of
from netwright.training.prepare import arguments
from netwright.training.prepare.choices import Chooser, fewest
from netwright.training.prepare.codecs import fitted
from netwright.training.prepare.feed import collected, feed
from netwright.training.prepare.goal import Goal, ends_in_losses, gives_classes, goal_of
from netwright.training.prepare.leaks import refuse_leaks, shifted_pair
from netwright.training.prepare.next_element import NextElement, following_port
from netwright.training.prepare.rates import Rates, rates_by_path, rates_of, updates_of
from netwright.training.prepare.threads import Pace, fastest_thread_count
from netwright.training.prepare.validate import check_net_probabilities, validation_of
from netwright.training.prepare.with_loss import target_name
from netwright.training.progress.progress import progress as progress_for
from netwright.training.result import Run
from netwright.training.schedules import Schedule, schedule_of

Loss: TypeAlias = Net | Callable[[Tensor, Tensor], Tensor]
WHY_ADAM = "steps of one size for every weight, whatever the scale of its gradient"
WHY_ONE_CYCLE = "warms up, then settles: higher rates and fewer epochs"


@arguments.called_rightly
@torch.inference_mode(False)  # a run learns whatever mode its caller is in
def train(
    net: Net,
    data: Any,
    *,
    validation: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    loss: Loss | Mapping[str, Loss] | None = None,
    optimizer: str | Optimizer | TorchOptimizer | None = None,
    learning_rate: Rates = None,
    schedule: str | Schedule | None = None,
    clip: float | None = None,
    weights: Sequence[float] | None = None,
    precision: str | None = None,
    device: str | torch.device | None = None,
    threads: int | None = None,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
    choices: Sequence[Choice] = (),
    objective: NextElement | None = None,
) -> Run:
    """Train a net on examples, and give back a run: the best net, every curve, every choice.

    Fields:
        data: two columns `(inputs, targets)`, a list of rows, a dict of named ports, a data set's part, a torch
            Dataset or DataLoader, a generator function, or `nw.image_folder("pets/")`. A Dataset, a loader and a
            function are read anew in every epoch. Examples may differ in length where the net's input has a size with
            a name.
        validation: data held out by yourself, a fraction of `data` (0.1) or a count (5000); the epoch with the lowest
            validation loss is kept. None validates nothing and keeps the last.
        epochs: passes over the data; None makes at least 10 and at least 2,000 steps.
        batch_size: examples a step; None follows from how many there are and from memory.
        loss: a net with the ports `input` and `target`, or a function of the output and the target of one example, or
            one for each output; None follows from the decoder. A net whose outputs are called `loss` has its own.
        optimizer: `"adam"`, `"adamw"`, `"sgd"`, `"rmsprop"`, a value such as `nw.SGD(momentum=0)`, or torch's class;
            None is Adam.
        learning_rate: at its peak; None takes the optimizer's own. A mapping from path patterns to rates sets them for
            parts: `{"body/*": 0}` freezes the body, its running means too.
        schedule: `"one-cycle"`, `"constant"`, `"cosine"`, `"step"` or a value; None is one cycle.
        clip: the greatest length of the gradient.
        weights: how much each example counts, against their mean.
        precision: `"float32"` or `"bf16"`; None follows from the processor and the net.
        device, threads: where and how wide to compute; None takes the best at hand.
        seed: of the new arrays, the order of examples, the validation part and all noise.
        callbacks: read the run as it goes, and may stop it.
        progress: whether the run is shown while it goes.
        choices: the choices of an earlier run, to be made again where nothing else is given.
        objective: `nw.NextElement()` to predict what comes next in every sequence of a single column; None compares
            with the targets in the data.

    Raises: DataError and SizeError before anything is trained; TrainingError when a loss, a gradient or a weight is
        not finite, with the part and the example. Whatever ends the run, `error.run` holds the best net so far, and
        no net that is given back has numbers that are not finite.

    Example:
        >>> import netwright as nw
        >>> xs = [x / 50 - 1 for x in range(100)]
        >>> net = nw.Chain(16, nw.tanh, nw.Linear(), input=nw.Number(), output=nw.Number())
        >>> run = nw.train(net, (xs, [x * x for x in xs]), epochs=200, progress=False)
        >>> abs(run.net(0.5) - 0.25) < 0.05
        True
    """
    net = arguments.check_net(net)
    choose = Chooser(arguments.all_of("choices", choices, Choice))
    callbacks = arguments.all_of("callbacks", callbacks, Callback)
    seed = arguments.whole("seed", seed, 0) or 0
    following = choose.given_or("objective", arguments.objective(objective), None, "")
    net, training, held_out = _together(net, data, validation, weights, seed, following)
    refuse_leaks(net, _predicts(net, training, following))
    place = choose.device(arguments.device(device))
    goal = goal_of(net, loss if loss is not None else choose.setting("loss"))
    choose.say("loss", goal.name, goal.why, loss)
    net_with_loss = initialize(goal.net, seed=seed).to(place)
    plan = plan_of(net_with_loss)
    choose.examples(training, held_out)
    choose.channels(plan_of(net))
    choose.truncated(training, goal.net.held.inputs)
    examples = feed(training, net_with_loss, place, goal.prefix)
    validating = None if held_out is None else feed(held_out, net_with_loss, place, goal.prefix)
    work, room = multiply_adds(plan, examples.typical), activation_bytes(plan, examples.typical)
    given = arguments.whole("batch_size", batch_size, 1)
    least = fewest(plan, goal.prefix, len(training), given)
    size = choose.batch_size(given, len(training), room, place, least)
    choose.batches(examples, size, seed)
    steps_each = len(batch_sizes(len(training), size, least))
    count = choose.epochs(arguments.whole("epochs", epochs, 1), steps_each)
    dtype = choose.precision(precision, place, work, all(map(gives_classes, net.held.outputs.values())))
    chosen = optimizer_of(choose.given_or("optimizer", optimizer, Adam(), WHY_ADAM))
    base, by_path = choose.learning_rate(arguments.rate(learning_rate), chosen, plan, goal.prefix)
    rates = rates_of(plan, base, by_path, goal.prefix)
    curve = schedule_of(choose.given_or("schedule", schedule, "one-cycle", WHY_ONE_CYCLE))
    most = choose.given_or("clip", None if clip is None else arguments.check_number("clip", clip), None, "")
    flat, rest = rates_by_path(net_with_loss, plan, rates, dtype, place)
    arrays = {**rest, **flat.views(flat.master)}
    if goal.prefix:
        check_net_probabilities(plan, examples, arrays, net, goal)
    status = Status(count, count * steps_each, size, len(training), ())
    loop = Loop(
        engine=engine_of(plan, flat, rest, dtype, seed, frozen=rest.keys() - rates.keys()),
        feed=examples,
        updates=updates_of(flat, rates, chosen),
        schedule=curve,
        validate=None if validating is None else validation_of(plan, validating, arrays, net, goal.prefix),
        state=lambda: _copied(flat, rest),
        status=status,
        callbacks=[*callbacks, *([progress_for()] if progress else [])],
        seed=seed,
        least=least,
        clip=most,
        prefix=goal.prefix,
    )

    with _threads():
        width = choose.threads(
            arguments.whole("threads", threads, 1, arguments.most_threads()),
            work * size * 3,
            lambda: _trial(loop, rest),
        )
        torch.set_num_threads(width)
        loop.pace = Pace() if width > 1 and threads is None else None
        status.choices = tuple(choose.made)
        return _ended(loop.run, lambda: _run(net, goal, loop, status))


def _ended(run: Callable[[], None], result: Callable[[], Run]) -> Run:
    """The result of a run however it ended: where an error ended it, `error.run`."""
    error: BaseException | None = None
    try:
        run()
    except BaseException as raised:  # SystemExit too: what was reached is not lost with it
        error = raised
    with held() as deliver:
        made = result()
    try:
        deliver()
    except BaseException as raised:
        error = raised
    if error is None:
        return made
    try:
        with suppress(AttributeError):  # of an error that takes no attribute: it is still the one to raise
            error.run = made  # type: ignore[attr-defined]
        raise error
    finally:
        del error  # which holds this frame


def _together(
    net: Net, data: Any, validation: Any, weights: Sequence[float] | None, seed: int, following: NextElement | None
) -> tuple[Net, Source, Source | None]:
    """The net with codecs fitted to the training part, that part, and what is held out of it or given beside it."""
    if following is not None:
        ports = following.ports(net)
        whole = _counted(source(data, *ports, weights), net)
        training, held_out = _held_out(whole, validation, net, ports, seed)
        coded = following.coded(net, training)
        held = None if held_out is None else following.examples(coded, held_out)
        return coded, following.examples(coded, training), held
    targets: dict[str, str] = {} if ends_in_losses(net) else _target_ports(net)
    ports = _data_ports(net, tuple(targets))
    training, held_out = _held_out(_counted(source(data, *ports, weights), net), validation, net, ports, seed)
    return fitted(net, training, targets), training, held_out


def _predicts(net: Net, training: Source, following: NextElement | None) -> tuple[str, int] | None:
    """The input of which the net is to predict what comes, and how many steps on; None where it does something else."""
    if following is not None:
        name = following_port(net)
        return None if name is None else (name, 1)
    if ends_in_losses(net) or len(net.output_names) != 1:
        return None
    return shifted_pair(training, net.input_names, tuple(_target_ports(net)))


def _target_ports(net: Net) -> dict[str, str]:
    """The ports of the data that hold what is right, and the output each is compared with."""
    names = net.output_names
    return {target_name(net, name, several=len(names) > 1): name for name in names}


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
    validation = plain_number(validation)
    if isinstance(validation, int | float) and not isinstance(validation, bool):
        kept, held = split(len(whole), validation, seed)
        return whole.take(kept), whole.take(held)
    given = _counted(source(validation, *ports), net)
    once = "so that every epoch is measured on the same" if given.again is not None else given.once
    return whole, replace(given, again=None, once=once)


def _copied(flat: Flat, rest: Mapping[str, Tensor]) -> dict[str, Tensor]:
    learned = {
        path: array.clone(memory_format=torch.contiguous_format) for path, array in flat.views(flat.master).items()
    }
    return {**learned, **{path: array.clone() for path, array in rest.items()}}


def _run(net: Net, goal: Goal, loop: Loop, status: Status) -> Run:
    def holding(arrays: Mapping[str, Tensor]) -> Net:
        kinds = {array.dtype for array in net.held.arrays.values() if array.is_floating_point()}
        kind = kinds.pop() if len(kinds) == 1 else torch.float32  # a float64 net comes back as one
        found = {path.removeprefix(goal.prefix): _as(array.cpu(), kind) for path, array in arrays.items()}
        return hold_arrays(net, found)  # type: ignore[return-value]

    kept, last = loop.reached()
    return Run(
        net=holding(kept),
        last=holding(last),
        epochs=tuple(status.done),
        losses=tuple(status.losses),
        choices=status.choices,
        best=status.best,
        seconds=status.seconds,
        ended=status.ended,
    )


def _as(array: Tensor, kind: torch.dtype) -> Tensor:
    return array.to(kind) if array.is_floating_point() else array


def _trial(loop: Loop, rest: Mapping[str, Tensor]) -> int:
    """How many threads make the gradient of a batch fastest; running arrays are left as they were."""
    before = {path: array.clone() for path, array in rest.items()}
    batch = loop.feed.batch(loop.feed.order(loop.status.batch_size, loop.seed, 1)[: loop.status.batch_size])
    threads = fastest_thread_count(lambda: loop.engine.gradient(batch, 0), torch.get_num_threads())
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
