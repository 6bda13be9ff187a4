"""Holds what nw.cost tells: totals and parts, formulas and their numbers, the largest batch, and plain errors."""

import json

import pytest

import netwright as nw
from netwright.errors import NetError
from netwright.net.cost import multiply_adds
from netwright.net.memory import memory_of, training_bytes

LINES = nw.Chain(nw.Linear(8), nw.tanh, nw.Linear(2), input=("n", 4))
UNKNOWN = nw.Chain(nw.Linear(8), nw.Linear(2))


def test_the_table_has_each_part_and_the_totals() -> None:
    block = nw.Chain(block=nw.Chain(nw.Conv(4, 3), nw.relu), flatten=nw.Flatten(), linear=nw.Linear(2), input=(6, 6, 1))
    assert str(nw.cost(block)) == "\n".join(
        [
            "path     part     parameters  bytes  multiply-adds  bytes kept",
            "--------------------------------------------------------------",
            "block    Chain",
            "  conv1  Conv             40    160            576         144",
            "  relu1  relu              0      0              0         256",
            "flatten  Flatten           0      0              0           0",
            "linear   Linear          130    520            128           0",
            "--------------------------------------------------------------",
            "total                    170    680            704         400",
            "bytes of one example at once: 1,184 in training, 656 in use",
        ]
    )
    assert repr(nw.cost(block)) == str(nw.cost(block))


def test_parts_are_found_by_their_paths() -> None:
    found = nw.cost(LINES)
    assert (found["linear1"].parameters, str(found["linear1"].multiply_adds), found["tanh1"].kind) == (
        40,
        "32*n",
        "tanh",
    )
    assert (found.parameters, found.bytes, found.sizes) == (58, 232, ("n",))


def test_lengths_take_the_places_of_names() -> None:
    x, y = nw.Input("x", ("m", 8)), nw.Input("y", ("n", 8))
    found = nw.cost(nw.Graph(nw.Attention(2)(x, y, y)["output"]))
    assert (str(found.multiply_adds), str(found.at(n=10).multiply_adds)) == ("16*m*n", "160*m")
    both = found.at(m=3, n=10)
    assert (both.multiply_adds, both.sizes, both["attention1"].multiply_adds) == (480, (), 480)
    assert nw.cost(LINES).at() == nw.cost(LINES)


def test_the_greatest_of_several_moments_is_written_as_such() -> None:
    found = nw.cost(nw.Chain(nw.self_attention(8, 2), nw.Mean(0), 64, 64, input=("n", 8)))
    assert str(found).endswith(f"{found.use}".replace("*n", "·n") + " in use")
    assert found.at(n=1).use == 512 + 32
    assert found.at(n=50).use == 8000


def test_shared_arrays_count_once_and_their_work_each_time() -> None:
    shared = nw.Shared("layer", nw.Linear(3))
    found = nw.cost(nw.Chain(shared, shared, input=3))
    assert [part.parameters for part in found.parts] == [12, 0]
    assert found.multiply_adds == 18


def test_summary_and_training_take_the_same_numbers() -> None:
    net = nw.Chain(nw.self_attention(8, 2), nw.Linear(4), input=(10, 8))
    found, table = nw.cost(net), nw.summary(net)
    assert table.cost == found
    assert [row.multiply_adds for row in table.rows] == [part.multiply_adds for part in found.parts]
    assert found.multiply_adds == multiply_adds(net.plan)
    assert (found.training, found.use) == (training_bytes(net.plan), memory_of(net.plan).use)


def test_the_largest_batch_fits_beside_the_weights() -> None:
    found = nw.cost(nw.Chain(100, nw.relu, 10, input=50))
    held = 6110 * 6 * 4
    assert isinstance(found.training, int)
    assert found.largest_batch(held + 7 * found.training) == 7
    assert found.largest_batch(held + 7 * found.training - 1) == 6
    assert found.largest_batch(held - 1) == 0
    assert found.largest_batch(held + 7 * found.training, nw.SGD()) > 7
    assert found.largest_batch(held + 7 * found.training, "sgd") > 7
    assert found.largest_batch() > 1000


