"""Decides everything before the first step of a run: examples, loss, engine, rates and every choice."""

import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from netwright.data.order import batch_sizes
from netwright.data.sources import Source
from netwright.net.cost import multiply_adds_each
from netwright.net.initialize import initialize
from netwright.net.memory import training_bytes
from netwright.net.part import Net
from netwright.net.plan.plan import plan_of
from netwright.training.batch import Batch
from netwright.training.engines.pieces import InPieces
from netwright.training.events import Choice
from netwright.training.feeds.ahead import read_ahead
from netwright.training.feeds.batches import Batches
from netwright.training.feeds.passes import batches_of
from netwright.training.feeds.streamed import with_steps
from netwright.training.feeds.workers import validated_with_workers
from netwright.training.holding import net_holding
from netwright.training.limits import Limits
from netwright.training.measurement import Best
from netwright.training.optimizers import Adam, optimizer_of
from netwright.training.prepare.alternate import turns_of
from netwright.training.prepare.choices import LARGEST, Chooser, fewest, why_whole
from netwright.training.prepare.class_weights import weighted_by_class
from netwright.training.prepare.examples import SplitData, TrainingExamples, examples_of, predicted_input
from netwright.training.prepare.goal import Goal, gives_numbers, goal_of
from netwright.training.prepare.leaks import refuse_leaks
from netwright.training.prepare.measures import Measures, best_of, measures_of
from netwright.training.prepare.options import Options
from netwright.training.prepare.precision import precision_of
from netwright.training.prepare.rates import in_kind, rates_of
from netwright.training.prepare.shaping import Shaping, shaping_of
from netwright.training.prepare.sharing import held_by, sharing_of
from netwright.training.prepare.threads import fastest_thread_count, using
from netwright.training.prepare.try_rates import TrialSteps, rate_range_of
from netwright.training.prepare.validate import Validation, check_net_probabilities, validation_of
from netwright.training.prepare.varied import variation_of
from netwright.training.processes.group import Group
from netwright.training.processes.refusals import refuse_own_statistics
from netwright.training.range_test import RATE, TESTED, RangeTest, RateRange
from netwright.training.schedules import Schedule, schedule_of
from netwright.training.updates import Update
from netwright.training.variation import BatchVariation

LOOKED_AT = 256  # examples whose targets are looked at
WHY_ADAM = "its steps do not depend on the scale of the gradients"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run before its first step.

    Fields:
        net: the user's, with its codecs fitted; its arrays are those before the run.
        prefix: the path of the user's net in the net with its loss; empty where the net has its own loss.
        engine: computes gradients; it holds the arrays that are trained.
        other_arrays: the arrays that no gradient trains, by path.
        feed: the examples as batches.
        variation: what each step does to its batch.
        net_with_loss: its structure, without arrays.
        frozen: the paths of the arrays that never change.
        updates: each update of the optimizer with its peak learning rate.
        validate: measures the arrays as they are; None without validation data.
        shaping: what is done to the gradient of a step before the optimizer reads it.
        ema: the decay of a moving average of the weights; None takes the weights themselves.
        limits: what ends the run before its epochs are done.
        least: the least number of examples in a batch.
        threads: of the processor; `watched` if the user did not give them, so that a slow run may use fewer.
        choices: what was decided, and why.
        group: the processes that train together.
        measures: what is measured besides, after each epoch; None is nothing.
        best: the figure that chooses the best epoch.
        data: the examples as they were read.
    """

    net: Net
    prefix: str
    engine: InPieces
    other_arrays: Mapping[str, Tensor]
    feed: Batches
    variation: BatchVariation
    net_with_loss: Net
    frozen: Collection[str]
    updates: Sequence[tuple[Update, float]]
    schedule: Schedule
    validate: Validation | None
    epochs: int
    batch_size: int
    least: int
    shaping: Shaping
    ema: float | None
    limits: Limits
    seed: int
    threads: int = 1
    watched: bool = False
    choices: tuple[Choice, ...] = ()
    group: Group = field(default_factory=Group)
    measures: Measures | None = None
    best: Best = field(default_factory=Best)
    data: SplitData | None = None

    @property
    def running(self) -> dict[str, Tensor]:
        """The arrays that follow the batches, by path."""
        specs = plan_of(self.net_with_loss).arrays
        moving = (path for path, spec in specs.items() if spec.weight.kind == "running")
        return {path: self.other_arrays[path] for path in moving if path not in self.frozen}

    @property
    def kind(self) -> torch.dtype:
        """The number type of the trained net: that of the user's arrays, or float32 where they differ.

        After a run in float64 it is float64, so that no digits are lost.
        """
        if self.engine.flat.master.dtype == torch.float64:
            return torch.float64
        kinds = {array.dtype for array in self.net.held.arrays.values() if array.is_floating_point()}
        return kinds.pop() if len(kinds) == 1 else torch.float32

    def holding(self, arrays: Mapping[str, Tensor], step: int) -> Net:
        """The user's net with the arrays that the run has after a step."""
        made = net_holding(self.net, arrays, self.prefix, self.kind)
        if step:
            return made
        return made.with_arrays({**made.held.arrays, **self.net.held.arrays})  # float32 cannot hold all of float64

    @property
    def first_net(self) -> Net:
        """The user's net before the first step, with all its arrays."""
        return self.holding({**self.engine.arrays(self.engine.flat.master), **self.other_arrays}, 0)

    def measured(self, arrays: Mapping[str, Tensor], step: int) -> Mapping[str, float]:
        """What the run measures besides with these arrays; the first process does so, for all."""
        if self.measures is None:
            return {}
        net = self.holding(arrays, step).to(self.feed.device)
        return self.group.agreed(self.measures(net) if self.group.leads else {})


