"""Each reading of a distribution and of independent labels, against its formula."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.codecs.reading import Decision, Entropy, Probabilities, Raw, Sample, Top
from netwright.errors import NetError

LABELS = ("cat", "dog", "eel")
CHANCES = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)


def test_of_one_distribution():
    assert Decision().of(LABELS, CHANCES) == "dog"
    assert Probabilities().of(LABELS, CHANCES) == {"cat": 0.25, "dog": 0.5, "eel": 0.25}
    assert Top(1).of(LABELS, CHANCES) == {"dog": 0.5}
    assert Entropy().of(LABELS, CHANCES) == pytest.approx(1.5 * math.log(2))
    assert Raw().of(LABELS, CHANCES) is CHANCES


def test_of_independent_labels():
    chances = torch.tensor([0.5, 0.25, 1.0], dtype=torch.float64)
    assert Decision().of_each(LABELS, chances) == ("cat", "eel")
    assert Probabilities().of_each(LABELS, chances) == {"cat": 0.5, "dog": 0.25, "eel": 1.0}
    assert Top(2).of_each(LABELS, chances) == {"eel": 1.0, "cat": 0.5}
    dog = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert Entropy().of_each(LABELS, chances) == pytest.approx(math.log(2) + dog)


def test_top_is_sorted_and_stops_at_the_labels():
    chances = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    assert list(Top(9).of(LABELS, chances).items()) == [("eel", 0.5), ("dog", 0.3), ("cat", 0.2)]


def test_entropy_of_a_sure_net_prints_as_zero():
    assert str(Entropy().of(LABELS, torch.tensor([0.0, 1.0, 0.0]))) == "0.0"


def test_sample_follows_the_probabilities():
    drawn = Counter(Sample().at(i).of(LABELS, CHANCES) for i in range(4000))
    assert {label: drawn[label] / 4000 for label in LABELS} == pytest.approx(
        {"cat": 0.25, "dog": 0.5, "eel": 0.25}, abs=0.03
    )


def test_sample_of_independent_labels_draws_each_with_its_own():
    chances = torch.tensor([0.1, 0.6, 1.0])
    drawn = Counter(label for i in range(4000) for label in Sample().at(i).of_each(LABELS, chances))
    assert {label: drawn[label] / 4000 for label in LABELS} == pytest.approx(
        {"cat": 0.1, "dog": 0.6, "eel": 1}, abs=0.03
    )


def test_temperature_sharpens_and_flattens():
    cold = {Sample(temperature=0.01, seed=i).of(LABELS, CHANCES) for i in range(50)}
    assert cold == {"dog"}
    likely = torch.tensor([0.9, 0.1, 0.0])
    hot = Counter(Sample(temperature=1e4).at(i).of(LABELS, likely) for i in range(2000))
    assert hot["dog"] / 2000 == pytest.approx(0.5, abs=0.05)
    assert hot["eel"] == 0  # what is impossible stays so at any temperature


def test_top_k_keeps_the_most_probable():
    logs = torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.25, 0.25, 0.3, 0.2]], dtype=torch.float64).log()
    kept = Sample(top_k=2).distribution(logs).exp()
    assert torch.allclose(kept[0], torch.tensor([0, 4, 0, 3], dtype=torch.float64) / 7)
    assert torch.allclose(kept[1], torch.tensor([25, 25, 30, 0], dtype=torch.float64) / 80)  # equals stay together
    assert torch.equal(Sample(top_k=9).distribution(logs), Sample().distribution(logs))
    assert {Sample(top_k=1, seed=i).of(LABELS, CHANCES) for i in range(50)} == {"dog"}


def test_top_p_keeps_the_fewest_that_add_up():
    logs = torch.tensor([0.1, 0.4, 0.2, 0.3], dtype=torch.float64).log()
    for p, right in ((1e-9, [0, 1, 0, 0]), (0.39, [0, 1, 0, 0]), (0.41, [0, 4, 0, 3]), (0.75, [0, 4, 2, 3])):
        kept = Sample(top_p=p).distribution(logs).exp()
        assert torch.allclose(kept, torch.tensor(right, dtype=torch.float64) / sum(right))
    assert torch.allclose(Sample(top_p=1.0).distribution(logs), logs)
    assert torch.allclose(Sample(top_p=0.999).distribution(logs), logs)


def test_top_p_comes_after_temperature_and_top_k():
    logs = torch.tensor([0.1, 0.4, 0.2, 0.3], dtype=torch.float64).log()
    # 0.4 of the 0.7 that top_k leaves is 0.57; of their squares 0.64
    assert (Sample(top_k=2, top_p=0.6).distribution(logs).exp() > 0).tolist() == [False, True, False, True]
    assert (Sample(0.5, top_k=2, top_p=0.6).distribution(logs).exp() > 0).tolist() == [False, True, False, False]


@given(st.lists(st.floats(-20, 5), min_size=1, max_size=12), st.floats(0.01, 1), st.integers(1, 12))
def test_what_is_drawn_from_is_a_distribution(logits: list[float], top_p: float, top_k: int):
    logs = torch.tensor([*logits, -math.inf], dtype=torch.float64)
    chances = Sample(top_k=top_k, top_p=top_p).distribution(logs).exp()
    assert chances.sum().item() == pytest.approx(1)
    assert chances[-1] == 0
    assert chances[logs.argmax()] > 0
    kept = logs[chances > 0]
    assert (logs[chances == 0] < kept.min()).all()


def test_top_k_and_top_p_are_for_labels_of_which_one_is_true():
    with pytest.raises(NetError) as error:
        Sample(0.5, top_k=2, seed=3).of_each(LABELS, CHANCES)
    assert (
        str(error.value)
        == """\
