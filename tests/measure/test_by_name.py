"""What can be asked for by name, for each kind of answer."""

from netwright.measure.by_name import OF_ELEMENTS, OF_LABELS, of_classes
from netwright.measure.report import attribute


def names(metrics):
    return [attribute(metric.title) for metric in metrics]


def test_yes_and_no_have_the_plain_names_too():
    classes, answers = names(of_classes(None)), names(of_classes(1))
    assert answers[: len(classes)] == classes
    assert {"recall", "specificity", "precision", "f1"} <= {*answers} - {*classes}


def test_elements_have_no_means_over_classes():
    assert not any(name.startswith("macro") for name in names(OF_ELEMENTS))
    assert {"kappa", "calibration_error", "rejection_area"} <= {*names(OF_ELEMENTS)}


def test_every_name_stands_once_in_each_list():
    for metrics in (of_classes(None), of_classes(1), OF_LABELS, OF_ELEMENTS):
        assert len({*names(metrics)}) == len(metrics) > 0
        assert all(name.isidentifier() for name in names(metrics))
