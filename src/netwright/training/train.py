"""Trains a net with one call: chooses what was not given, reports each choice, and gives a run."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from netwright.file.format import folder_path
from netwright.machine import without_autocast
from netwright.net.part import Net
from netwright.training.events import Callback, Choice
from netwright.training.folder.begun import begun
from netwright.training.folder.made_from import SETTINGS, text_of_setting
from netwright.training.folder.recorder import train_in
from netwright.training.loop import Loop
from netwright.training.measurement import Measurement
from netwright.training.optimizers import Optimizer, TorchOptimizer
from netwright.training.penalties import Penalty
from netwright.training.prepare import arguments
from netwright.training.prepare.alternate import Alternate
from netwright.training.prepare.next_element import NextElement
from netwright.training.prepare.options import CHECKS, Options, options_of
from netwright.training.prepare.rates import Rates
from netwright.training.processes.group import Group
from netwright.training.processes.launched import joined
from netwright.training.processes.refusals import refuse_unequal
from netwright.training.progress.progress import progress as progress_for
from netwright.training.result import Run, result_of
from netwright.training.schedules import Schedule
from netwright.training.start import digest_before
from netwright.training.telling import watched_before_the_first_step

Loss: TypeAlias = Net | Callable[[Tensor, Tensor], Tensor]


@arguments.with_checked_names
@torch.inference_mode(False)  # training works even if the caller is in inference mode
@without_autocast()  # `precision` says the types
def train(
    net: Net,
    data: Any,
    *,
    validation: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    accumulate: int | None = None,
    loss: Loss | Mapping[str, Loss] | None = None,
    label_smoothing: float | None = None,
    mixup: float | None = None,
    loss_weights: Mapping[str, float] | None = None,
    optimizer: str | Optimizer | TorchOptimizer | None = None,
    learning_rate: Rates = None,
    schedule: str | Schedule | None = None,
    clip: float | None = None,
    clip_value: float | None = None,
    penalties: Mapping[str, Penalty] | None = None,
    ema: float | None = None,
    measurements: Sequence[str | Callable[[Any, Any], Any] | Measurement] | None = None,
    best: str | None = None,
    patience: int | None = None,
    minutes: float | None = None,
    weights: Sequence[float] | None = None,
    class_weights: Mapping[Any, float] | None = None,
    precision: str | None = None,
    device: str | torch.device | None = None,
    threads: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
    choices: Sequence[Choice] = (),
    objective: NextElement | Alternate | None = None,
    keep: bool = False,
    steps_per_epoch: int | None = None,
) -> Run:
    """Train a net on examples, and give back a run: the best net, every curve, every choice.

    Fields:
        data: two columns `(inputs, targets)`, a dict of named ports, or a list of rows; a column may be a list, an
            array, a memory map, or one of Arrow. Or a data set's part, a DataFrame, `nw.image_folder("pets/")`, an
            Arrow table, `nw.parquet("*.parquet")`, a set of `datasets`, or a torch Dataset. Or a stream: a generator
            function, an IterableDataset, a DataLoader, or `nw.jsonl("*.jsonl")`. A torch Dataset and a stream are read
            again in every epoch. Examples may differ in length where the net's input has a size with a name.
        validation: data held out by yourself, a fraction of `data` (0.1) or a count (5000); the epoch with the lowest
            validation loss is kept. None validates nothing and keeps the last.
        epochs: passes over the data; None makes at least 10 and at least 2,000 steps.
        batch_size: examples a step; None follows from how many there are, from given epochs and from memory.
        accumulate: in how many equal pieces a batch is computed, one after the other, so that it takes less memory; the
            step is that of the whole batch. None takes as many as memory needs.
        loss: a net with the ports `input` and `target`, or a function of the output and the target of one example, or
            one for each output; None follows from the decoder. A net whose outputs are called `loss` has its own.
        label_smoothing: the share of each label that is spread over all classes, such as 0.1, in training and
            validation.
        mixup: mixes the examples of each training batch in pairs, their targets with them: λ of one and 1 − λ of the
            other, with λ from the distribution Beta(mixup, mixup), such as 0.2. It is for inputs that are numbers and
            for classes or numbers as targets.
        loss_weights: how much the loss of each output counts in the sum, such as `{"mask": 0.5}`, in training and
            validation; others count 1.
        optimizer: `"adam"`, `"adamw"`, `"sgd"`, `"rmsprop"`, `"lion"`, `"signsgd"`, a value such as
            `nw.SGD(momentum=0)`, or torch's class; None is Adam.
        learning_rate: at its peak; None takes the optimizer's own, which for Adam follows from the net, the batch size
            and the kind of answer. A mapping from path patterns to rates sets them for parts: `{"body/*": 0}` freezes
            the body, its running means too. `nw.RangeTest()` finds one in a short trial.
        schedule: `"warmup-stable-decay"`, `"one-cycle"`, `"constant"`, `"cosine"`, `"step"` or a value; None is the
            first, and `"constant"` in runs of fewer than 100 steps.
        clip: the greatest length of the gradient.
        clip_value: the greatest size of each number of the gradient.
        penalties: what weights add to the loss of a step, by path patterns as those of `learning_rate`:
            `{"*/weight": nw.L2(1e-4)}` adds 0.0001 Σ w², `nw.L1` adds λ Σ |w|. An array that two patterns name has
            both. The training loss has them, the validation loss does not.
        ema: the decay of a moving average of the weights, such as 0.999, which averages about 1,000 steps. The averages
            are validated, and they are what the nets of the run hold. None takes the weights themselves.
        measurements: figures of the validation data after each epoch: names as of `nw.measure`, such as `"accuracy"` or
            `"macro_f1"`, functions of answers and targets, and `nw.Measurement(…)`, also on other data.
        best: the figure by which the epoch is chosen that is kept, such as `"accuracy"`; None is the validation loss.
        patience: ends the run when so many epochs have brought no better validation loss, or figure of `best`.
        minutes: ends the run after this time, counted from the first step.
        weights: how much each example counts, against their mean.
        class_weights: how much the examples of a class count, such as `{"rare": 10}`, in training; others count 1. They
            are taken against their mean, and times `weights`.
        precision: `"float32"`, `"bf16"` or `"float64"`; None is one of the first two, by the processor and the net. In
            float64 the net that comes out holds float64 numbers; examples are read as float32 all the same.
        device, threads: where and how wide to compute; None takes the fastest device of this machine.
        seed: of the new arrays, the order of examples, the validation part and all noise; None is 0.
        workers: processes that read and encode the batches, for a Dataset or pictures that are slow to read; batches
            are the same for any number. None and 0 leave it to this process.
        folder: where the run is kept: settings, log, checkpoints, and at the end the nets. The same call again goes on
            where the run was, also after the program was killed; if it had ended, its result is given back. A setting
            that a later call leaves out is as the folder has it. None keeps nothing.
        callbacks: follow the run as it goes, get its net, and may stop it or change its rate; of several processes the
            first one calls them.
        progress: whether the run is shown while it goes.
        choices: the choices of an earlier run, to be made again where nothing else is given.
        objective: `nw.NextElement()` to predict what comes next in every sequence of a single column;
            `nw.Alternate(…)` to train parts of a net in turn, each by a loss of its own, as in a GAN; None compares
            with the targets in the data.
        keep: whether a pass over a stream is kept in memory and shuffled as a whole. By default a stream is shuffled in
            blocks, so that data of any size can be read.
        steps_per_epoch: of a stream that is not read to its end, since it has no end or a very far one; codecs then
            learn from its beginning. None makes an epoch of each pass.

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
    given = locals()  # every keyword by its name
    options = options_of({name: given[name] for name in CHECKS})
    callbacks = [*arguments.all_of("callbacks", callbacks, Callback), *([progress_for()] if progress else [])]
    arguments.check_net(net)
    path = None if folder is None else folder_path(arguments.folder(folder))
    with joined() as group:
        _refuse_other_calls(group, net, options, path is not None)
        heard = callbacks if group.leads else ()
        with watched_before_the_first_step(heard):
            if path is not None:
                return train_in(path, net, data, options, heard, group)
            prepared, start = begun(net, data, options, group)
            refuse_unequal(group, start.made_from)
            return result_of(Loop(prepared, heard), start)


def _refuse_other_calls(group: Group, net: Net, options: Options, kept: bool) -> None:
    """Refuse processes with other nets or settings, or of which only some have a folder, before any of them waits.

    On other machines the path of the folder may be another; the first process alone uses it.
    """
    if group.size > 1:
        given = {name: value for name in SETTINGS if (value := getattr(options, name)) is not None}
        texts = {name: text_of_setting(name, value) for name, value in given.items()}
        refuse_unequal(group, {"net": digest_before(net)[:16], "folder": "given" if kept else "none", **texts})
