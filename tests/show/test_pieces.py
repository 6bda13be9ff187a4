"""Pieces of the report page and of notebooks show the numbers of a run, with everything in them escaped."""

import netwright as nw
from netwright.show.pieces import choices_html, curves_html, escaped, figures_html, rate_range_html, table_html
from netwright.training.events import Choice, Epoch
from netwright.training.range_test import RateRange

EPOCHS = [Epoch(i, 1 / i, {"loss": 1 / i, "error": 0.1 / i}, 1e-3, 2.0, 900.0, 2 * i) for i in (1, 2)]


def test_a_chart_for_the_losses_and_one_for_each_figure():
    text = curves_html([4.0, 2.0, 1.0, 0.5], EPOCHS)
    assert text.count("<svg") == 2 and "validation loss" in text and "validation error" in text
    assert curves_html([4.0, 2.0], []).count("<svg") == 1


def test_choices_are_escaped():
    assert choices_html([]) == ""
    assert "<dt>a &lt;b&gt;</dt><dd>1<span>why</span></dd>" in choices_html([Choice("a <b>", "1", "why")])
    assert escaped('"<') == "&quot;&lt;"


def test_a_range_test_without_rates_has_no_chart():
    assert rate_range_html(None) == rate_range_html(RateRange(0.1, "", (), (), ())) == ""


def test_a_table():
    assert "<tr><th scope='row'>a</th><td>1 &lt; 2</td></tr>" in table_html(("", "x"), [("a", "1 < 2")])


def test_half_a_sign_is_a_question_mark():
    assert escaped("a\ud800<") == "a?&lt;"


def test_groups_have_a_table():
    net = nw.Chain(nw.softmax, input=2, output=nw.Category(["cat", "dog"]))
    data = ([[0.0, 1.0], [1.0, 0.0]], ["dog", "cat"])
    text = figures_html(nw.measure(net, data, by=["<ann>", "ben"], metrics=["kappa"]))
    assert "<th scope='col'>group</th><th scope='col'>examples</th><th scope='col'>accuracy</th>" in text
    assert "<tr><th scope='row'>&lt;ann&gt;</th><td>1</td>" in text