def prepare(net: Net, data: Any, options: Options, group: Group | None = None) -> Prepared:
    """Read the examples, choose what was not given, and make the engine that trains."""
    test, earlier = options.learning_rate, options.choices
    others = [choice for choice in earlier if choice.name != RATE] if isinstance(test, RangeTest) else earlier
    choose = Chooser(others, group or Group())
    options = _repeated(choose, options)
    read = examples_of(net, data, options)
    examples = _weighted(choose, read, options)
    measures = measures_of(choose, examples, options)
    prepared = replace(_prepared(choose, examples, options), data=SplitData(read.training, read.held_out))
    prepared = _with_best(replace(prepared, measures=measures), options.best)
    return _with_tested_rate(prepared, test, earlier) if isinstance(test, RangeTest) else prepared


def _with_best(prepared: Prepared, figure: str | None) -> Prepared:
    """The run with the figure that chooses its best epoch; all figures that are wanted are looked up."""
    measures = prepared.measures
    less = {} if measures is None else measures.less_is_better(prepared.first_net)
    best = best_of(figure, measures, prepared.validate, less)
    return replace(prepared, best=best, limits=replace(prepared.limits, figure=best.figure))


def _with_tested_rate(prepared: Prepared, test: RangeTest, earlier: Sequence[Choice]) -> Prepared:
    """The run with the rate that a range test finds, or that it found for an earlier run whose choices are repeated."""
    known = next((choice.setting for choice in reversed(earlier) if choice.name == TESTED), None)
    if known is None:
        own, updates = max(rate for _, rate in prepared.updates), [update for update, _ in prepared.updates]
        trial = TrialSteps(prepared.engine, prepared.shaping, updates, prepared.other_arrays)
        feed = prepared.feed.trial(prepared.batch_size, prepared.seed, prepared.least)
        with using(prepared.threads), closing(feed):
            varied = (prepared.variation(batch, step) for step, batch in enumerate(feed))
            found = rate_range_of(trial, test, varied, own)
        known = prepared.group.agreed(asdict(found))
    found = RateRange.of(known)
    rate = Choice(RATE, f"{found.rate:.3g}", found.why, (found.rate, {}))
    choices = [rate if choice.name == RATE else choice for choice in prepared.choices]
    choices.append(Choice(TESTED, found.extent, "given", known))
    updates = [(update, found.rate) for update, _ in prepared.updates]
    return replace(prepared, updates=updates, choices=tuple(choices))


def _prepared(choose: Chooser, examples: TrainingExamples, options: Options) -> Prepared:
    group, seed = choose.group, options.seed or 0
    net, training, held_out = examples.net, examples.training, examples.held_out
    refuse_leaks(net, predicted_input(net, training, options.objective))
    device, goal = group.placed(choose.device(options.device)), _goal(choose, net, options)
    home = device if group.size == 1 else torch.device("cpu")  # the whole may not fit on the device of a process
    net_with_loss = initialize(goal.net, seed=seed).to(home)
    plan = plan_of(net_with_loss)
    refuse_own_statistics(group, plan, goal.prefix)
    _say_what_is_known(choose, net, goal, options.loss, examples)
    training_feed = batches_of(training, net_with_loss, device, goal.prefix)
    checked = None if held_out is None else _validating(held_out, net_with_loss, device, goal.prefix, options.workers)
    work, room = multiply_adds_each(plan, training_feed.typical), training_bytes(plan, training_feed.typical)
    least = fewest(plan, goal.prefix, len(training_feed) or LARGEST, options.batch_size)
    batch_size = choose.batch_size(options.batch_size, len(training_feed) or None, room, device, least, options.epochs)
    training_feed = with_steps(training_feed, options.steps_per_epoch, batch_size)
    choose.batches(training_feed, batch_size, seed)
    steps_each = len(batch_sizes(len(training_feed), batch_size, least))
    epochs = choose.epochs(options.epochs, steps_each)
    precision = _precision(choose, options, device, [n * batch_size for n in work], net, goal, training_feed)
    optimizer = optimizer_of(choose.choice("optimizer", options.optimizer, lambda: (Adam(), WHY_ADAM)))
    known = (plan, goal.prefix, batch_size, gives_numbers(net), training_feed.typical)
    rates = rates_of(plan, *choose.learning_rate(options.learning_rate, optimizer, *known), goal.prefix)
    schedule = schedule_of(choose.schedule(options.schedule, epochs * steps_each))
    own, whole = math.ceil(batch_size / group.size), why_whole(plan, goal.prefix)
    trained = [path for path in rates if plan.arrays[path].weight.kind == "learned"]
    sharing = sharing_of(choose, plan, trained, optimizer, room * (own if whole else 1), device, precision)
    pieces = choose.pieces(own, room, sharing.most, device, whole, optimizer, precision, options.accumulate)
    check_net_probabilities(plan, training_feed, in_kind(net_with_loss, trained, precision), net, goal)
    turns = turns_of(options.objective, plan, goal, trained)
    held = held_by(sharing, net_with_loss, plan, rates, optimizer, precision, seed, device, group, turns)
    validate = None
    if checked is not None and held_out is not None:
        validate = replace(validation_of(plan, checked, held.present, net, goal.prefix, group), name=held_out.name)
    engine = InPieces(held.engine, group.highest(pieces), room, whole)
    prepared = Prepared(
        net=net,
        prefix=goal.prefix,
        engine=engine,
        other_arrays=held.others,
        feed=read_ahead(choose.workers(options.workers, training_feed), plan),
        variation=variation_of(choose, training_feed, net, seed, goal.mixup),
        net_with_loss=net_with_loss.bare(),
        frozen=held.others.keys() - rates.keys(),
        updates=held.updates,
        schedule=schedule,
        validate=validate,
        epochs=epochs,
        batch_size=batch_size,
        least=least,
        shaping=shaping_of(choose, options, plan, engine, trained, goal.prefix),
        ema=choose.optional("ema", options.ema),
        limits=choose.limits(options.patience, options.minutes, validate is not None or options.best is not None),
        seed=seed,
        group=group,
    )
    return _with_threads(choose, prepared, options.threads, 3 * sum(work), training_feed)


