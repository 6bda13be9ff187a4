"""The peak rate that is chosen: each rule with its reason, and which layers count as a row."""

import pytest

import netwright as nw
from netwright.training.prepare.peak import longest_row, numbers_asked, peak_rate

WIDE = nw.Chain(100, nw.relu, nw.Linear(3), input=900)
DEEP = nw.Chain(*(part for _ in range(7) for part in (nw.Linear(16), nw.relu)), nw.Linear(1), input=16)
NORMED = nw.Chain(*(part for _ in range(8) for part in (nw.Linear(16), nw.LayerNorm())), input=16)
BATCH_NORMED = nw.Chain(16, nw.BatchNorm(), nw.relu, nw.Linear(2), input=16)
READER = nw.Chain(nw.Embedding(32), nw.GRU(100), nw.Last(), nw.Linear(2), input="n <5>")


INPUTS = "because a neuron has up to"


@pytest.mark.parametrize(
    ("net", "batch", "numbers", "rate", "why"),
    [
        (WIDE, 64, False, 0.0047, f"0.14 / √900, {INPUTS} 900 inputs; kept between 0.0001 and 0.03"),
        (
            WIDE, 16, False, 0.0023,
            f"0.14 / √900, {INPUTS} 900 inputs; kept between 0.0001 and 0.03; "
            "times √(16 / 64), because the gradient of a small batch is noisy",
        ),
        (
            WIDE, 16, True, 0.0028,
            f"2.5 / 900, {INPUTS} 900 inputs and the answer is a number; kept between 0.0001 and 0.04",
        ),
        (
            DEEP, 1, False, 0.00063,
            f"0.14 / √16, {INPUTS} 16 inputs; kept between 0.0001 and 0.01; "
            "times 4 / 8, because 8 layers follow each other without a norm; "
            "times √(1 / 64), because the gradient of a small batch is noisy",
        ),
        (
            DEEP, 8, True, 0.02,
            f"2.5 / 16, {INPUTS} 16 inputs and the answer is a number; kept between 0.0001 and 0.04; "
            "times 4 / 8, because 8 layers follow each other without a norm",
        ),
        (
            NORMED, 8, True, 0.0035,
            f"0.14 / √16, {INPUTS} 16 inputs; kept between 0.0001 and 0.01; "
            "times √(8 / 64), because the gradient of a small batch is noisy",
        ),
        (BATCH_NORMED, 8, False, 0.01, f"0.14 / √16, {INPUTS} 16 inputs; kept between 0.0001 and 0.01"),
        (READER, 8, False, 0.01, f"0.14 / √100, {INPUTS} 100 inputs; kept between 0.0001 and 0.01"),
    ],
)  # fmt: skip
def test_the_peak_rate_follows_from_layers_batch_and_answer(net, batch, numbers, rate, why) -> None:
    assert peak_rate(net.plan, batch, numbers, {"n": 20} if net is READER else {}) == (rate, why)


def test_many_answers_to_an_example_make_a_gradient_less_noisy_but_many_numbers_do_not() -> None:
    def losing(loss: nw.Net) -> nw.Net:
        return nw.with_loss(nw.Chain(32, nw.relu, 32, nw.relu, nw.Linear(7), nw.sigmoid, input=25), loss)

    labels, numbers, one = (
        losing(nw.CrossEntropy("binary")),
        losing(nw.MSE()),
        losing(nw.MSE())["net"].append(nw.Max(0)),
    )
    assert numbers_asked(labels.plan, {}) == numbers_asked(numbers.plan, {}) == 7
    assert peak_rate(labels.plan, 8, False, {})[0] == 0.0094
    assert peak_rate(numbers.plan, 8, True, {})[0] == 0.0035
    assert peak_rate(nw.with_loss(one, nw.MSE()).plan, 8, True, {})[0] == 0.04


def test_a_row_ends_where_values_are_steadied_and_branches_are_not_added() -> None:
    assert longest_row(DEEP.plan) == 8
    assert longest_row(NORMED.plan) == 1
    assert longest_row(READER.plan) == 1
    branches = nw.Chain(nw.Parallel(4, [nw.Linear(4), nw.tanh, nw.Linear(4)]), nw.Concatenate(), nw.Linear(1), input=4)
    assert longest_row(branches.plan) == 3
    assert longest_row(nw.Chain(nw.Dropout(), nw.relu, input=4).plan) == 0
