"""The choice of the next element: greedy, drawn with its probability, and the same whoever else is in the batch."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.codecs.reading import Sample
from netwright.errors import NetError
from netwright.generate.choice import Greedy, chosen

CHANCES = torch.tensor([0.1, 0.4, 0.0, 0.3, 0.2])
MANY = 20_000


def shares(choose: Sample, log_probabilities: torch.Tensor = CHANCES.log()) -> torch.Tensor:  # noqa: B008
    """How often each element is drawn by many examples."""
    index, _ = chosen(choose, log_probabilities.expand(MANY, -1), 3, torch.arange(MANY))
    return index.bincount(minlength=log_probabilities.shape[-1]) / MANY


def test_greedy_takes_the_first_of_the_best():
    scores = torch.tensor([[-1.0, -0.5, -0.5], [-0.1, -math.inf, -2.0]])
    index, score = chosen(Greedy(), scores, 0, torch.tensor([0, 1]))
    assert index.tolist() == [1, 0]
    assert torch.equal(score, torch.tensor([-0.5, -0.1]))


def test_each_element_is_drawn_with_its_probability():
    assert torch.allclose(shares(Sample()), CHANCES, atol=0.012)
    assert shares(Sample())[2] == 0
    assert torch.allclose(shares(Sample(0.5)), CHANCES**2 / 0.3, atol=0.012)
    assert torch.allclose(shares(Sample(top_k=2)), torch.tensor([0, 4, 0, 3, 0]) / 7, atol=0.012)
    assert torch.allclose(shares(Sample(top_p=0.75)), torch.tensor([0, 4, 0, 3, 2]) / 9, atol=0.012)


def test_log_probabilities_need_not_be_normalized():
    masked = CHANCES.log().masked_fill(torch.tensor([0, 1, 0, 0, 0]).bool(), -math.inf)
    assert torch.allclose(shares(Sample(), masked), torch.tensor([1, 0, 0, 3, 2]) / 6, atol=0.012)
    _, score = chosen(Sample(0.1), masked.expand(1, -1), 0, torch.tensor([0]))
    assert score.item() == pytest.approx(math.log(0.3))  # as it was given, not as it was drawn


@given(seed=st.integers(0, 2**40), step=st.integers(0, 500), rows=st.permutations(range(6)), size=st.integers(1, 6))
def test_the_batch_changes_nothing(seed: int, step: int, rows: list[int], size: int):
    scores = torch.randn(6, 40, generator=torch.Generator().manual_seed(1)).log_softmax(-1)
    ids = torch.tensor([3, 900, 0, 1 << 40, 7, 8])
    whole, _ = chosen(Sample(seed=seed), scores, step, ids)
    some = torch.tensor(rows[:size])
    steps = torch.full((size,), step)
    assert torch.equal(chosen(Sample(seed=seed), scores[some], steps, ids[some])[0], whole[some])


def test_seed_step_and_example_each_draw_anew():
    scores, ids = torch.zeros(8, 1000), torch.arange(8)
    drawn = [chosen(Sample(seed=seed), scores, step, ids)[0].tolist() for seed in range(4) for step in range(4)]
    assert len({i for row in drawn for i in row}) > 110  # of 128 draws among 1,000


def test_an_element_that_may_not_come_never_does():
    scores = torch.full((MANY, 7), -math.inf)
    scores[:, 5] = -80.0
    for choose in (Greedy(), Sample(), Sample(1e3), Sample(1e-3), Sample(top_p=0.1), Sample(top_k=3)):
        index, score = chosen(choose, scores, 0, torch.arange(MANY))
        assert (index == 5).all()
        assert (score == -80).all()


def test_nothing_can_be_chosen():
    scores = torch.zeros(3, 2)
    scores[1] = -math.inf
    for choose in (Greedy(), Sample()):
        with pytest.raises(NetError) as error:
            chosen(choose, scores, 0, torch.tensor([4, 5, 6]))
        assert (
            str(error.value)
            == """\
no next element can be chosen
  where:    example 5
  expected: at least one element with a log-probability above -inf, and none that is NaN
  got:      -inf for every element"""
        )
    scores[0, 1] = math.nan
    for choose in (Greedy(), Sample(), Sample(top_k=1), Sample(top_p=0.5)):
        with pytest.raises(NetError, match="  where:    example 4\n") as error:
            chosen(choose, scores, 0, torch.tensor([4, 5, 6]))
        assert error.value.got == "NaN"
