"""Splits data into a part that trains and a part that validates: by groups, by classes, by time, or by chance."""

from typing import Any, TypeVar, overload

from torch.utils.data import Dataset

from netwright.data.held_out import latest, of_each_class, random_parts, single_classes, whole_groups
from netwright.data.splittable import splittable
from netwright.errors import DataError
from netwright.fetch import words_to_stderr
from netwright.fields import expect_seed

D = TypeVar("D")
T = TypeVar("T")
SHOWN = 5  # classes that the notice names


@overload
def split(
    data: Dataset[T],
    validation: float | int = 0.1,
    *,
    by: Any = None,
    stratify: Any = None,
    time: Any = None,
    seed: int = 0,
) -> tuple[Dataset[T], Dataset[T]]: ...
@overload
def split(
    data: D, validation: float | int = 0.1, *, by: Any = None, stratify: Any = None, time: Any = None, seed: int = 0
) -> tuple[D, D]: ...
def split(
    data: Any, validation: float | int = 0.1, *, by: Any = None, stratify: Any = None, time: Any = None, seed: int = 0
) -> tuple[Any, Any]:
    """Split data into the examples that train and those that validate, both in the form of the data.

    Without `by`, `stratify` and `time` the examples are chosen by chance, the same ones as `nw.train(…, validation=…)`
    holds out with the same seed. The choice depends only on the arguments and on the order of the data. Both parts keep
    that order.

    `by`, `stratify` and `time` each take the name of a column, a sequence with one value for each example, or a
    function of a row. The columns of a pair are called "input" and "target". In data with named columns, a column that
    `by` or `time` names is left out of both parts, since a net rarely has a port for it; to keep it, give its values:
    `by=data["page"]`.

    Args:
        data: two columns `(inputs, targets)`, a dict of columns, a list of rows, a data set's part, one array, a table
            of pandas, Arrow or datasets, or a torch Dataset, of which the parts are views.
        validation: the share that validates (a float between 0 and 1), or the number of examples (an int). A tenth
            leaves most of the data for training.
        by: the group of each example, such as its page, patient or author. All examples of a group are in one part; the
            size of the validation part is as near as possible to the wanted one.
        stratify: the class of each example. Each class has its share in both parts, rounded by the method of the
            largest remainder. An example that is the only one of its class trains.
        time: when each example was made. The latest examples validate; those of equal time are in one part.
        seed: which groups or examples are chosen; `time` does not depend on it.

    Returns:
        The pair (training, validation), for `nw.train(net, training, validation=validation)`.

    Raises:
        DataError: an unknown column; one group, or one time, for all examples; no class with two examples; not one
            value for each example; two of `by`, `stratify` and `time`; a stream.

    Example:
        >>> rows = [{"page": i // 3, "input": i, "target": i % 2} for i in range(9)]
        >>> training, validation = split(rows, 0.3, by="page")
        >>> len(training), len({row["input"] // 3 for row in validation})
        (6, 1)

    Torch: torch.utils.data.random_split; in scikit-learn: train_test_split, GroupShuffleSplit, TimeSeriesSplit.
    """
    seed = expect_seed(seed, "split")
    given = {name: value for name, value in (("by", by), ("stratify", stratify), ("time", time)) if value is not None}
    if len(given) > 1:
        raise DataError(
            what=f"{' and '.join(given)} are given together, and one split cannot keep both",
            where="split",
            expected="one of by, stratify and time",
            mend=f"{next(iter(given))}=… alone",
        )
    examples = splittable(data)
    if not given:
        parts = random_parts(examples.n, validation, seed)
    else:
        ((name, said),) = given.items()
        values = examples.values(said, name)
        if name == "by":
            parts = whole_groups(values, validation, seed)
        elif name == "time":
            parts = latest(values, validation)
        else:
            parts = of_each_class(values, validation, seed)
            _say_single(single_classes(values))
    without = [said for name, said in given.items() if name != "stratify" and isinstance(said, str)]
    return examples.part(parts[0], without), examples.part(parts[1], without)


def _say_single(names: list[Any]) -> None:
    """Say which classes are not validated."""
    if names:
        shown = ", ".join(map(repr, names[:SHOWN])) + (", …" if len(names) > SHOWN else "")
        one = "1 class has one example, which trains" if len(names) == 1 else (
            f"{len(names):,} classes have one example, which trains"
        )  # fmt: skip
        words_to_stderr(f"{one}: {shown}")
