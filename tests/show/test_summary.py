"""The table of parts must be right in every number, for a net can be judged by it before it runs."""

import json
from collections import Counter

import torch

import netwright as nw
from netwright.cli.demo import lenet

LENET = """\
path      part                   sizes out     parameters      bytes  multiply-adds
-----------------------------------------------------------------------------------
input     Image(28, 28, 'gray')  (28, 28, 1)
conv1     Conv(20, 5)            (24, 24, 20)         520      2,080        288,000
relu1     relu                   (24, 24, 20)           0          0              0
maxpool1  MaxPool()              (12, 12, 20)           0          0              0
conv2     Conv(50, 5)            (8, 8, 50)        25,050    100,200      1,600,000
relu2     relu                   (8, 8, 50)             0          0              0
maxpool2  MaxPool()              (4, 4, 50)             0          0              0
flatten1  Flatten()              (800,)                 0          0              0
linear1   Linear(500)            (500,)           400,500  1,602,000        400,000
relu3     relu                   (500,)                 0          0              0
linear2   Linear()               (10,)              5,010     20,040          5,000
softmax1  softmax                (10,)                  0          0              0
output    Category(range(10))    (10,)
-----------------------------------------------------------------------------------
total                                             431,080  1,724,320      2,293,000
11 parts of 6 kinds: 3 relu, 2 Conv, 2 MaxPool, 2 Linear, 1 Flatten, 1 softmax"""

NESTED = """\
path         part              sizes out  parameters  bytes  multiply-adds
--------------------------------------------------------------------------
input        as it is          (..., ?)
linear1      Linear(4)         (..., 4)            ?      ?              ?
chain1       Chain of 2 parts  (..., 3)
  relu1      relu              (..., 4)            0      0              0
  chain1     Chain of 2 parts  (..., 3)
    linear1  Linear(3)         (..., 3)           15     60              ?
    relu1    relu              (..., 3)            0      0              0
linear2      Linear()          (..., ?)            ?      ?              ?
output       not decoded       (..., ?)
--------------------------------------------------------------------------
total                                              ?      ?              ?
5 parts of 2 kinds: 3 Linear, 2 relu"""


def test_the_whole_table():
    assert str(nw.summary(lenet())) == LENET


def test_sizes_that_are_not_known_yet():
    assert str(nw.summary(nw.Chain(4, [nw.relu, [3, nw.relu]], nw.Linear()))) == NESTED


def test_a_leaf_alone():
    assert [row.path for row in nw.summary(nw.Linear(3)).rows] == ["linear"]


def test_work_that_depends_on_a_length():
    found = nw.summary(nw.Chain(4, nw.relu, 2, input=("n", 3)))
    assert [str(row.multiply_adds) for row in found.rows] == ["12*n", "0", "8*n"]
    assert str(found.multiply_adds) == "20*n"
    assert found.to_json()["multiply_adds"] == "20*n"


def test_shared_arrays_count_once():
    shared = nw.Shared("layer", nw.Linear(3))
    found = nw.summary(nw.Chain(shared, nw.relu, shared, input=3))
    assert [row.parameters for row in found.rows] == [12, 0, 0]
    assert (found.parameters, found.multiply_adds) == (12, 18)


def test_bytes_are_those_of_the_arrays_held():
    net = nw.initialize(nw.Chain(nw.Linear(3), input=2), seed=0)
    assert nw.summary(net).bytes == 36
    assert nw.summary(net.to(dtype=torch.float64)).bytes == 72


def test_groups_of_a_convolution_save_work():
    one, two = (nw.summary(nw.Chain(nw.Conv(8, 3, groups=g), input=(6, 6, 4))).multiply_adds for g in (1, 2))
    assert (one, two) == (16 * 9 * 4 * 8, 16 * 9 * 4 * 8 // 2)


def test_kinds_are_counted():
    assert nw.summary(lenet()).kinds == Counter(Conv=2, relu=3, MaxPool=2, Flatten=1, Linear=2, softmax=1)


def test_json_is_plain():
    found = nw.summary(lenet())
    again = json.loads(json.dumps(found.to_json()))
    assert again["parts"][0] == {
        "path": "conv1",
        "part": "Conv(20, 5)",
        "kind": "Conv",
        "sizes": "(24, 24, 20)",
        "parameters": 520,
        "bytes": 2080,
        "multiply_adds": 288000,
    }
    assert again["inputs"] == [{"port": "input", "codec": "Image(28, 28, 'gray')", "sizes": "(28, 28, 1)"}]
    assert again["parameters"] == 431080


def test_html_escapes_and_indents():
    page = nw.summary(nw.Chain(nw.Chain(nw.Linear(2)), input=2, output=nw.Category(["<a>", "b"])))._repr_html_()
    assert "&lt;a&gt;" in page and "<a>" not in page
    assert "padding-left:1.6em'>chain1/linear1" in page


def test_a_long_vocabulary_is_cut_in_the_table_but_whole_in_json():
    codec = nw.Words([f"word{i}" for i in range(100)])
    table = nw.summary(nw.Chain(nw.Embedding(2), nw.Last(), input=codec))
    line = str(table).split("\n")[2]
    assert line.split() == ["input", "Words(['word0',", "'word1',", "'word2',", "'word3',", "…", "(n,)", "<100>"]
    assert table.to_json()["inputs"] == [{"port": "input", "codec": repr(codec), "sizes": "(n,) <100>"}]


def test_what_inputs_multiply_with_one_another():
    x, query = nw.Input("x", ("n", 6)), nw.Input("query", (6,))
    assert str(nw.summary(nw.Graph(nw.MatMul()(x, query))).multiply_adds) == "6*n"
    whole = nw.summary(nw.Chain(nw.self_attention(6, 2), input=("n", 6)))
    assert str(whole.multiply_adds) == "12*n*n + 144*n"  # scores, means and four layers
    memory = nw.Input("memory", ("m", 6))
    other = nw.summary(nw.Graph(nw.Attention(2)(x, memory, memory)["output"]))
    assert str(other.multiply_adds) == "12*m*n"
    mapped = nw.summary(nw.Chain(nw.Map(nw.self_attention(6, 1)), input=("k", 4, 6)))
    assert str(mapped.multiply_adds) == f"{4 * 4 * 12 + 4 * 144}*k"


def test_its_repr_is_its_table():
    table = nw.summary(nw.Chain(3, nw.relu, input=2))
    assert repr(table) == str(table)
