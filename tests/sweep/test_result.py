"""The result of a sweep: the table as text and as HTML, and the plot."""

from dataclasses import replace

from tests.sweep.tools import DATA, NET

import netwright as nw
from netwright.sweep.figures import TrialFigures
from netwright.sweep.result import Sweep, Trial, key_of, shown

RUN = nw.train(NET, DATA, validation=30, epochs=2, threads=1, progress=False)


def figures(loss: float, error: float | None) -> TrialFigures:
    made = nw.Estimate(name="loss", value=loss, low=loss - 0.1, high=loss + 0.2, n=30)
    percent = None if error is None else nw.Estimate(name="error", value=error, low=0.02, high=0.2, n=30, percent=True)
    return TrialFigures(made, percent)


BEST = Trial({"linear1.out": 5, "learning_rate": 0.02}, RUN, figures(0.3, 0.1), 12, 12, 2)
OTHER = Trial({"linear1.out": 6, "learning_rate": 0.001}, RUN, figures(0.4, 0.05), 4, 12, 1)
FAILED = Trial({"linear1.out": 7, "learning_rate": 1e9}, RUN, None, 3, 12, 1, "the loss is not finite (step 3)")
FOUND = Sweep((BEST, OTHER, FAILED), "90 examples, validated on 30", 0.5, "all rounds done")
TEXT = """Sweep: 3 trials on 90 examples, validated on 30, 50% of the training of all to the end
   linear1.out  learning_rate     steps       error (95%)        loss (95%)
1            5           0.02  12 of 12  10.0% (2.0-20.0)  0.30 (0.20-0.50)
2            6          0.001   4 of 12   5.0% (2.0-20.0)  0.40 (0.30-0.60)
3            7          1e+09   3 of 12            failed
3 failed: the loss is not finite (step 3)
95% intervals over the validation examples; they do not cover the randomness of training"""


def test_the_table() -> None:
    assert str(FOUND) == repr(FOUND) == TEXT
    assert FOUND.best is BEST


def test_of_numbers_there_is_no_error() -> None:
    found = replace(FOUND, trials=(replace(BEST, figures=figures(0.3, None)),), ended="interrupted")
    assert str(found).splitlines()[:3] == [
        "Sweep: 1 trial on 90 examples, validated on 30, 50% of the training of all to the end; interrupted",
        "   linear1.out  learning_rate     steps        loss (95%)",
        "1            5           0.02  12 of 12  0.30 (0.20-0.50)",
    ]


def test_the_page_has_the_table_and_the_plot() -> None:
    page = FOUND._repr_html_()
    for text in (
        "<th scope='col'>linear1.out</th>",
        "<td>10.0% (2.0-20.0)</td>",
        "the loss is not finite (step 3)",
        FOUND.svg,
    ):
        assert text in page
    assert FOUND.svg.startswith("<svg")
    assert "validation loss" in FOUND.svg


def test_what_went_further_stands_first() -> None:
    keys = [key_of(2, figures(0.5, 0.9)), key_of(1, figures(0.1, 0.1)), key_of(1, figures(0.2, 0.0)), key_of(3, None)]
    assert sorted(keys) == keys


def test_a_trial_in_one_line() -> None:
    assert repr(BEST) == (
        "Trial(linear1.out=5, learning_rate=0.02; 12 of 12 steps; error 10.0% (2.0-20.0, n=30), "
        "loss 0.30 (0.20-0.50, n=30))"
    )
    assert repr(FAILED) == "Trial(linear1.out=7, learning_rate=1e+09; 3 of 12 steps; the loss is not finite (step 3))"
    assert BEST.net is RUN.net


def test_long_values_are_cut() -> None:
    assert (shown(0.1 + 0.2), shown("x" * 50)) == ("0.3", "x" * 39 + "…")
