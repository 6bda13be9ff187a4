"""Vectors for indices: where the number of indices comes from, and what is refused."""

import torch

import netwright as nw
from messages import message


def test_count_from_the_encoder():
    net = nw.Chain(nw.Embedding(4), input=nw.Category(["a", "b", "c"]))
    assert net.plan.arrays["embedding1/weight"].known == (3, 4)
    assert nw.Chain(nw.OneHot(), input="n <3>").plan.outputs["output"][1] == 3


def test_one_hot_of_a_category():
    net = nw.initialize(nw.Chain(nw.OneHot(), input=nw.Category(["a", "b", "c"])))
    assert net("b").tolist() == [0.0, 1.0, 0.0]
    assert [spec.weight.kind for spec in net.plan.arrays.values()] == ["fixed"]


def test_one_hot_in_the_type_of_its_array():
    net = nw.initialize(nw.Chain(nw.OneHot(), input="<300>")).to(dtype=torch.bfloat16)
    assert net(torch.tensor(299)).argmax() == 299
    assert net(torch.tensor(299)).dtype == torch.bfloat16


def test_numbers_are_no_indices():
    text = message(lambda: nw.Chain(nw.Embedding(4), input=(5, 3)))
    assert "embedding1" in text
    assert "ind" in text
