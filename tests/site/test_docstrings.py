"""From a docstring of the framework to the Markdown of the reference."""

from textwrap import dedent

DOC = dedent(
    """\
    Convolution over *every* axis: y_i = Σ x_j.

    Like `nw.Linear`, but `weight` is [shared].

    Shapes: input (*s, in),
        output (*t, out).

    Fields:
        out: number of channels;
            or none.
        *parts, named: `nw.Linear(3)` or <b>.

    Raises: NetError for another padding.

    Example:
        >>> import netwright as nw
        >>> nw.Linear(3)
        Linear(3)

    Source: He et al. 2015, arXiv 1502.01852
    Torch: torch.nn.Conv1d
    """
)


def test_a_docstring_becomes_markdown(site):
    assert site("docstrings").to_markdown(DOC, frozenset({"Linear"})) == dedent(
        """\
        Convolution over \\*every\\* axis: y\\_i = Σ x\\_j.

        Like {py:obj}`nw.Linear <netwright.Linear>`, but `weight` is \\[shared\\].

        **Shapes** input (\\*s, in),
        output (\\*t, out).

        **Fields**

        `out`
        : number of channels;
          or none.

        `*parts, named`
        : {py:obj}`nw.Linear(3) <netwright.Linear>` or &lt;b&gt;.

        **Raises** NetError for another padding.

        ```pycon
        >>> import netwright as nw
        >>> nw.Linear(3)
        Linear(3)
        ```

        **Source** He et al. 2015, [arXiv 1502.01852](https://arxiv.org/abs/1502.01852)

        **In PyTorch** torch.nn.Conv1d"""
    )


def test_a_section_ends_where_a_line_is_not_indented(site):
    assert site("docstrings").sections("What.\n\nFields:\n    a: b\n\nMore of it.\n") == [
        ("", "What."),
        ("Fields", "    a: b"),
        ("", "More of it."),
    ]


def test_fields_in_prose_stay_prose(site):
    docstrings = site("docstrings")
    assert docstrings.entries("`svg` its text; `width` in pixels.") is None
    assert docstrings.to_markdown("A picture.\n\nFields: `svg` its text.", frozenset()) == (
        "A picture.\n\n**Fields** `svg` its text."
    )


def test_only_public_names_become_links(site):
    linked = site("docstrings").linked
    names = frozenset({"Conv", "inits.zeros"})
    assert linked("`nw.Conv`", names) == "{py:obj}`nw.Conv <netwright.Conv>`"
    assert linked("`nw.inits.zeros`", names) == "{py:obj}`nw.inits.zeros <netwright.inits.zeros>`"
    for code in ("`nw.Other`", "`Conv`", "`nw.Conv(3) >> net`", "`nw.Conv(a < b)`"):
        assert linked(code, names) == code


def test_the_first_sentence_stands_in_a_table(site):
    first = site("docstrings").first_sentence
    assert first("Affine map of the last axis: y = x Wᵀ + b.") == "Affine map of the last axis"
    assert first("Parts of a net, to look at\nand to edit.\n\nMore.") == "Parts of a net, to look at and to edit"
    assert first("A name as in nw.Chain. More.") == "A name as in nw.Chain"
