"""The tree of a net as text is short and shows every part down to a depth."""

import netwright as nw
from netwright.show.draw.tree import MOST, tree


def test_containers_are_branches_and_equal_ones_one_line() -> None:
    block = nw.Chain(nw.Linear(4), nw.relu)
    net = nw.Chain(nw.Repeat(3, block), nw.Residual(block), nw.tanh, input=4)
    assert tree(net, 1) == (
        "Chain  (4,) -> (4,)\n"
        "├─ repeat1    Repeat of 3 parts    (4,)\n"
        "├─ residual1  Residual of 2 parts  (4,)\n"
        "└─ tanh1      tanh                 (4,)"
    )
    assert tree(net, 3).splitlines()[1:] == [
        "├─ repeat1        Repeat of 3 parts     (4,)",
        "│  └─ 1 … 3       3 × Chain of 2 parts  (4,)",
        "│     ├─ linear1  Linear(4)             (4,)",
        "│     └─ relu1    relu                  (4,)",
        "├─ residual1      Residual of 2 parts   (4,)",
        "│  ├─ body        Chain of 2 parts      (4,)",
        "│  │  ├─ linear1  Linear(4)             (4,)",
        "│  │  └─ relu1    relu                  (4,)",
        "│  └─ add         Add()                 (4,)",
        "└─ tanh1          tanh                  (4,)",
    ]


def test_a_leaf_alone() -> None:
    assert tree(nw.Linear(3).with_input(2), 1) == "Linear  (2,) -> (3,)"


def test_a_large_net_says_what_is_left_out() -> None:
    lines = tree(nw.bn_inception(range(10)), 9).splitlines()
    assert len(lines) == MOST + 1 and lines[-1].startswith("…  ") and lines[-1].endswith(" more lines")
