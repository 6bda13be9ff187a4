"""What made a number of a run NaN or infinite, kept on the disk so that it can be looked at and computed again."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from netwright.errors import FileError
from netwright.file.array_file import ArrayFile, read_arrays, read_header
from netwright.file.format import CASE_FILE, folder_path
from netwright.file.load import load
from netwright.file.save import save
from netwright.net.part import Net
from netwright.net.plan.plan import plan_of
from netwright.net.run.assemble import program_of
from netwright.net.surgery import hold_arrays
from netwright.regular import opened
from netwright.training.batch import Batch
from netwright.training.culprit import Culprit, first_broken, of_values
from netwright.training.engines.engine import Turn
from netwright.training.engines.flat import Flat
from netwright.training.engines.pick import engine_of
from netwright.training.folder.run_folder import KINDS
from netwright.training.loop import Loop
from netwright.training.prepare.arguments import PRECISIONS
from netwright.training.prepare.validate import measuring
from netwright.value import Value

CASE, NET = ".case", ".net"
INPUT, LENGTH, EXAMPLES, WEIGHTS = "input ", "length ", "examples", "weights"  # names of arrays in the file

NEEDED = ("prefix", "kind", "trained", "frozen", "turns")  # by `replay`; no turns where all arrays learn in every step


class Case(Value, eq=False):
    """A step of a run, or the validation after it, with a number that is not finite.

    Fields:
        what: the kind of number: "weights", "loss" or "gradient".
        path: the part that made it, or the array among the weights, as in the trained net.
        example: the example with which it was made; None for weights, and if no single example causes it.
        step: steps that were done before.
        validating: whether it was made on the validation data.
        seed: of the run.
        precision: of the run.
        net: the net with its loss, with its arrays as they were.
        examples: the numbers of the examples in the batch, (b,); empty for weights that no batch is needed for.
        inputs: the batch by port, as the net gets it: encoded, and padded where lengths differ.
        lengths: how long each example is, by the name of the size.
        weights: of the examples; None where all count the same.
    """

    what: str
    path: str
    example: int | None
    step: int
    validating: bool
    seed: int
    precision: str
    net: Net
    examples: Tensor
    inputs: Mapping[str, Tensor]
    lengths: Mapping[str, Tensor | int]
    weights: Tensor | None
    about: Mapping[str, Any]  # what `replay` needs besides

    def __repr__(self) -> str:
        data = "the validation data" if self.validating else "the batch"
        when = f"after step {self.step}" if self.validating or self.what == "weights" else f"step {self.step + 1}"
        whose = "" if self.example is None else f", example {self.example} of {data}"
        are = "are" if self.what == "weights" else "is"
        return f"Case: {when}, the {self.what} {are} not finite: {self.path or 'the loss'}{whose}"

    @torch.inference_mode(False)
    def replay(self) -> Culprit | None:
        """Compute the same again on the processor: what is not finite; None where all is finite now."""
        arrays, prefix = dict(self.net.held.arrays), str(self.about["prefix"])
        if not len(self.examples):
            kind = KINDS[self.about["kind"]]
            path = first_broken({p: a.to(kind) if a.is_floating_point() else a for p, a in arrays.items()})
            found = None if path is None else Culprit("weights", path)
        else:
            found = self._of_batch(Batch(self.inputs, self.examples, self.weights, self.lengths), arrays)
        return None if found is None else Culprit(found.what, found.path.removeprefix(prefix), found.example)

    def _of_batch(self, batch: Batch, arrays: dict[str, Tensor]) -> Culprit | None:
        plan = plan_of(self.net)
        if self.validating:
            bound = program_of(plan, [slot for _, slot in plan.wiring.outputs]).bind(arrays)
            return of_values(bound, batch.inputs, measuring(batch, bound.placement.dtype), batch.examples)
        precision, trained = PRECISIONS[self.precision], list[str](self.about["trained"])
        flat = Flat.of({path: arrays[path] for path in trained}, precision, torch.device("cpu"))
        rest = {path: array.clone() for path, array in arrays.items() if path not in flat.spans}
        given: list[Any] = self.about["turns"]
        turns = [Turn(part, loss, (slot[0], slot[1]), tuple(paths)) for part, loss, slot, paths in given]
        engine = engine_of(plan, flat, rest, precision, self.seed, frozenset(self.about["frozen"]), turns=turns)
        return engine.culprit(batch, self.step)


def write_case(loop: Loop, folder: Path) -> Path | None:
    """Write the case that ended a run: the net with its loss, and the batch; None where there is none.

    Raises: FileError where it cannot be written, or the loss is a function that no file can name.
    """
    found, prepared = loop.not_finite, loop.prepared
    if found is None:
        return None
    arrays: dict[str, Tensor] = {}
    lengths: dict[str, int] = {}
    if found.batch is not None:
        batch = found.batch
        arrays = {f"{INPUT}{port}": value for port, value in batch.inputs.items()}
        arrays |= {EXAMPLES: batch.examples, **({} if batch.weights is None else {WEIGHTS: batch.weights})}
        arrays |= {f"{LENGTH}{name}": n for name, n in batch.lengths.items() if isinstance(n, Tensor)}
        lengths = {name: n for name, n in batch.lengths.items() if isinstance(n, int)}
    precision = next(choice.value for choice in prepared.choices if choice.name == "precision")
    about = {
        "what": found.culprit.what, "path": found.culprit.path.removeprefix(prepared.prefix),
        "example": found.culprit.example, "step": loop.status.step, "validating": found.validating,
        "seed": prepared.seed, "precision": precision, "lengths": lengths, "prefix": prepared.prefix,
        "kind": str(prepared.kind).removeprefix("torch."), "trained": [*prepared.engine.paths],
        "frozen": sorted(prepared.frozen),
        "turns": [[turn.part, turn.loss, [*turn.slot], [*turn.paths]] for turn in prepared.engine.turns],
    }  # fmt: skip
    path = folder / f"case-{loop.status.step:012d}{CASE}"
    save(cast(Net, hold_arrays(prepared.net_with_loss, loop.state())), path.with_suffix(NET))
    ArrayFile.of({"case": about}, arrays).write(path, "the case", path)
    return path


def load_case(path: str | os.PathLike[str], *, functions: Mapping[str, Any] | None = None) -> Case:
    """Read why a run stopped with a number that is not finite, with the batch and the net, to compute it again.

    `case.replay()` finds the part and the example again, on any machine.

    Fields:
        path: of the run's folder, for its newest case, or of the file `case-….case`; the net lies beside it.
        functions: as in `nw.load`, for a net or a loss that is made of functions.

    Raises: FileError where there is no case, or a file of it is not as it was written.

    Example:
        >>> import netwright as nw, tempfile
        >>> net = nw.Chain(2, nw.log, nw.Linear(), input=nw.Vector(1), output=nw.Number())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     try:
        ...         run = nw.train(net, ([[1.0], [2.0]], [1, 2]), folder=folder, progress=False)
        ...     except nw.TrainingError:
        ...         case = nw.load_case(folder)
        >>> case
        Case: step 1, the loss is not finite: log1, example 1 of the batch
        >>> case.replay()
        Culprit(what='loss', path='log1', example=1)
    """
    place = folder_path(path)
    if place.is_dir():
        cases = sorted(place.glob(f"case-*{CASE}"))
        if not cases:
            raise FileError(
                what="no case is in this folder",
                where=os.fspath(place),
                expected="the folder of a run that stopped since a number was not finite",
            )
        place = cases[-1]
    try:
        with opened(place) as file:
            content, entries = read_header(cast(Any, file), CASE_FILE)
            arrays = read_arrays(cast(Any, file), content, entries)
        about = content["case"]
        return _case(about, arrays, load(place.with_suffix(NET), functions=functions))
    except FileError as error:
        raise error.within(os.fspath(place)) from None
    except (OSError, KeyError, TypeError) as error:
        got = error.strerror if isinstance(error, OSError) else str(error)
        raise FileError(what="this is not the file of a case", where=os.fspath(place), got=got or "") from None


def _case(about: Mapping[str, Any], arrays: Mapping[str, Tensor], net: Net) -> Case:
    lengths = {name.removeprefix(LENGTH): n for name, n in arrays.items() if name.startswith(LENGTH)}
    return Case(
        what=about["what"],
        path=about["path"],
        example=about["example"],
        step=about["step"],
        validating=about["validating"],
        seed=about["seed"],
        precision=about["precision"],
        net=net,
        examples=arrays.get(EXAMPLES, torch.empty(0, dtype=torch.int64, device="cpu")),
        inputs={name.removeprefix(INPUT): value for name, value in arrays.items() if name.startswith(INPUT)},
        lengths={**about["lengths"], **lengths},
        weights=arrays.get(WEIGHTS),
        about={"turns": [], **{name: about[name] for name in NEEDED if name in about}},
    )
