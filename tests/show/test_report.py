"""The page must stand alone: well-formed, nothing fetched, no script, everything in it escaped."""

import re
from dataclasses import asdict, replace
from html.parser import HTMLParser

import numpy as np
import pytest

import netwright as nw
from netwright.codecs.number import Number
from netwright.errors import FileError, MissingArraysError
from netwright.show.chart import LEFT, RIGHT, WIDTH
from netwright.show.report import percent, report, run_page
from netwright.training.events import Choice, Epoch
from netwright.training.range_test import rate_found
from netwright.training.result import Run

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (30, 6, 6), dtype=np.uint8)
NAMES = ["<cat>", "dog"] * 15
NET = nw.initialize(
    nw.Chain(
        *(nw.Conv(3, 3), nw.relu, nw.Flatten(), nw.Linear(), nw.softmax),
        input=nw.Image(6, 6, "gray"),
        output=nw.Category(["<cat>", "dog"]),
    ),
    seed=0,
)
EPOCHS = tuple(Epoch(i, 1 / i, {"loss": 1 / i, "error": 0.1 / i}, 1e-3, 2.0, 900.0, 2 * i) for i in (1, 2))
RUN = Run(NET, NET, EPOCHS, (2.0, 1.0, 0.5, 0.4), (Choice("loss", "a < b", "why & how"),), 2, 4.0, "all epochs done")
VOID = {"meta", "img", "br"}


