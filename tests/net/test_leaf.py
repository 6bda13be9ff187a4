"""What a leaf declares has defaults, and everything that is declared is asked for by somebody."""

import ast
from pathlib import Path

import pytest
import torch
from torch.nn.functional import relu6

import netwright as nw
from netwright.net.leaf import LeafNode, declared_keywords, keyword_arguments, with_options

SRC = Path(nw.__file__).parent
READ = {
    node.attr
    for path in SRC.rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text("utf-8")))
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
}
DECLARED = [name for name in vars(LeafNode) if not name.startswith("_")] + ["ports", "forward"]


class Plain(nw.Leaf):
    """A leaf that says nothing but what it must."""

    ports = "... -> ..."

    def forward(self, w, x):
        return 2 * x


@pytest.mark.parametrize("name", DECLARED)
def test_every_declaration_is_read_somewhere(name: str) -> None:
    assert name in READ


def test_a_leaf_that_says_nothing_has_answers() -> None:
    leaf = Plain()
    assert (leaf.kind_name, leaf.gives(), leaf.is_loss, leaf.family) == ("plain", "numbers", False, "other")
    assert (leaf.code(), leaf.identity, leaf.memory()) == (None, "", None)
    assert [*leaf.alternatives("input", (3,))] == [] and leaf.hides_future("plain1") == ()


def test_what_probabilities_a_leaf_gives() -> None:
    leaves = [nw.softmax, nw.sigmoid, nw.log_softmax, nw.relu]
    assert [leaf.gives() for leaf in leaves] == [
        *("class probabilities", "separate probabilities", "log probabilities"),
        "numbers",
    ]


def test_what_values_a_leaf_can_give() -> None:
    assert Plain().bounds() == nw.leaky_relu.bounds() == (-torch.inf, torch.inf)
    assert nw.softmax.bounds() == nw.sigmoid.bounds() == (0, 1)
    assert nw.log_softmax.bounds() == (-torch.inf, 0)


def test_alternatives_of_a_window() -> None:
    assert [*nw.Conv(4, 5).alternatives("shortens", (4, 3))] == [nw.Conv(4, 5, padding="same")]
    assert [*nw.Conv(4, 5).alternatives("input", (4, 3))] == [
        nw.Conv(4, 5, padding="same"),
        *(nw.Conv(4, extent) for extent in (3, 4, 1)),
    ]
    assert next(nw.MaxPool((2, 2)).alternatives("input", (4, 3))) == nw.MaxPool((2,))
    assert [*nw.AvgPool(2).alternatives("shortens", (4, 3))] == [nw.AvgPool(2, stride=1)]
    assert [*nw.Conv(6, 1, groups=4).alternatives("input", (1, 6))] == [
        nw.Conv(6, 1, groups=4, padding="same"),
        nw.Conv(6, 1, groups=4),
        nw.Conv(8, 1, groups=4),
        nw.Conv(6, 1, groups=3),
    ]


def test_alternatives_of_ends_and_of_tables() -> None:
    assert [*nw.sigmoid.alternatives("several classes", (3,))] == [nw.softmax]
    assert [*nw.softmax.alternatives("one class", (1,))] == [nw.sigmoid]
    assert [*nw.Embedding(4).alternatives("numbers", (3,))] == [nw.Linear(4)]
    (other,) = nw.Module(torch.nn.Conv1d(3, 4, 1)).alternatives("input", (5, 3))
    assert isinstance(other, nw.Module) and other.layout == "channels_first"


def test_other_options_are_checked_like_new_ones() -> None:
    assert [*with_options(nw.Shared("a", nw.Linear(3)), out=4)] == [nw.Shared("a", nw.Linear(4))]
    assert [*with_options(nw.Conv(3), kernel=0)] == [*with_options(nw.Linear(3), kernel=2)] == []


def test_what_hides_the_future_from_a_leaf() -> None:
    assert nw.Attention().hides_future("a") == ("causal=True in a",)
    assert nw.Attention(causal=True).hides_future("a") == ()
    assert nw.Conv(3).hides_future("a") == ('padding="causal" in a',)
    assert nw.BatchNorm().hides_future("a") == (
        "nw.LayerNorm() in place of a, whose statistics in training are of all positions",
    )
    assert nw.Reverse().hides_future("a") == ("leave out a",)
    assert nw.Reverse().hides_future("both/turn") == ("leave out nw.Bidirectional at both",)


def test_code_is_that_of_the_user() -> None:
    assert nw.Function(relu6, "... -> ...").code() == ("torch.nn.functional.relu6", relu6)
    name, module = nw.Module(torch.nn.Linear(2, 3)).code() or ("", None)
    assert name == "torch.nn.modules.linear.Linear" and isinstance(module, torch.nn.Linear)


def test_keyword_arguments_of_a_forward() -> None:
    assert keyword_arguments(nw.Dropout().forward) >= {"training", "random"}
    assert keyword_arguments(nw.Linear().forward) == frozenset()
    assert declared_keywords(nw.LayerNorm) == {"lengths"}
