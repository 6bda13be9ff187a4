"""The rules of a diagnosis: from what was seen of a run to findings, each with its number and one remedy.

Each threshold was fixed on MNIST (2,000 digits, as classes and as numbers). There were 22 runs of a few epochs that
learn: MLPs, deep ones with tanh and batch norm, convolutions, dropout, Adam and SGD; and 25 sick ones, some of them
only a little. A comment has the values of both; the threshold is about the geometric mean of the nearest.
"""

import re
from collections.abc import Iterator

from netwright.diagnosis.curves import beginning, fallen, late_fall, overfitting, rise
from netwright.diagnosis.inspection import Inspection
from netwright.training.result import Run
from netwright.value import Value

LONG = 200.0  # length of the first gradient: at most 12.6 in runs that learn, 294 and more with larger first weights
RISEN = 2.3  # the loss by the first one: at most 1.2 in runs that learn, 1.6 at tiny rates, 3.3 at a rate of 0.3
FAR = 5.0  # way of a matrix by its length: at most 4.1 in runs that learn, 7.7 and more at rates of 0.1 and above …
LEFT = 0.6  # … where 0.95 of the loss is left; at most 0.38 in runs that learn
DEAD = 0.75  # of the units of a part: at most 0.2 in runs that learn, 0.56 at a rate of 0.03, 1.0 in dead ones
WEAK = 0.005  # the weakest gradient by the strongest: at least 0.0059 with 5 sigmoids, which learn, 0.0023 with 6 …
NOT_LEARNED = 0.3  # … where 0.38 of the loss is left; at most 0.2 with fewer
NEAR = 0.15  # way of a matrix by its length: at least 0.2 in runs that learn, 0.076 at a rate of 3e-5, and …
LATE = 0.25  # … the part of the fall in the second half: at most 0.21 and 0.4, or LEFT: 0.38 and 0.89 at 1e-5
NAIVE = 0.97  # the loss by the naive one: at most 0.5 in runs that learn, 1.0 with shuffled labels
FEW = 5  # examples that a class must have to be missed: 10 of the class that was never predicted
WORSE = 0.25  # the rise of the validation loss: at most 0.18 in runs that learn, 0.48 in one that learns by heart …
MUCH = 0.05  # … and by the first training loss, since a tiny loss doubles easily: 0.024 and 0.125


class Symptom(Value):
    """One thing that is wrong with a run.

    Fields:
        kind: what it is, in a few words.
        where: the path of a part or an array, a class, or an epoch; empty where it is of the whole run.
        number: by which it was found; `text` says what it is.
        text: the finding in a sentence.
        remedy: what to do about it first.
    """

    kind: str
    where: str
    number: float
    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.kind}{f' ({self.where})' if self.where else ''}: {self.text}\n     remedy: {self.remedy}"


def findings(run: Run, moved: float | None, seen: Inspection | None) -> list[Symptom]:
    """What is wrong with a run, causes before their effects; `moved` is the largest way of a matrix by its length."""
    first = 0.0 if not run.losses else beginning(run.losses) if seen is None else seen.first.loss
    high = [*_too_high(run, moved, first)]
    low = [] if high else [*_too_low(run, moved, first)]  # of two remedies one would undo the other
    found = [*_exploding(seen), *high, *_dead(seen), *_vanishing(run, seen, first), *low]
    return [*found, *_leaks(run), *_naive(seen), *_unpredicted(seen), *_overfitting(run, first)]


def _exploding(seen: Inspection | None) -> Iterator[Symptom]:
    if seen is not None and not seen.first.length <= LONG:  # it may be no number
        text = f"the first gradient has the length {seen.first.length:,.3g}; that of runs that learn is below {LONG:g}"
        remedy = "net.bare(), for new weights of the usual size, or nw.LayerNorm() after each layer"
        yield Symptom("gradient explodes", seen.first.strongest, seen.first.length, text, remedy)


