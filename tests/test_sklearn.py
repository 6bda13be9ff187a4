"""Estimators of scikit-learn: its own checks, pipelines, grid searches, frames, and parameters by path."""

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

import netwright as nw
from messages import message
from netwright.sklearn import NetClassifier, NetRegressor

SMALL = nw.Chain(8, nw.relu, nw.Linear(), nw.softmax, input=nw.Vector())
FEW = {"epochs": 20, "random_state": 0}
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(0, 1, (80, 3))
Y = np.where(X[:, 0] + X[:, 1] > 0, "up", "down")
QUICK = (
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_estimators_pickle",
    "check_estimators_nan_inf",
    "check_supervised_y_2d",
    "check_classifiers_one_label",
    "check_regressor_multioutput",
    "check_requires_y_none",
    "check_all_zero_sample_weights_error",
    "check_sample_weights_shape",
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
    "check_classifiers_one_label_sample_weights",
    "check_classifiers_multilabel_output_format_predict",
)


@pytest.mark.parametrize("estimator", [NetClassifier(epochs=3), NetRegressor(epochs=3)], ids=lambda e: type(e).__name__)
def test_some_checks_of_scikit_learn(estimator: Any):
    for own, check in estimator_checks_generator(estimator, legacy=True):
        if getattr(check, "func", check).__name__ in QUICK:
            check(clone(own))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "other"),
    [(NetClassifier(epochs=30), MLPClassifier(max_iter=100)), (NetRegressor(epochs=30), MLPRegressor(max_iter=100))],
    ids=["classifier", "regressor"],
)
def test_all_checks_of_scikit_learn(estimator: Any, other: Any):
    own, others = checks_of(estimator), checks_of(other)
    assert {*own.values()} <= {"passed", "skipped"}  # none failed, and none was expected to fail
    assert len(own) >= len(others)
    assert [*own.values()].count("passed") >= [*others.values()].count("passed")
    assert own.items() >= {name: status for name, status in others.items() if status == "passed"}.items()


def checks_of(estimator: Any) -> dict[str, str]:
    """What came of each check of scikit-learn; names that several checks have are numbered."""
    found: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that did not converge
        for result in check_estimator(estimator, legacy=True, on_skip=None, on_fail=None):
            name = result["check_name"]
            found[f"{name} {sum(key.split()[0] == name for key in found)}"] = result["status"]
    return found


def test_classes_of_any_type():
    for labels in (Y, np.where(Y == "up", 3, -1), Y == "up"):
        model = NetClassifier(SMALL, **FEW).fit(X, labels)
        assert model.classes_.tolist() == sorted({*labels.tolist()})
        assert model.predict(X).dtype == labels.dtype
        chances = model.predict_proba(X)
        assert chances.shape == (80, 2)
        assert chances.sum(1) == pytest.approx(np.ones(80), abs=1e-5)
        assert model.score(X, labels) > 0.8


def test_a_pipeline_and_a_grid_by_path():
    pipeline = make_pipeline(StandardScaler(), NetClassifier(SMALL, **FEW))
    grid = GridSearchCV(pipeline, {"netclassifier__net__linear1.out": [2, 8], "netclassifier__epochs": [1, 20]}, cv=2)
    grid.fit(X, Y)
    assert grid.best_params_["netclassifier__epochs"] == 20
    best = grid.best_estimator_[-1].net_
    assert best["linear1"].out == grid.best_params_["netclassifier__net__linear1.out"]
    assert SMALL["linear1"].out == 8


def test_runs_are_repeatable():
    first, again = (NetRegressor(**FEW).fit(X, X[:, 0]).predict(X) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, NetRegressor(epochs=20, random_state=1).fit(X, X[:, 0]).predict(X))


def test_several_numbers():
    model = NetRegressor(epochs=200).fit(X, X[:, :2])
    assert model.predict(X).shape == (80, 2)
    assert model.score(X, X[:, :2]) > 0.9


def test_weights_are_repeated_rows():
    weights = RANDOM.integers(0, 4, 80)
    again = np.arange(80).repeat(weights)[::-1]
    for model, targets in ((NetClassifier(SMALL, **FEW), Y), (NetRegressor(**FEW), X[:, 0])):
        weighted = clone(model).fit(X, targets, sample_weight=weights).predict(X)
        assert np.array_equal(weighted, model.fit(X[again], targets[again]).predict(X))
        halved = clone(model).fit(X, targets, sample_weight=weights / 2)  # as weights of the loss
        assert halved.score(X[weights > 0], targets[weights > 0]) > 0.7


def test_several_labels_at_once():
    labels = np.stack([X[:, 0] > 0, X[:, 1] > 0], 1).astype(int)
    model = NetClassifier(epochs=150).fit(X, labels)
    assert model.classes_.tolist() == [0, 1]
    assert model.predict(X).dtype == labels.dtype
    assert model.predict_proba(X).shape == (80, 2)
    assert (model.predict(X) == labels).mean() > 0.85


def test_sparse_inputs_are_dense_ones():
    model = NetRegressor(epochs=20).fit(csr_array(X), X[:, 0])
    assert np.array_equal(model.predict(csr_array(X)), NetRegressor(epochs=20).fit(X, X[:, 0]).predict(X))


def test_frames_with_categories():
    frame = pd.DataFrame({"size": X[:, 0], "kind": np.where(X[:, 1] > 0, "a", "b")})
    frame.loc[3, "size"] = None
    model = NetClassifier(epochs=40).fit(frame, Y)
    assert model.feature_names_in_.tolist() == ["size", "kind"]
    assert model.n_features_in_ == 2
    assert isinstance(model.net_.inputs["input"], nw.Record)
    assert model.predict(frame).shape == (80,)
    assert cross_val_score(NetRegressor(epochs=40), frame.fillna({"size": 0.0}), X[:, 0], cv=2).shape == (2,)


def test_errors():
    assert message(NetClassifier().fit, X, ["a"] * 80) == (
        "a classifier needs targets of two classes or more\n  got:      1 class"
    )
    for weights, what in (
        (np.zeros(80), "the sample weights are all zero, so no row counts\n  where:    sample_weight"),
        (-np.ones(80), "a weight is negative\n  where:    sample_weight\n  got:      -1.0"),
    ):
        assert message(NetRegressor().fit, X, X[:, 0], weights) == what
    assert message(NetClassifier().set_params, **{"net__linear1.out": 3}) == (
        "there is no net whose fields can be set\n  got:      linear1.out\n  mend:     net=…"
    )


def test_the_extra_is_named():
    code = "import sys; sys.modules['sklearn'] = None; import netwright.sklearn"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
    assert "netwright.sklearn needs the package scikit-learn, which is not installed" in said
    assert 'pip install "netwright[sklearn]"' in said
