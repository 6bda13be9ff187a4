"""Nets as estimators with the interface of scikit-learn: in its pipelines, grid searches and cross-validations."""

from typing import Any, Self, cast

import numpy as np

from netwright.codecs.category import Category
from netwright.codecs.codec import Codec
from netwright.codecs.labels import Labels
from netwright.codecs.number import Number, Vector
from netwright.codecs.reading import Decision, Reading, raw
from netwright.codecs.table.rows import is_frame
from netwright.data.table import table
from netwright.editing.set_fields import set as set_fields
from netwright.errors import DataError, NetError, missing_extra
from netwright.models.tabular import net_of_rows
from netwright.net.part import Net
from netwright.training.train import train

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # pyright: ignore[reportMissingImports]
    from sklearn.utils import (  # pyright: ignore[reportMissingImports]
        check_array,
        check_consistent_length,
        check_random_state,
        column_or_1d,
    )
    from sklearn.utils.multiclass import (  # pyright: ignore[reportMissingImports]
        check_classification_targets,
        type_of_target,
    )
    from sklearn.utils.validation import check_is_fitted, validate_data  # pyright: ignore[reportMissingImports]
except ImportError:
    missing_extra("scikit-learn", "sklearn", "netwright.sklearn")

Estimator = cast(Any, BaseEstimator)  # scikit-learn has no types
Classifying, Regressing = cast(Any, ClassifierMixin), cast(Any, RegressorMixin)
PATH = "net__"
TARGET = "target of the frame"  # a name that no column of a frame is likely to have
SEEDS = np.iinfo(np.int32).max
MOST_REPEATS = 10  # rows in the place of one, on average; beyond it, repeating them takes more time than it is worth


