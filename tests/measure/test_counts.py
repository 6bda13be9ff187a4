"""The confusion matrix is a value, and its table lines up whatever the labels are."""

import copy
import pickle
from html.parser import HTMLParser

import numpy as np
import pytest

from netwright.errors import DataError
from netwright.measure.counts import Confusion, ConfusionMatrix

COUNTS = np.array([[1200, 3, 0], [5, 80, 5], [0, 0, 7]])


def test_it_is_a_value():
    source = COUNTS.copy()
    matrix = ConfusionMatrix(("a", "b", "c"), source)
    source[:] = 0
    assert matrix == ConfusionMatrix(("a", "b", "c"), COUNTS)
    assert hash(matrix) == hash(ConfusionMatrix(("a", "b", "c"), COUNTS))
    assert matrix != ConfusionMatrix(("a", "b", "d"), COUNTS)
    assert matrix != ConfusionMatrix(("a", "b", "c"), COUNTS.T)
    assert pickle.loads(pickle.dumps(matrix)) == copy.deepcopy(matrix) == matrix
    assert eval(repr(matrix), {"ConfusionMatrix": ConfusionMatrix, "np": np}) == matrix
    with pytest.raises(ValueError, match="read-only"):
        matrix.counts[0, 0] = 1
    with pytest.raises(AttributeError):
        matrix.labels = ()


def test_most_confused_counts_down_and_leaves_out_what_never_happened():
    matrix = ConfusionMatrix(("a", "b", "c"), COUNTS)
    assert matrix.most_confused() == (Confusion("b", "a", 5), Confusion("b", "c", 5), Confusion("a", "b", 3))
    assert matrix.most_confused(1) == (Confusion("b", "a", 5),)


def test_the_table_is_aligned_by_width_on_the_screen():
    matrix = ConfusionMatrix(("cat", "犬犬", "a very long label"), COUNTS)
    assert str(matrix) == (
        "                cat  犬犬  a very long…\n"
        "cat           1,200     3             .\n"
        "犬犬              5    80             5\n"
        "a very long…      .     .             7"
    )


def test_many_classes_show_the_mistakes_instead():
    counts = np.eye(40, dtype=np.int64)
    counts[3, 4] = 1234
    matrix = ConfusionMatrix(tuple(range(40)), counts)
    assert str(matrix) == "3 as 4: 1,234"
    assert matrix._repr_html_() == "<pre>3 as 4: 1,234</pre>"


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_html_is_closed_and_escaped():
    parser = Cells()
    text = ConfusionMatrix(("<script>", "b"), np.array([[1200, 0], [1, 2]]))._repr_html_()
    parser.feed(text)
    assert parser.open == [] and "<script>" not in text
    assert parser.texts == [
        "rows: actual, columns: predicted", "<script>", "b", "<script>", "1,200", "0", "b", "1", "2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "got"),
    [
        (np.zeros((2, 3), int), "(2, 3) of int64, least 0"),
        (np.zeros((2, 2)), "(2, 2) of float64, least 0.0"),
        (np.array([[1, -2], [0, 0]]), "(2, 2) of int64, least -2"),
    ],
)
def test_what_is_no_table_of_counts_is_refused(counts, got):
    with pytest.raises(DataError) as caught:
        ConfusionMatrix(("a", "b"), counts)
    assert str(caught.value) == (
        "counts that are not a confusion matrix\n"
        "  expected: (2, 2) integers of at least 0, for 2 labels\n"
        f"  got:      {got}"
    )