def test_the_largest_batch_gets_smaller_with_the_square_of_the_length_where_scores_are_kept() -> None:
    x = nw.Input("x", ("n", 16))
    read = nw.Attention(2)(nw.Linear(16)(x), nw.Linear(16)(x), nw.Linear(16)(x))
    found = nw.cost(nw.Graph({"output": read["output"], "scores": read["scores"]}))
    few, many = (found.largest_batch(10**11, n=n) for n in (2000, 1000))
    assert 3.8 < many / few < 4


def test_work_grows_with_the_length_in_recurrent_nets_and_with_its_square_in_attention() -> None:
    recurrent = nw.cost(nw.Chain(nw.GRU(32), input=("n", 32)))
    attentive = nw.cost(nw.Chain(nw.self_attention(32, 4), input=("n", 32)))
    assert str(recurrent.multiply_adds) == "6144*n"
    assert str(attentive.multiply_adds) == "64*n*n + 4096*n"


def test_it_is_plain_data_for_json() -> None:
    found = nw.cost(LINES).to_json()
    assert json.loads(json.dumps(found)) == found
    assert found["kept"] == "48*n"
    assert nw.cost(UNKNOWN).to_json()["training"] is None


def test_it_is_a_table_in_a_notebook() -> None:
    text = nw.cost(LINES)._repr_html_()
    assert "<th scope='row' style='padding-left:0.6em'>linear1</th><td>Linear</td><td>40</td>" in text
    assert text.endswith("<p>bytes of one example at once: 160·n in training, 80·n in use</p>")


def test_what_is_not_known_is_a_question_mark() -> None:
    found = nw.cost(UNKNOWN)
    assert (found.parameters, found.multiply_adds, found.kept, found.training, found.use) == (None,) * 5
    assert str(found).endswith("bytes of one example at once: ? in training, ? in use")
    assert nw.cost(nw.initialize(nw.Chain(3, input=2), seed=0)).parameters == 9


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (
            lambda: nw.cost(LINES).at(m=3),
            "nothing that this net costs depends on a size 'm'\n  where:    nw.cost\n  expected: n\n  got:      m",
        ),
        (
            lambda: nw.cost(nw.Chain(3, input=2)).at(n=3),
            "nothing that this net costs depends on a size 'n'\n  where:    nw.cost\n"
            "  expected: no size: every number is fixed\n  got:      n",
        ),
        (
            lambda: nw.cost(LINES).at(n=0),
            "the length 'n' is a whole number of at least 1\n  where:    nw.cost\n  got:      0",
        ),
        (
            lambda: nw.cost(LINES).largest_batch(-1, n=3),
            "memory, in bytes, is a whole number of at least 0\n  where:    largest_batch\n  got:      -1",
        ),
        (
            lambda: nw.cost(LINES).largest_batch(1000),
            "how much memory an example takes depends on its lengths, and one is not given\n"
            "  where:    largest_batch\n  expected: n\n  got:      none\n  mend:     cost.largest_batch(n=…)",
        ),
        (
            lambda: nw.cost(UNKNOWN).largest_batch(1000),
            "how much memory an example takes is not known while a size is not\n  where:    largest_batch\n"
            "  mend:     nw.cost(net) of a net whose input says its sizes, such as input=(28, 28, 1)",
        ),
        (
            lambda: nw.cost(LINES)["linear3"],
            "there is no such part\n  where:    nw.cost\n  expected: the path of a part\n  got:      'linear3'\n"
            "  mend:     did you mean 'linear2' or 'linear1'?",
        ),
    ],
)
def test_bad_input_is_a_plain_error(call, error: str) -> None:
    with pytest.raises(NetError) as caught:
        call()
    assert str(caught.value) == error


def test_what_is_no_net_is_refused() -> None:
    with pytest.raises(NetError) as caught:
        nw.cost([3, 4])  # pyright: ignore[reportArgumentType]
    assert "cost" in str(caught.value) and "[3, 4]" in str(caught.value)
