"""Layers that bring values together: which sizes they find, and which they refuse."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from layers.tools import run, unfit
from messages import message
from netwright.net.leaf import Unfit
from netwright.sizes.size import named


def related(leaf: nw.Leaf, **known: object) -> tuple[str, str, str]:
    with pytest.raises(Unfit) as caught:
        leaf.relate(known)
    return caught.value.what, caught.value.expected, caught.value.got


def graph(part: nw.Net, *sizes: object, output: object = None) -> nw.Net:
    return nw.Graph(part(*(nw.Input(f"x{i}", size) for i, size in enumerate(sizes))), output=output)


def test_concatenate_solves_the_one_open_width():
    x = nw.Input("x", 3)
    net = nw.Graph(nw.Concatenate()(x, nw.Linear()(x)), output=8)
    assert net.plan.arrays["linear1/weight"].known == (5, 3)


def test_concatenate_refuses():
    x = nw.Input("x", 8)
    assert "inputs are wider than its output together" in message(
        lambda: nw.Graph(nw.Concatenate()(x, nw.Linear()(x)), output=8)
    )
    assert related(nw.Concatenate(), a1=8, a2=None, out=8) == (
        "its inputs are wider than its output together",
        "8",
        "8 and more",
    )
    text = message(lambda: graph(nw.Concatenate(), (5, 3), (4, 2)))
    assert "concatenate1" in text


def test_concatenate_of_varying_lengths():
    net = graph(nw.Concatenate(axis=0), ("n", 3), ("n", 3), (2, 3))
    assert str(net.plan.outputs["output"]) == "(2*n + 2, 3)"


def test_unknown_widths_are_those_of_the_others():
    x = nw.Input("x", (8, 8, 3))
    gate = nw.Chain(nw.GlobalAvgPool(), nw.Linear(2), nw.relu, nw.Linear(), nw.sigmoid)
    net = nw.Graph(nw.Multiply()(x, gate(x)))
    assert net.plan.arrays["chain1/linear2/weight"].known == (3, 2)
    back = nw.Graph(nw.Add()(nw.Linear()(nw.Input("x", 3)), nw.Linear()(nw.Input("y", 4))), output=6)
    assert {spec.known for spec in back.plan.arrays.values()} == {(6, 3), (6,), (6, 4)}


def test_sizes_that_do_not_broadcast():
    what, expected = (
        "its inputs do not have the same sizes",
        "equal sizes, or 1, along every axis, counted from the last",
    )
    assert related(nw.Add(), s1=(5, 3), s2=(5, 2), out=None) == (what, expected, "(5, 3) and (5, 2)")
    assert related(nw.Add(), s1=(named("n"), 3), s2=(named("m"), 3), out=None) == (what, expected, "(n, 3) and (m, 3)")
    assert related(nw.Multiply(), s1=(5, 3), s2=(3,), out=(3,)) == (
        "its inputs do not have the number of axes of its output",
        "1 axis",
        "(5, 3) and (3,)",
    )
    assert "inputs do not have the same sizes" in message(lambda: graph(nw.Add(), (5, 3), (5, 2)))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([1, 3]), max_size=3), min_size=1, max_size=3), st.randoms(use_true_random=False)
)
def test_broadcasts_as_numpy_does(shapes, random):
    sizes = [random.choice((1, size)) for size in (3, 3, 3)]
    chosen = [[1 if n == 1 else sizes[-1 - i] for i, n in enumerate(reversed(shape))][::-1] for shape in shapes]
    expected = tuple(torch.broadcast_shapes(*map(tuple, chosen)))
    x = [torch.randn(2, *shape, dtype=torch.float64) for shape in chosen]
    net = graph(nw.Multiply(), *(" ".join(map(str, shape)) or "()" for shape in chosen))
    assert net.plan.outputs == {"output": expected}
    y, _ = run(net, {}, *x)
    for i in range(2):
        product = x[0][i]
        for value in x[1:]:
            product = product * value[i]
        torch.testing.assert_close(y[i], product)


def test_dot_refuses():
    expected = "(..., n, k) and (..., k, m)"
    assert unfit(nw.MatMul(), (5, 3), (4, 2)) == ("its inputs cannot be multiplied", expected, "(5, 3) and (4, 2)")
    assert unfit(nw.MatMul(), (2, 5, 3), (3, 3, 4)) == (
        "its inputs cannot be multiplied",
        expected,
        "(2, 5, 3) and (3, 3, 4)",
    )
    assert unfit(nw.MatMul(), (2, 5, 3), (3, 4)) == (
        "its inputs are neither vectors nor have equally many leading axes",
        expected,
        "(2, 5, 3) and (3, 4)",
    )


def test_dot_solves_the_open_axis():
    x = nw.Input("x", 7)
    net = nw.Graph(nw.MatMul()(nw.Linear()(x), nw.Input("rows", (4, 3))))
    assert net.plan.arrays["linear1/weight"].known == (4, 7)
    assert net.plan.outputs == {"output": (3,)}


@pytest.mark.parametrize("axis", [64, 2**31, -65, -(2**31)])
def test_an_axis_that_no_value_has_is_not_written_out(axis):
    assert message(lambda: nw.Concatenate(axis=axis)) == (
        f"a value has at most 64 axes\n  where:    Concatenate\n  expected: an axis from -64 to 63\n"
        f"  got:      axis={axis}"
    )