class Balance(HTMLParser):
    """Checks that every element is closed where it should be."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    measured = nw.measure(NET, (PICTURES, NAMES))
    examples = list(zip(PICTURES[:4], NAMES[:4], strict=True))
    assert report(RUN, measured, path, title="Cats & dogs", examples=examples, notes=["A <note>."]) == path
    return path.read_text(encoding="utf-8")


def test_it_is_well_formed(page):
    parser = Balance()
    parser.feed(page)
    assert parser.wrong == [] and parser.open == []


def test_it_asks_nobody_for_anything(page):
    assert "<script" not in page and "@import" not in page and "url(" not in page
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,)[^"]*"', page) == []
    assert set(re.findall(r"https?://[^\"' ]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_every_section_is_there(page):
    assert re.findall("<h2>(.*?)</h2>", page) == [
        "The net",
        "Choices and their reasons",
        "Learning",
        "Measured",
        "4 examples with their answers",
        "The worst examples",
        "Kernels of the first convolution",
        "The output of every part",
        "History",
    ]


def test_what_it_shows(page):
    assert page.count('alt="kernel ') == 3
    assert re.findall('alt="activations of (.*?)"', page) == list(NET.paths)
    assert page.count('class="card ') == 4 + 10
    assert "95.00%" in page and "accuracy on the validation data after epoch 2" in page


def test_everything_is_escaped(page):
    assert "<title>Cats &amp; dogs</title>" in page
    assert "A &lt;note&gt;." in page and "a &lt; b" in page and "why &amp; how" in page
    assert "<cat>" not in page and "<note>" not in page


def test_a_bare_net_has_only_what_is_known(tmp_path):
    text = report(nw.Chain(3, nw.relu, input=2), None, tmp_path / "r.html").read_text(encoding="utf-8")
    assert re.findall("<h2>(.*?)</h2>", text) == ["The net"]


def test_numbers_and_texts_instead_of_pictures(tmp_path):
    net = nw.initialize(nw.Chain(nw.Linear(1), input=2, output=Number(0, 1)), seed=0)
    data = [([1.0, 2.0], 3.0), ([0.5, 1.0], 0.0)]
    text = report(net, nw.measure(net, data), tmp_path / "r.html", examples=data).read_text(encoding="utf-8")
    assert re.findall("<h2>(.*?)</h2>", text) == [
        "The net",
        "Measured",
        "The worst examples",
        "The output of every part",
        "History",
    ]
    assert '<div class="what">[1.0, 2.0]</div>' in text and "MSE on 2 examples" in text


def test_colour_kernels_are_pictures_too(tmp_path):
    net = nw.initialize(nw.Chain(nw.Conv(4, 3), input=nw.Image(6, 6)), seed=0)
    text = report(net, None, tmp_path / "r.html").read_text(encoding="utf-8")
    assert text.count('alt="kernel ') == 4 and "Mid gray is zero." in text


def test_examples_need_arrays(tmp_path):
    with pytest.raises(MissingArraysError) as error:
        report(nw.Chain(nw.Linear(3), input=2), None, tmp_path / "r.html", examples=[([1.0, 2.0], 0)])
    assert str(error.value) == (
        "the net has no arrays yet, so it cannot answer the examples\n"
        "  where:    linear1/weight, linear1/bias\n"
        "  mend:     nw.train(net, data).net\n"
        "  or:       no examples"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written(tmp_path):
    with pytest.raises(FileError) as error:
        report(NET, None, tmp_path / "no" / "r.html")
    assert str(error.value) == (
        f"the report cannot be written\n  where:    {tmp_path / 'no' / 'r.html'}\n  got:      No such file or directory"
    )


def test_probabilities_in_percent():
    shown = [percent(p) for p in (0.0, 1e-9, 0.0001, 0.5, 0.99981, 0.99999, 1.0)]
    assert shown == ["0.00%", "<0.01%", "0.01%", "50.00%", "99.98%", ">99.99%", "100.00%"]


def test_the_losses_of_validation_stand_where_their_epochs_ended(tmp_path):
    epochs = tuple(Epoch(i, 1.0, {"loss": 1.0}, 1e-3, 2.0, 900.0, 10 * i) for i in (1, 2))
    run = Run(NET, NET, epochs, (1.0,) * 40, (), 2, 4.0, "interrupted")  # of the third epoch there are 20 steps
    page = report(run, None, tmp_path / "page.html").read_text(encoding="utf-8")
    first, second = [float(x) for x in re.findall(r'<circle[^>]*cx="([0-9.]+)"', page)]
    assert second - first == pytest.approx((WIDTH - LEFT - RIGHT) / 4, rel=0.05)


def test_a_page_has_the_curve_of_a_range_test(tmp_path):
    found = rate_found(0.1, [0.01 * i for i in range(1, 40)], [*[4.0] * 13, *[2.0] * 13, *[9.0] * 13], [4.0] * 39)
    choice = Choice("range test", found.extent, "given", asdict(found))
    run = Run(NET, NET, (), (1.0,) * 40, (choice,), 0, 4.0, "interrupted")
    page = report(run, None, tmp_path / "page.html").read_text(encoding="utf-8")
    assert 'aria-label="loss in the range test, the rate of the run"' in page
    assert ">learning rate</text>" in page
    flat = replace(choice, setting=asdict(rate_found(0.1, [], [], [])))
    page = report(replace(run, choices=(flat,)), None, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "loss in the range test" not in page


def test_the_page_of_a_run_is_called_like_its_folder_and_says_how_far_it_is(tmp_path):
    (tmp_path / "digits").mkdir()
    run_page(RUN, tmp_path / "digits" / "report.html", "One epoch of <3> is done.")
    page = (tmp_path / "digits" / "report.html").read_text(encoding="utf-8")
    assert "<h1>The run digits</h1>" in page
    assert '<p class="lead">One epoch of &lt;3&gt; is done.</p>' in page


def test_a_page_says_which_examples_validate_although_they_train(tmp_path):
    xs, ys = RANDOM.standard_normal((40, 8)), RANDOM.standard_normal(40)
    net, held_out = nw.Chain(nw.Linear(1), input=8), (xs[[7, 3]], ys[[7, 3]])
    nw.train(net, (xs, ys), folder=tmp_path / "run", validation=held_out, epochs=1, progress=False)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "<dt>validation</dt><dd>2 of 2 examples are also in the training data<span>row 0 of the validation" in page


def test_an_entry_of_the_history_opens_to_its_facts(tmp_path):
    net = nw.initialize(nw.Chain(3, input=2), seed=5)
    page = report(net, None, tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<details class="entry"><summary><b>initialized</b> 2 arrays, seed 5</summary>' in page
    assert "<div><dt>seed</dt><dd>5</dd></div>" in page


def test_a_page_has_the_history_of_its_net(tmp_path):
    page = report(NET.bare().append(nw.relu), None, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<h2>History</h2>" in page
    assert '<div class="entry"><b>edit</b> append relu</div>' in page
    assert "History" not in report(nw.Chain(3, input=2), None, tmp_path / "page.html").read_text(encoding="utf-8")