def _too_high(run: Run, moved: float | None, first: float) -> Iterator[Symptom]:
    rate = _rate(run)
    remedy = f"learning_rate={rate / 10:.2g}" if rate else "a tenth of the learning rate"
    kind, broken = "rate too high", "not finite" in run.ended
    if broken:
        text = f"{run.ended} after step {len(run.losses):,}"
        yield Symptom(kind, "", rate or 0.0, text + (f", at a rate of {rate:g}" if rate else ""), remedy)
    elif run.losses and (risen := rise(run.losses, first)) > RISEN:
        yield Symptom(kind, "", risen, f"the training loss rose to {risen:.2g} times the first one", remedy)
    elif run.losses and moved is not None and moved > FAR and (left := fallen(run.losses, first)) > LEFT:
        text = f"a matrix moved {moved:.2g} times its length, and {left:.0%} of the training loss is left"
        yield Symptom(kind, "", moved, text, remedy)


def _dead(seen: Inspection | None) -> Iterator[Symptom]:
    for path, share in seen.dead.items() if seen is not None else ():
        if share > DEAD:
            text = f"{share:.0%} of its units give 0 for all examples that were looked at, so they learn nothing"
            yield Symptom("dead units", path, share, text, f"nw.leaky_relu in place of {path}, from new weights")
            return  # those behind it are its effect


def _vanishing(run: Run, seen: Inspection | None, first: float) -> Iterator[Symptom]:
    if seen is None or not run.losses:
        return
    path, weakest = seen.first.weakest
    if weakest < WEAK and fallen(run.losses, first) > NOT_LEARNED:
        text = f"its first gradient, by its length, is {weakest:.2g} of the strongest one"
        remedy = "nw.relu or nw.gelu in place of functions that flatten out, or nw.LayerNorm() before them"
        yield Symptom("gradient vanishes", path, weakest, text, remedy)


def _too_low(run: Run, moved: float | None, first: float) -> Iterator[Symptom]:
    if not run.losses or moved is None or not 0 < moved < NEAR:
        return
    left, late, rate = fallen(run.losses, first), late_fall(run.losses), _rate(run)
    if left > LEFT or late > LATE:
        text = f"no matrix moved more than {moved:.2g} of its length, and {left:.0%} of the training loss is left"
        remedy = f"learning_rate={rate * 10:.2g}" if rate else "ten times the learning rate"
        yield Symptom("rate too low", "", moved, text, remedy)


def _leaks(run: Run) -> Iterator[Symptom]:
    for choice in run.choices:
        if choice.name == "validation" and "also in the training data" in choice.value:
            count = re.search(r"[\d,]+", choice.value)
            number = float(count.group().replace(",", "")) if count else 0.0
            text = f"{choice.value}: {choice.why.partition(';')[0]}"
            yield Symptom("validation examples in training", "", number, text, "nw.split(data, by=…)")


def _naive(seen: Inspection | None) -> Iterator[Symptom]:
    if seen is not None and seen.naive is not None and seen.naive > NAIVE:
        text = f"the loss of the best epoch is {seen.naive:.0%} of that of an answer that does not look at the input"
        remedy = "look at some examples: do inputs and targets belong together, and do the inputs tell the targets?"
        yield Symptom("no better than the naive answer", "", seen.naive, text, remedy)


def _unpredicted(seen: Inspection | None) -> Iterator[Symptom]:
    classes = {} if seen is None else seen.unpredicted
    missed = {name: count for name, count in classes.items() if count >= FEW}
    if missed:
        name = max(missed, key=missed.__getitem__)
        count = missed[name]
        more = f", as for {len(missed) - 1} more class{'' if len(missed) == 2 else 'es'}" if len(missed) > 1 else ""
        text = f"{count:,} examples that were looked at have it, and the best net gives it for none{more}"
        yield Symptom("class never predicted", name, count, text, f"class_weights={{{name!r}: …}}, above 1")


def _overfitting(run: Run, first: float) -> Iterator[Symptom]:
    epoch, risen, much = overfitting(run.epochs)
    if risen > WORSE and much > MUCH * first:
        text = f"since then the validation loss rose by {risen:.0%}, while the training loss fell"
        yield Symptom(
            "overfitting", f"epoch {epoch}", risen, text, "more examples, or nw.Dropout() before the last layer"
        )


def _rate(run: Run) -> float | None:
    """The peak learning rate of arrays without a rate of their own."""
    said = next((choice.value for choice in run.choices if choice.name == "learning rate"), "")
    try:
        return float(said.partition(",")[0])
    except ValueError:  # rates by path alone
        return None