top_k and top_p choose among labels of which one is true; here each is true or not by itself
  got:      Sample(temperature=0.5, top_k=2, top_p=None, seed=3)
  mend:     nw.Sample(0.5, seed=3)"""
    )


@given(seed=st.integers(0, 2**62), row=st.integers(0, 2**40), position=st.integers(0, 2**40))
def test_a_draw_is_a_function_of_seed_and_position(seed: int, row: int, position: int):
    reading = Sample(seed=seed).at(row).at(position)
    assert reading == Sample(seed=seed).at(row).at(position)
    assert reading.of(LABELS, CHANCES) == reading.of(LABELS, CHANCES)
    assert 0 <= reading.seed < 2**63
    assert reading != Sample(seed=seed).at(row)
    assert reading != Sample(seed=seed).at(row + 1).at(position)
    assert Sample(seed=seed).at(row + 1) != Sample(seed=seed + 1).at(row)


def test_readings_that_do_not_draw_are_the_same_at_every_position():
    assert all(reading.at(5) is reading for reading in (Decision(), Probabilities(), Top(2), Entropy(), Raw()))


def test_options_out_of_range():
    with pytest.raises(NetError) as error:
        Top(0)
    assert (
        str(error.value)
        == """\
the number of labels is a whole number of at least 1
  where:    Top
  got:      0"""
    )
    for temperature in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(NetError) as error:
            Sample(temperature)
        assert (
            str(error.value)
            == f"""\
a temperature is a number above zero
  got:      {temperature}
  mend:     for the most probable label, leave the reading out
  or:       for the most probable element at each step of a sequence, strategy=nw.Greedy()"""
        )


def test_cuts_out_of_range():
    for top_k in (0, 1.5, True):
        with pytest.raises(NetError) as error:
            Sample(top_k=top_k)  # type: ignore[arg-type]
        assert (
            str(error.value)
            == f"""\
top_k is a whole number of at least 1
  where:    Sample
  got:      {top_k}"""
        )
    for top_p in (0.0, 1.5, math.nan, "a"):
        with pytest.raises(NetError) as error:
            Sample(top_p=top_p)  # type: ignore[arg-type]
        assert (
            str(error.value)
            == f"""\
top_p is a share of the probability
  expected: a number above 0 and at most 1, or None
  got:      {top_p!r}"""
        )


def test_other_types_are_refused():
    with pytest.raises(NetError) as error:
        Top("a")  # type: ignore[arg-type]
    text = "the number of labels is a whole number of at least 1\n  where:    Top\n  got:      'a'"
    assert str(error.value) == text
    with pytest.raises(NetError, match="a temperature is a number above zero\n  got:      'a'"):
        Sample("a")  # type: ignore[arg-type]


def test_numbers_of_numpy_are_kept_and_printed_as_plain_ones():
    sample = Sample(np.float64(0.5), top_k=np.int64(3), seed=np.int64(1))  # type: ignore[arg-type]
    assert repr(sample) == "Sample(temperature=0.5, top_k=3, top_p=None, seed=1)"
    assert repr(Top(np.int64(2))) == "Top(count=2)"  # type: ignore[arg-type]
