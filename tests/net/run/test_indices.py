"""Indices outside are refused with their place, by `apply` and `to_torch` alike; padding may hold anything."""

import pytest
import torch

import netwright as nw
from netwright.errors import DataError

WORDS = nw.initialize(nw.Chain(nw.Embedding(2), nw.Mean(0), input="n <5>"))
COUNTS = nw.initialize(nw.Chain(nw.OneHot(), nw.Sum(0), input="n <5>"))
LOSS = nw.Graph(nw.CrossEntropy(logits=True)(nw.Input("x", 3), nw.Input("target", "<3>")))
INSIDE = [[0, 4], [3, 2]]


def refusal(where: str, expected: str, got: str) -> str:
    return (
        "the batch holds a number that is no index of this net\n"
        f"  where:    {where}\n  expected: whole numbers {expected}\n  got:      {got}"
    )


@pytest.mark.parametrize("net", [WORDS, COUNTS], ids=["embedding", "one hot"])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int8, torch.float32], ids=str)
@pytest.mark.parametrize("wrong", [5, -1, -100])
def test_an_index_outside_is_refused_with_its_place(net, dtype, wrong):
    x = torch.tensor([INSIDE[0], [3, wrong]], dtype=dtype)
    said = refusal("input 'input', row 1, position 1", "from 0 to 4", str(x[1, 1].item()))
    for run in (lambda: nw.apply(net, {}, x), lambda: nw.to_torch(net)(x)):
        with pytest.raises(DataError) as caught:
            run()
        assert str(caught.value) == said


@pytest.mark.parametrize("wrong", [3, 7, -1, -100])
def test_a_label_outside_is_refused(wrong):
    target = torch.tensor([2, wrong])
    with pytest.raises(DataError) as caught:
        nw.apply(LOSS, {}, {"x": torch.zeros(2, 3), "target": target})
    assert str(caught.value) == refusal("input 'target', row 1", "from 0 to 2", str(wrong))


@pytest.mark.parametrize("wrong", [1.5, float("nan"), float("inf")])
def test_a_number_that_is_not_whole_is_no_index(wrong):
    with pytest.raises(DataError) as caught:
        nw.apply(WORDS, {}, torch.tensor([[1.0, wrong]]))
    assert str(caught.value) == refusal("input 'input', row 0, position 1", "from 0 to 4", str(wrong))


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8, torch.uint16, torch.float32], ids=str)
def test_indices_inside_are_taken_in_any_type(dtype):
    assert torch.equal(nw.apply(WORDS, {}, torch.tensor(INSIDE, dtype=dtype)), WORDS(INSIDE))


def test_what_lies_behind_the_end_of_an_example_may_be_anything():
    x = torch.tensor([[1, 9, -7], [4, 0, 9]])
    ends = torch.tensor([1, 2])
    torch.testing.assert_close(nw.apply(WORDS, {}, x, lengths={"n": ends}), WORDS([[1], [4, 0]]))
    assert nw.apply(COUNTS, {}, x, lengths={"n": ends}).tolist() == [[0, 1, 0, 0, 0], [1, 0, 0, 0, 1]]
    with pytest.raises(DataError) as caught:
        nw.apply(COUNTS, {}, x, lengths={"n": torch.tensor([1, 3])})
    assert str(caught.value) == refusal("input 'input', row 1, position 2", "from 0 to 4", "9")


def test_ends_within_an_axis_count_too():
    net = nw.initialize(nw.Chain(nw.OneHot(), nw.Map(nw.Sum(0)), nw.Sum(0), input="n m[n] <3>"))
    x = torch.tensor([[[0, 9, 9], [1, 2, 9]], [[2, 2, 2], [9, 9, 9]]])
    lengths = {"n": torch.tensor([2, 1]), "m": torch.tensor([[1, 2], [3, 1]])}
    assert nw.apply(net, {}, x, lengths=lengths).tolist() == [[1, 1, 1], [0, 0, 3]]
    x[0, 1, 1] = 3
    with pytest.raises(DataError) as caught:
        nw.apply(net, {}, x, lengths=lengths)
    assert str(caught.value) == refusal("input 'input', row 0, position (1, 1)", "from 0 to 2", "3")


def test_indices_below_a_size_that_is_not_a_number_have_no_upper_end():
    x, t = nw.Input("x", "k"), nw.Input("t", "<k>")
    net = nw.Graph(nw.CrossEntropy(logits=True)(x, t))
    assert nw.apply(net, {}, {"x": torch.zeros(1, 2), "t": torch.tensor([1])}).isfinite().all()
    with pytest.raises(DataError) as caught:
        nw.apply(net, {}, {"x": torch.zeros(1, 2), "t": torch.tensor([-1])})
    assert str(caught.value) == refusal("input 't', row 0", "of 0 or more", "-1")


def test_numbers_are_not_looked_at(monkeypatch):
    def refuse(*given):
        raise AssertionError(given)

    monkeypatch.setattr("netwright.net.run.lengths.checked_indices", refuse)
    net = nw.initialize(nw.Chain(2, input=3))
    assert nw.apply(net, {}, torch.full((1, 3), -100.0)).shape == (1, 2)


def test_no_examples_are_none_outside():
    assert nw.apply(WORDS, {}, torch.zeros(0, 2, dtype=torch.int64)).shape == (0, 2)


def test_transforms_and_compilers_run_as_before():
    x = torch.tensor(INSIDE)
    whole = nw.apply(WORDS, {}, x)
    each = torch.vmap(lambda row: nw.apply(WORDS, {}, row[None])[0])(x)
    assert torch.equal(each, whole)
    slope = torch.func.grad(lambda arrays, x: nw.apply(WORDS, arrays, x).sum())(WORDS.arrays, x)
    assert slope["embedding1/weight"].sum() == 4
    exported = torch.export.export(nw.to_torch(WORDS).eval(), (x,)).module()
    assert torch.equal(exported(x), whole)
