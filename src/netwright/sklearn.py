"""Nets as estimators with the interface of scikit-learn: in its pipelines, grid searches and cross-validations."""

from typing import Any, Self, cast

import numpy as np

from netwright.codecs.category import Category
from netwright.codecs.codec import Codec
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
    from sklearn.utils import check_random_state, column_or_1d  # pyright: ignore[reportMissingImports]
    from sklearn.utils.multiclass import check_classification_targets  # pyright: ignore[reportMissingImports]
    from sklearn.utils.validation import check_is_fitted, validate_data  # pyright: ignore[reportMissingImports]
except ImportError:
    missing_extra("scikit-learn", "sklearn", "netwright.sklearn")

Estimator = cast(Any, BaseEstimator)  # scikit-learn has no types
Classifying, Regressing = cast(Any, ClassifierMixin), cast(Any, RegressorMixin)
PATH = "net__"
TARGET = "target of the frame"  # a name that no column of a frame is likely to have
SEEDS = np.iinfo(np.int32).max


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

    def _fit(self, rows: Any, targets: Any, output: Codec) -> Self:
        """Train the net, or the default one, on checked inputs and targets."""
        net = net_of_rows(_encoder(rows, targets), output) if self.net is None else self.net
        name = net.output_names[0]
        if name not in net.held.outputs or not net.held.outputs[name].fitted:
            net = net.with_output(output)
        state = self.random_state
        run = train(
            net,
            (rows, targets),
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

    def _training_rows(self, x: Any, y: Any, **checks: Any) -> tuple[Any, Any]:
        """Inputs and targets, checked: a frame whose columns are not all numbers as it is, all else as an array."""
        if y is not None and _has_other_columns(x):
            validate_data(self, x, y, skip_check_array=True)
            return x, np.asarray(y)
        return cast(tuple[Any, Any], validate_data(self, x, cast(Any, y), **checks))  # refuses targets that are None

    def _answers(self, x: Any, reading: Reading) -> Any:
        check_is_fitted(self, "net_")
        rows = validate_data(self, x, reset=False, skip_check_array=_has_other_columns(x))
        return self.net_(rows, reading)


class NetClassifier(Classifying, _NetEstimator):
    """A net as a classifier of scikit-learn.

    Fields:
        net: reads vectors, or rows of a frame through `nw.Record`, and ends in `nw.softmax`; None is the net of
            `nw.tabular`. It is trained anew by each `fit`.
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

    def fit(self, X: Any, y: Any) -> Self:
        """Train the net on rows and their classes."""
        rows, labels = self._training_rows(X, y)
        check_classification_targets(labels)
        self.classes_, indices = np.unique(column_or_1d(labels, warn=True), return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(what="a classifier needs targets of two classes or more", got="1 class")
        return self._fit(rows, indices, Category(range(len(self.classes_))))

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class for each row, in the order of `classes_`."""
        return self._answers(X, raw).double().numpy()

    def predict(self, X: Any) -> Any:
        """The most probable class of each row."""
        chances = self.predict_proba(X)
        return self.classes_[chances.argmax(1)]


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

    def fit(self, X: Any, y: Any) -> Self:
        """Train the net on rows and their numbers."""
        rows, numbers = self._training_rows(X, y, y_numeric=True, multi_output=True)
        numbers = np.asarray(numbers, dtype=np.float64)
        return self._fit(rows, numbers, Number() if numbers.ndim == 1 else Vector(numbers.shape[1]))

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


def _encoder(rows: Any, targets: Any) -> Codec:
    """The encoder of the default net: of the columns of a frame, or of vectors."""
    return table(rows.assign(**{TARGET: targets}), TARGET).input if is_frame(rows) else Vector().fit(rows)
