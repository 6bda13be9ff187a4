"""Examples that are drawn fit the net, vary where it varies, and have behind their ends what was asked for."""

import pytest
import torch

import netwright as nw
from netwright.check.cases import FILLS, Cases, case_lengths, drawn, given, real
from netwright.errors import NetError

torch.set_num_threads(1)


def cases(net: nw.Net, seed: int = 0) -> Cases:
    return next(drawn(nw.initialize(net), seed))


def test_lengths_are_as_short_as_fits_and_differ():
    tried = cases(nw.Chain(nw.Conv(2, 5), nw.MaxPool(2), input=("n", 3)))
    assert [x.shape for x in (tried.alone(i).inputs["input"] for i in range(4))] == [
        (1, 6, 3), (1, 10, 3), (1, 7, 3), (1, 13, 3)
    ]  # fmt: skip
    assert tried.said == "4 random examples with n = 6, 7, 10, 13"


def test_another_seed_draws_others():
    net = nw.Chain(nw.relu, input=3)
    one, again, other = (cases(net, seed).alone(1).inputs["input"] for seed in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_two_sizes_differ_each_in_its_own_way():
    tried = cases(nw.Chain(nw.relu, input=nw.Array("n m")))
    shapes = [tuple(tried.alone(i).inputs["input"].shape[1:]) for i in range(4)]
    assert shapes == [(5, 1), (2, 5), (8, 2), (1, 8)]


def test_a_size_within_another():
    tried = cases(nw.Map(nw.Mean(0), input=nw.Array("n m[n] 2")))
    batch = tried.together("10,000")
    x = batch.inputs["input"]
    mask = real(tried.plan, tried.plan.inputs["input"], x, batch)
    assert batch.lengths["m"].shape == (4, 8)
    assert bool((x[~mask] == 10_000).all()) and bool((x[mask].abs() < 10).all())
    for i, n in enumerate(batch.lengths["n"].tolist()):
        assert mask[i, :, 0, 0].sum() == n
        assert mask[i, :n, :, 0].sum(1).tolist() == batch.lengths["m"][i, :n].tolist()


@pytest.mark.parametrize("more", [0, 2])
def test_what_is_behind_the_ends(more):
    tried = cases(nw.Chain(nw.Embedding(3), input=nw.Array("n <9>")))
    for fill in FILLS:
        batch = tried.together(fill, more)
        x = batch.inputs["input"]
        assert x.shape == (4, 8 + more) and batch.lengths["n"].tolist() == [1, 5, 2, 8]
        assert case_lengths(tried.plan, batch)["n"].tolist() == [1, 5, 2, 8]
        for i, n in enumerate([1, 5, 2, 8]):
            assert torch.equal(x[i, :n], tried.alone(i).inputs["input"][0])
            rest = {"its last element": [int(x[i, n - 1])], "10,000": [8], "-10,000": [0]}.get(fill)
            assert rest is None or set(x[i, n:].tolist()) <= {*rest}
        assert fill != "other examples" or len({*x[0, 1:].tolist()}) > 1


def test_where_nothing_is_padded_nothing_is_told():
    tried = cases(nw.Chain(nw.relu, input=("n", 3)))
    assert case_lengths(tried.plan, tried.alone(1)) == {}


def test_a_multiple_of_a_length():
    tried = cases(nw.Chain(nw.Reshape(-1, 2, 3), input=nw.Array("2*n 3")))
    batch = tried.together("-10,000")
    assert [int(n) for n in batch.lengths["n"]] == [1, 5, 2, 8]
    assert bool((batch.inputs["input"][0, 2:] == -10_000).all())
    assert case_lengths(tried.plan, batch)["n"].tolist() == [1, 5, 2, 8]


def test_the_user_s_own():
    net = nw.Chain(nw.Embedding(2), input=nw.Characters("ab"))
    tried = given(net, ["ab", "a", "bbbb"])
    assert tried.said == "3 of your examples with n = 1, 2, 4"
    assert tried.together("its last element").inputs["input"].tolist() == [[0, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]]
    with pytest.raises(NetError):
        given(net, {"other": ["a"]})


def test_open_sizes_have_no_examples():
    assert list(drawn(nw.Chain(nw.relu), 0)) == []