class _NetEstimator(Estimator):
    """What both estimators share: the settings, the reading of inputs, and training."""

    def __init__(
        self,
        net: Net | None = None,
        *,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        validation: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.net = net
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation = validation
        self.random_state = random_state

    def set_params(self, **params: Any) -> Self:
        """Set parameters; `net__` before a path and a field sets a field of the net, as `nw.set` does."""
        fields = {name.removeprefix(PATH): params.pop(name) for name in [*params] if name.startswith(PATH)}
        super().set_params(**params)
        if fields and self.net is None:
            raise NetError(what="there is no net whose fields can be set", got=", ".join(fields), mend="net=…")
        if fields:
            self.net = set_fields(cast(Net, self.net), fields)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _fit(self, rows: Any, targets: Any, weights: Any, output: Codec) -> Self:
        """Train the net, or the default one, on checked inputs and targets, and weights of some rows or None.

        The order of the rows does not matter: they are sorted before the seed says how they are shuffled.
        """
        net = net_of_rows(_encoder(rows, targets), output) if self.net is None else self.net
        name = net.output_names[0]
        if name not in net.held.outputs or not net.held.outputs[name].fitted:
            net = net.with_output(output)
        state = self.random_state
        run = train(
            net,
            (rows, targets),
            weights=weights,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            validation=self.validation,
            seed=0 if state is None else int(check_random_state(state).randint(SEEDS)),
            progress=False,
        )
        self.net_ = run.net
        self.n_iter_ = len(run.epochs)
        return self

    def _training_rows(self, x: Any, y: Any, sample_weight: Any, **checks: Any) -> tuple[Any, Any, Any]:
        """Inputs, targets and weights, checked, and the rows sorted; no weights where all rows count alike.

        Inputs are a frame, if not all of its columns are numbers, or else an array. A row of weight 0 is left out. A
        row whose weight is a whole number stands so often, so that weights mean what repeated rows mean. Other weights
        are those of `nw.train`; so are all if a part of the rows validates, where a row must not stand in both parts.
        """
        if y is not None and _has_other_columns(x):
            validate_data(self, x, y, skip_check_array=True)
            check_consistent_length(x, y)
            rows, targets = x, np.asarray(y)
        else:  # refuses targets that are None
            found: Any = validate_data(self, x, cast(Any, y), accept_sparse="csr", multi_output=True, **checks)
            rows, targets = (_dense(part) for part in found)
        given = None if sample_weight is None else _checked_weights(sample_weight, targets)
        index = _sorted_places(rows, targets)
        if given is None:
            return _picked(rows, index), targets[index], None
        index = index[given[index] > 0]
        weights = given[index]
        whole = not (weights % 1).any() and weights.sum() <= MOST_REPEATS * len(weights)
        if whole and self.validation is None:
            index, weights = index.repeat(weights.astype(int)), None
        return _picked(rows, index), targets[index], weights

    def _answers(self, x: Any, reading: Reading) -> Any:
        check_is_fitted(self, "net_")
        rows = validate_data(self, x, reset=False, accept_sparse="csr", skip_check_array=_has_other_columns(x))
        return self.net_(_dense(rows), reading)


class NetClassifier(Classifying, _NetEstimator):
    """A net as a classifier of scikit-learn.

    Targets are classes, or a matrix of zeros and ones with a column for each label, of which a row has any number.

    Fields:
        net: reads vectors, or rows of a frame through `nw.Record`, and ends in `nw.softmax`, or in `nw.sigmoid` for
            labels; None is the net of `nw.tabular`. It is trained anew by each `fit`.
        epochs, batch_size, learning_rate, validation: as of `nw.train`.
        random_state: a seed or a generator of numpy; None is the seed 0, so that runs are repeatable.

    After `fit`: `net_`, the trained net; `classes_`; `n_iter_`, the epochs; `n_features_in_`, and `feature_names_in_`
    of a frame.

    Raises: DataError for targets of a single class.

    Example:
        >>> import numpy as np
        >>> from netwright.sklearn import NetClassifier
        >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
        >>> y = np.where(x[:, 0] > 0, "right", "left")
        >>> str(NetClassifier(epochs=60).fit(x, y).predict([[0.9, 0.9]])[0])
        'right'
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the net on rows and their classes; `sample_weight` (n,) says how much each row counts."""
        rows, targets, weights = self._training_rows(X, y, sample_weight)
        check_classification_targets(targets)
        self._labels_type = targets.dtype if type_of_target(targets) == "multilabel-indicator" else None
        if self._labels_type is not None:
            self.classes_ = np.arange(targets.shape[1])
            labels = [np.flatnonzero(row).tolist() for row in targets]
            return self._fit(rows, labels, weights, Labels(range(targets.shape[1])))
        self.classes_, indices = np.unique(column_or_1d(targets, warn=True), return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(what="a classifier needs targets of two classes or more", got="1 class")
        return self._fit(rows, indices, weights, Category(range(len(self.classes_))))

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, or of each label by itself, for each row, in the order of `classes_`."""
        return self._answers(X, raw).double().numpy()

    def predict(self, X: Any) -> Any:
        """The most probable class of each row; of labels a 1 for each that has a probability of at least 0.5."""
        chances = self.predict_proba(X)
        if self._labels_type is not None:
            return (chances >= 0.5).astype(self._labels_type)
        return self.classes_[chances.argmax(1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class NetRegressor(Regressing, _NetEstimator):
    """A net as a regressor of scikit-learn, for one number a row or several.

    Fields:
        net: reads vectors, or rows of a frame through `nw.Record`, and gives numbers; None is the net of `nw.tabular`.
            It is trained anew by each `fit`.
        epochs, batch_size, learning_rate, validation: as of `nw.train`.
        random_state: a seed or a generator of numpy; None is the seed 0, so that runs are repeatable.

    After `fit`: `net_`, the trained net; `n_iter_`, the epochs; `n_features_in_`, and `feature_names_in_` of a frame.

    Example:
        >>> import numpy as np
        >>> from netwright.sklearn import NetRegressor
        >>> x = np.linspace(-1, 1, 40).reshape(20, 2)
        >>> model = NetRegressor(epochs=200).fit(x, 3 * x[:, 0])
        >>> bool(abs(model.predict([[0.5, 0.55]])[0] - 1.5) < 0.3)
        True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the net on rows and their numbers; `sample_weight` (n,) says how much each row counts."""
        rows, numbers, weights = self._training_rows(X, y, sample_weight, y_numeric=True)
        numbers = np.asarray(numbers, dtype=np.float64)
        return self._fit(rows, numbers, weights, Number() if numbers.ndim == 1 else Vector(numbers.shape[1]))

    def predict(self, X: Any) -> Any:
        """The number, or the numbers, of each row."""
        return np.asarray(self._answers(X, Decision()))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _has_other_columns(x: Any) -> bool:
    """Whether it is a frame with columns that are no numbers."""
    return is_frame(x) and not all(getattr(kind, "kind", "O") in "iuf" for kind in getattr(x, "dtypes", ()))


def _dense(values: Any) -> Any:
    """An array; of a sparse matrix the one that it stands for."""
    return values.toarray() if hasattr(values, "toarray") else values


def _checked_weights(given: Any, targets: Any) -> Any:
    weights = column_or_1d(check_array(given, ensure_2d=False, dtype="float64", input_name="sample_weight"))
    check_consistent_length(targets, weights)
    if (weights < 0).any():
        raise DataError(what="a weight is negative", where="sample_weight", got=f"{weights.min()}")
    if not weights.any():
        raise DataError(what="the sample weights are all zero, so no row counts", where="sample_weight")
    return weights


def _sorted_places(rows: Any, targets: Any) -> Any:
    """The places of the rows, sorted by their values and targets."""
    columns = [_codes(rows[name]) for name in rows] if is_frame(rows) else [*rows.T]
    return np.lexsort([*map(_codes, targets.reshape(len(targets), -1).T), *columns])


def _codes(column: Any) -> Any:
    """A number for each value, equal where the values are."""
    return np.unique(np.asarray(column).astype(str), return_inverse=True)[1]


def _picked(rows: Any, index: Any) -> Any:
    return rows.iloc[index] if is_frame(rows) else rows[index]


def _encoder(rows: Any, targets: Any) -> Codec:
    """The encoder of the default net: of the columns of a frame, or of vectors."""
    return table(rows.assign(**{TARGET: targets}), TARGET).input if is_frame(rows) else Vector().fit(rows)