def _with_threads(choose: Chooser, prepared: Prepared, given: int | None, work: int, feed: Batches) -> Prepared:
    """The run with its threads, and with all that was chosen; `work` is that of an example, with its gradient."""
    size = prepared.batch_size
    threads = choose.threads(given, work * size, lambda: _fastest(prepared, feed.first(size)))
    watched = threads > 1 and given is None and prepared.group.size == 1
    return replace(prepared, threads=threads, watched=watched, choices=tuple(choose.made))


def _weighted(choose: Chooser, found: TrainingExamples, options: Options) -> TrainingExamples:
    """The examples, of which each counts as much as its class."""
    weights = choose.optional("class weights", options.class_weights)
    return replace(found, training=weighted_by_class(found.net, found.training, weights))


def _goal(choose: Chooser, net: Net, options: Options) -> Goal:
    """What the net is trained for."""
    smoothing = choose.optional("label smoothing", options.label_smoothing)
    weights = choose.optional("loss weights", options.loss_weights)
    mixup = choose.optional("mixup", options.mixup)
    return goal_of(net, options.loss, smoothing, weights, mixup)


def _validating(held_out: Source, net: Net, device: torch.device, prefix: str, workers: int | None) -> Batches:
    """The examples that validate, as batches."""
    return validated_with_workers(batches_of(held_out, net, device, prefix), workers)


def _precision(
    choose: Chooser, options: Options, device: torch.device, work: Sequence[int], net: Net, goal: Goal, feed: Batches
) -> torch.dtype | None:
    """The precision, for which the targets of some examples are looked at where they are numbers."""

    def targets() -> list[Tensor]:
        inputs = feed.first(LOOKED_AT).inputs
        return [inputs[name] for name in goal.targets]

    return precision_of(choose, options.precision, device, work, net.held.outputs.values(), targets)


def _repeated(choose: Chooser, options: Options) -> Options:
    """The options with those that say what the examples are as an earlier run had them, where they are not given."""
    objective, keep = choose.optional("objective", options.objective), choose.optional("keep", options.keep or None)
    steps, best = choose.optional("steps per epoch", options.steps_per_epoch), choose.optional("best", options.best)
    loss = choose.again("loss", options.loss)  # the examples have a target for each output that has a loss
    return replace(options, objective=objective, loss=loss, keep=bool(keep), steps_per_epoch=steps, best=best)


def _fastest(prepared: Prepared, batch: Batch) -> int:
    """How many threads make a step fastest. Its trial leaves everything as it was.

    The optimizer takes long where embeddings are large, so what it does is timed too, at a rate of 0.
    """
    updates = [update for update, _ in prepared.updates]
    trial = TrialSteps(prepared.engine, prepared.shaping, updates, prepared.other_arrays)

    def step() -> None:
        trial.loss(batch, 0)
        trial.step(0.0)

    fastest = fastest_thread_count(step)
    trial.undo()
    return fastest


def _say_what_is_known(choose: Chooser, net: Net, goal: Goal, loss: Any, examples: TrainingExamples) -> None:
    """Say the loss, and what is noticed in the examples."""
    choose.processes()
    choose.say("loss", goal.name, goal.why, loss)
    choose.examples(examples.training, examples.held_out, net.input_names)
    choose.channels(plan_of(net))
    choose.columns(examples.training, goal.net.held.inputs)
    choose.truncated(examples.training, goal.net.held.inputs)
    choose.converted(examples.training, goal.net.held.inputs)
