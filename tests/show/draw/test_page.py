"""The page of a drawing holds everything it shows: the picture, the insides of containers, and facts of every part."""

import json
import re

import torch

import netwright as nw
from netwright.show.draw.page import document, page
from netwright.show.draw.picture import picture

BLOCK = nw.Chain(nw.Linear(4), nw.relu)
NET = nw.initialize(nw.Chain(nw.Repeat(3, BLOCK), nw.Residual([BLOCK, nw.tanh]), BLOCK, nw.Linear(2), input=4), seed=0)


def facts(text: str) -> dict:
    return json.loads(re.findall(r'<script type="application/json">(.*?)</script>', text, flags=re.S)[0])


def test_every_part_is_known_and_every_container_has_its_picture() -> None:
    text = page(NET, picture(NET, 1, 1120), picture(NET, 1, 360))
    known = facts(text)
    assert set(known["parts"]) == set(NET.paths)
    assert set(known["inside"]) == {"repeat1/1", "residual1", "residual1/body/chain1", "chain1"}
    assert known["same"] == [["repeat1/2", "repeat1/1"], ["repeat1/3", "repeat1/1"]]
    templates = re.findall(r"<template>(.*?)</template>", text, flags=re.S)
    assert {number for pair in known["inside"].values() for number in pair} == set(range(len(templates)))
    assert known["inside"]["repeat1/1"] == known["inside"]["chain1"]  # equal containers have one picture
    assert 'data-path="linear1"' in templates[known["inside"]["chain1"][0]]


def test_what_is_said_of_a_part() -> None:
    arrays = {"linear1/weight": torch.tensor([[1.0, 3.0, 1.0, 3.0]] * 2), "linear1/bias": torch.zeros(2)}
    net = nw.Chain(nw.Linear(2), nw.relu, input=4).with_arrays(arrays)
    parts = facts(page(net, picture(net, 1, 1120), picture(net, 1, 360)))["parts"]
    weight, bias = parts["linear1"]["arrays"]
    assert parts["linear1"]["text"] == "Linear(2)" and parts["linear1"]["sizes"] == "(2,)"
    assert weight == ["weight", "(2, 4)", "2", "1", "1", "3"] and bias == ["bias", "(2,)", "0", "0", "0", "0"]
    empty = facts(page(net.with_input(4), picture(net, 1, 1120), picture(net, 1, 360)))
    assert empty["parts"]["relu1"]["arrays"] == []


def test_a_net_without_arrays_says_their_shapes() -> None:
    net = nw.Chain(nw.Linear(2), input=4)
    parts = facts(page(net, picture(net, 1, 1120), picture(net, 1, 360)))["parts"]
    assert parts["linear1"]["arrays"] == [["weight", "(2, 4)", "", "", "", ""], ["bias", "(2,)", "", "", "", ""]]


def test_the_page_loads_nothing_and_no_text_ends_its_script() -> None:
    net = nw.Chain(nw.Linear(), input=2, output=nw.Category(["</script><b>", "c"]))
    text = document("<a net>", page(net, picture(net, 1, 1120), picture(net, 1, 360)))
    assert "<title>&lt;a net&gt;</title>" in text and "</script><b>" not in text
    assert not re.search(r"""(src|href)=|url\(|@import|fetch\(""", text)
    assert text.count("<script") == text.count("</script>") == 2


def test_a_fold_that_is_the_whole_net_is_open() -> None:
    net = nw.Map([nw.Linear(3), nw.relu], input=("n", 2))
    known = facts(page(net, picture(net, 1, 1120), picture(net, 1, 360)))
    assert known["inside"] == {}


def test_the_page_of_232_layers_is_small() -> None:
    net = nw.bn_inception(range(1000))
    text = page(net, picture(net, 1, 1120), picture(net, 1, 360))
    assert len(text) < 500_000 and len(facts(text)["parts"]) == len(net.paths)
