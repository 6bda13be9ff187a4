"""Every page of the book runs in its quick form: a page that stops running is a page that stops being true."""

from pathlib import Path

import pytest

from blocks import run_file

BOOK = Path(__file__).parents[1] / "book"
PAGES = sorted(BOOK.glob("[0-9][0-9]-*.md"))


def test_pages_are_numbered_from_zero_without_a_gap():
    assert [int(page.name[:2]) for page in PAGES] == list(range(len(PAGES)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page, monkeypatch, tmp_path):
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("agg")

    def draw():
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()  # a figure that cannot be drawn must fail here, not in `make book`
        plt.close("all")

    monkeypatch.setenv("NETWRIGHT_QUICK", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(plt, "show", draw)
    monkeypatch.syspath_prepend(BOOK)  # where a page's own modules are
    monkeypatch.chdir(tmp_path)
    with matplotlib.rc_context(fname=BOOK / "matplotlibrc"):
        run_file(page, show=True)
        assert not plt.get_fignums(), "a page shows each of its figures: end the cell with plt.show()"
