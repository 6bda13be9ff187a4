"""Checks one net, with any leaves of the user's own, against the laws of all nets, and names the part that fails."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch

from netwright.causality.causality import Causality, causality, offsets_of, sight_of
from netwright.changes.diff import diff
from netwright.check.batches import BatchTrial, shown_path
from netwright.check.cases import Cases, drawn, given
from netwright.check.steps import Pieces
from netwright.errors import FileError, NetError, NetwrightError, SizeError
from netwright.file.load import load
from netwright.file.save import save
from netwright.net.initialize import initialize
from netwright.net.node import PARTS, Held, Node, expect_net
from netwright.net.part import Net
from netwright.net.plan.each import EachEntry
from netwright.net.plan.plan import ranked, shape_text
from netwright.seeds import drawing_from, seed_of
from netwright.sizes.size import Expression, evaluate, unknowns
from netwright.sizes.unify import Row
from netwright.value import Value, few_lines

Verdict: TypeAlias = Literal["proved", "shown", "does not apply", "FAILED"]


class Finding(Value):
    """The finding for one law.

    Fields:
        law: its number in the design, and what it is about: `"3 batches"`.
        verdict: `"proved"` for all inputs; `"shown"`, no example that was tried contradicts it; `"does not apply"`;
            `"FAILED"`.
        text: what was seen, or why it does not apply.
        place: the path of the first part at which it fails; else empty.
    """

    law: str
    verdict: Verdict
    text: str
    place: str = ""

    def __str__(self) -> str:
        return f"law {self.law}: {self.verdict}{f' at {self.place}' if self.place else ''}: {self.text}"


class Checked(Value):
    """What `nw.check` found; prints a line for each law.

    Fields:
        tried: the examples that it was tried on.
        findings: one for each law and what it is about.
    """

    tried: str
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether no law failed."""
        return not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The laws that failed."""
        return tuple(finding for finding in self.findings if finding.verdict == "FAILED")

    def __repr__(self) -> str:
        return few_lines(str(self))

    def __str__(self) -> str:
        return "\n".join([self.tried, *map(str, self.findings)])


def check(net: Net, data: Any = None, *, seed: int = 0) -> Checked:
    """Check that a net, such as one with a leaf of your own, keeps the laws of all nets, and report the findings.

    - Law 2: every value has the size that was solved for it.
    - Law 3: an example gives the same alone, padded, and in a batch with others: outputs, and gradients of arrays and
      inputs, to 1e-10 in float64, in use and in training, dropout included, whatever the padding is (its last element,
      other examples, ±10,000). For a norm that takes statistics of its batch in training the law is weaker: more
      padding changes nothing.
    - Law 4: what the outputs see along every named size, and that no value sees more than the leaves declare; and,
      if the net unfolds, that it gives the same piece by piece and at once.
    - Law 6: the net that is saved and loaded is equal, and so is the net that its `repr` gives.

    Where a law fails, the first part whose values differ is named. Nothing is trained and no file is left. Missing
    arrays are drawn, as by `nw.initialize`.

    Fields:
        data: examples to try it on, as a call of the net takes them: a list, or for several inputs a mapping from port
            to list; the first 6 are used. None draws random ones of several lengths that fit the ports.
        seed: of what is drawn.

    Raises: SizeError for a net whose arrays have open sizes; DataError for examples that do not fit.

    Example:
        >>> import netwright as nw
        >>> class Centred(nw.Leaf):
        ...     "Subtracts the mean over positions, padding and all, yet says that padding changes nothing."
        ...     ports = "n d -> n d"
        ...     ignores_padding = True
        ...     def forward(self, w, x):
        ...         return x - x.mean(1, keepdim=True)
        >>> checked = nw.check(nw.Chain(nw.Linear(3), Centred(), nw.relu, input=("n", 2)))
        >>> checked.holds, checked.failed[0].law, checked.failed[0].place
        (False, '3 batches', 'centred1')
    """
    expect_net(net, "check")
    with drawing_from(seed_of(seed)):  # for code of the user's own that draws by itself
        return _checked(net, data, seed)


def _checked(net: Net, data: Any, seed: int) -> Checked:
    whole = initialize(net, seed).to("cpu")  # float64 is not everywhere
    drew = "" if len(whole.held.arrays) == len(net.held.arrays) else "; arrays that the net does not hold are drawn"
    trying = _trying(whole, data, seed)
    findings: list[Finding] = []
    if isinstance(trying, Cases):
        tried = trying.said
        findings += [_sizes(trying), _batches(trying)]
    else:
        tried = trying.text
        findings += [trying, replace(trying, law="3 batches", verdict="does not apply", place="")]
    for along in whole.plan.varying:
        findings += [_sight(whole, along), _steps(trying, along)]
    if not whole.plan.varying:
        findings.append(Finding("4 sight", "does not apply", "no input has a size that varies"))
    return Checked(tried + drew, (*findings, _file(whole), _text(whole)))


def _trying(net: Net, data: Any, seed: int) -> Cases | Finding:
    """Examples that the net runs on, or why there are none."""
    if data is not None:
        cases = given(net, data)
        _run(cases)
        return cases
    error: Exception | None = None
    for cases in drawn(net, seed):
        try:
            if all(value.isfinite().all() for values in _run(cases) for value in values):
                return cases
        except Exception as raised:  # a user's code may raise anything
            error = error or raised
    if isinstance(error, SizeError):
        return Finding("2 sizes", "FAILED", error.what, shown_path(error.where))
    if error is not None:
        said = error.what if isinstance(error, NetwrightError) else f"{type(error).__name__}: {error}"
        return Finding(
            "2 sizes", "does not apply", f"the net does not run on random examples: {said}; data= gives others"
        )
    if next(drawn(net, seed), None) is None:
        sizes = ", ".join(f"{name} {shape_text(shape)}" for name, shape in net.plan.inputs.items())
        return Finding("2 sizes", "does not apply", f"no random examples fit inputs of these sizes: {sizes}")
    return Finding("2 sizes", "does not apply", "random examples give no finite numbers; data= gives others")


def _run(cases: Cases) -> list[tuple[torch.Tensor, ...]]:
    trial = BatchTrial(cases, training=False)
    return [trial.run(cases.alone(i), trial.slots).values for i in range(len(cases))]


def _sizes(cases: Cases) -> Finding:
    """Law 2."""
    plan = cases.plan
    law = "2 sizes"
    trial = BatchTrial(cases, training=False)
    slots = [s for step in plan.steps if not isinstance(step.leaf, EachEntry) for s in step.writes]
    known = [slot for slot in slots if _solved(plan.whole_shape(slot))]
    for i in range(len(cases)):
        batch = cases.alone(i)
        lengths = {name: int(length.max()) for name, length in batch.lengths.items()}
        for slot, value in zip(known, trial.run(batch, known).values, strict=True):
            sizes = [size for size in plan.whole_shape(slot) if not isinstance(size, Row)]
            solved = tuple(evaluate(size, lengths) for size in sizes)
            if solved != tuple(value.shape[1:]):
                text = f"solved {shape_text(solved)}, came out {shape_text(tuple(value.shape[1:]))}"
                return Finding(law, "FAILED", text, shown_path(slot[0]))
    rest = f"; {len(slots) - len(known)} more are left open" if len(known) < len(slots) else ""
    return Finding(law, "shown", f"{_count(len(known))} the sizes that were solved{rest}")


def _solved(shape: tuple[Any, ...]) -> bool:
    return ranked(shape) and not any(isinstance(size, Expression) and unknowns(size) for size in shape)


def _batches(cases: Cases) -> Finding:
    """Law 3."""
    law = "3 batches"
    statistics = False
    for training in (False, True):
        trial = BatchTrial(cases, training)
        try:
            found = trial.difference()
        except Exception as error:  # it runs alone, and a user's code may fail in a batch
            return Finding(law, "FAILED", f"runs alone, but not in a batch: {type(error).__name__}: {error}")
        if found is not None:
            return Finding(law, "FAILED", str(found), found.place)
        statistics |= trial.statistics
    how = "alone = padded = batched" if cases.varying else "alone = batched"
    more = "; in training a norm sees its batch, and more padding changes nothing" if statistics else ""
    return Finding(law, "shown", f"{how}, outputs and gradients, in use and in training{more}")


def _sight(net: Net, along: str) -> Finding:
    """Law 4: what is seen, and that no leaf sees more than it says."""
    law = f"4 sight along {along}"
    for training in (False, True):
        place = _sees_more(net, along, training)
        if place:
            mode = "in training" if training else "in use"
            return Finding(law, "FAILED", f"it sees farther than it says, {mode}, shown by perturbation", place)
    used, trained = causality(net, along), causality(net, along, training=True)
    proved = all(one.verdict in ("proved", "whole") for one in (*used.dependencies, *trained.dependencies))
    text = _seen(used)
    if _seen(trained) != text:
        text += f"; in training: {_seen(trained)}"
    return Finding(law, "proved" if proved else "shown", text or "no output depends on it")


def _seen(found: Causality) -> str:
    return "; ".join(map(str, found.dependencies)).replace(": proved", "")


def _sees_more(net: Net, along: str, training: bool) -> str:
    """The path of the first value that changes with positions it is not to see; empty where none does."""
    sight = sight_of(net, along, training)
    steps = [step for step in net.plan.steps if not step.within and not isinstance(step.leaf, EachEntry)]
    for source in sight.sources:
        slots = [
            slot for step in steps for slot in step.writes if source in sight.of(slot) and sight.axis(slot) is not None
        ]
        found = offsets_of(net, sight, source, *slots) if slots else None
        for slot, offsets in (found or {}).items():
            low, high = sight.of(slot)[source]
            if not all(low <= offset <= high for offset in offsets):
                return shown_path(slot[0])
    return ""


def _steps(cases: Cases | Finding, along: str) -> Finding:
    """Law 4: piece by piece as at once."""
    law = f"4 steps along {along}"
    if not isinstance(cases, Cases):
        return Finding(law, "does not apply", cases.text)
    try:
        pieces = Pieces(cases, along)
    except NetError as error:
        where = f", at {shown_path(error.where)}" if error.where and error.where != "unfold" else ""
        return Finding(law, "does not apply", f"{error.what}{where}")
    found = pieces.difference()
    if found is not None:
        return Finding(law, "FAILED", str(found), found.place)
    return Finding(law, "shown", "fed one by one, in uneven pieces and whole it gives the same")


def _file(net: Net) -> Finding:
    """Law 6: saved and loaded."""
    law = "6 file"
    supplied: dict[str, list[Any]] = {}
    for step in net.plan.steps:
        name, code = step.leaf.code() or ("", None)
        if not any(code is known for known in supplied.setdefault(name, [])):
            supplied[name].append(code)
    functions = {name: code if len(code) > 1 else code[0] for name, code in supplied.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "checked.net")
        try:
            save(net, path)
        except FileError as error:
            return Finding(law, "does not apply", f"it cannot be saved: {error.what}")
        try:
            loaded = load(path, functions=functions)
        except FileError as error:
            return Finding(law, "FAILED", error.what)
    if loaded == net:
        return Finding(law, "proved", "saved and loaded it is equal")
    changed = next((change for change in str(diff(net, loaded)).splitlines() if not change.startswith("kept")), "")
    return Finding(law, "FAILED", f"saved and loaded it is another net{f': {changed}' if changed else ''}")


def _text(net: Net) -> Finding:
    """Law 6: what its `repr` says."""
    law = "6 text"
    if any(step.leaf.code() is not None for step in net.plan.steps):
        return Finding(law, "does not apply", "it holds code that a repr only names")
    bare = net.rebuilt(Held(inputs=net.held.inputs, outputs=net.held.outputs, shared=net.held.shared))
    ours = sys.modules["netwright"]  # under its own name a repr has what is not among the public names
    names: dict[str, Any] = {**PARTS, **vars(ours), "nw": ours, "netwright": ours}
    try:
        again = eval(repr(bare), names)  # the text is the net's own
    except Exception as error:
        return Finding(law, "FAILED", f"its repr does not evaluate: {type(error).__name__}: {error}")
    if isinstance(again, Node) and again == bare:
        return Finding(law, "proved", "its repr, evaluated, is equal but for the arrays")
    return Finding(law, "FAILED", f"its repr, evaluated, is another net: {again!r:.100}")


def _count(number: int) -> str:
    return f"{number} values have" if number != 1 else "1 value has"
