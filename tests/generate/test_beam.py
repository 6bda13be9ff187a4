"""Beam search from its pure steps, against all sequences tried; ties, endings and what is finished."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from netwright.errors import NetError
from netwright.generate.beam import Beam, Finished, expanded, first_beam

V, END, MOST = 3, 2, 4


def model(seed: int) -> dict[tuple[int, ...], Tensor]:
    """Log-probabilities of the next element behind every beginning."""
    generator = torch.Generator().manual_seed(seed)
    begun = [said for n in range(MOST) for said in itertools.product(range(V), repeat=n)]
    return {said: torch.randn(V, generator=generator, dtype=torch.float64).log_softmax(-1) for said in begun}


def search(tables: list[dict[tuple[int, ...], Tensor]], beam: Beam) -> Finished:
    """The best sequences that end within MOST elements, the end counted, of one model an example."""
    b, k = len(tables), beam.width
    like = torch.zeros(b, dtype=torch.float64)
    scores, said, finished = first_beam(k, like), torch.zeros(b, k, 0, dtype=torch.int64), Finished.none(k, like)
    for n in range(1, MOST + 1):
        rows = [[tables[i][tuple(said[i, j].tolist())] for j in range(k)] for i in range(b)]
        step = expanded(scores, torch.stack([torch.stack(row) for row in rows]), END)
        ending = torch.cat([said, torch.full((b, k, 1), END)], 2)
        finished = finished.joined(beam, step.ended, ending, n)
        before = said.gather(1, step.parent.unsqueeze(-1).expand(-1, -1, n - 1))
        scores, said = step.scores, torch.cat([before, step.element.unsqueeze(-1)], 2)
    return finished


def every(table: dict[tuple[int, ...], Tensor], beam: Beam) -> list[tuple[float, tuple[int, ...]]]:
    """All sequences that end within MOST elements with their normalized scores, the best first."""
    found: list[tuple[float, tuple[int, ...]]] = []
    for n in range(1, MOST + 1):
        for said in itertools.product(range(V - 1), repeat=n - 1):
            whole = (*said, END)
            score = sum(table[whole[:i]][whole[i]].item() for i in range(n))
            found.append((score / n**beam.length_penalty, whole))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0])
def test_a_beam_that_is_wide_enough_finds_the_best(penalty: float):
    beam, tables = Beam(30, penalty), [model(seed) for seed in range(4)]
    finished = search(tables, beam)
    for i, table in enumerate(tables):
        right = every(table, beam)
        assert len(right) == 15
        assert finished.scores[i, :15].tolist() == pytest.approx([score for score, _ in right])
        assert finished.scores[i, 15:].tolist() == [-math.inf] * 15
        for j, (_, said) in enumerate(right):
            assert finished.lengths[i, j] == len(said)
            assert finished.elements[i, j].tolist() == [*said, *[0] * (MOST - len(said))]


@pytest.mark.parametrize("width", [1, 2, 4])
def test_the_batch_changes_nothing(width: int):
    tables = [model(seed) for seed in range(3)]
    together = search(tables, Beam(width))
    for i, table in enumerate(tables):
        alone = search([table], Beam(width))
        assert torch.equal(alone.scores[0], together.scores[i])
        assert torch.equal(alone.elements[0], together.elements[i])


def test_a_beam_of_one_is_greedy():
    table = model(9)
    scores, said, log_p = first_beam(1, torch.zeros(1)), (), 0.0
    for _ in range(MOST):
        best = int(table[said].argmax())
        log_p += table[said][best].item()
        step = expanded(scores, table[said].float().reshape(1, 1, V))
        said, scores = (*said, int(step.element)), step.scores
        assert (said[-1], int(step.parent)) == (best, 0)
        assert scores.item() == pytest.approx(log_p, rel=1e-5)


def test_ties_go_to_the_earlier_hypothesis_and_element():
    for k, v in ((4, 50), (3, 2), (2, 20_000)):
        step = expanded(torch.zeros(2, k), torch.zeros(2, k, v))
        first = torch.arange(k)
        assert torch.equal(step.parent, (first // v).expand(2, k))
        assert torch.equal(step.element, (first % v).expand(2, k))
    scores = torch.tensor([[[-2.0, -1.0, -2.0, -2.0, -1.0]]]).expand(1, 2, 5)
    step = expanded(torch.zeros(1, 2), scores)
    assert (step.parent.tolist(), step.element.tolist()) == ([[0, 0]], [[1, 4]])


def test_an_improbable_ending_is_none():
    chances = torch.tensor([[[0.5, 0.4, 0.1], [0.1, 0.1, 0.8]]])
    step = expanded(torch.tensor([[0.0, -0.1]]), chances.log(), END)
    assert step.ended.tolist() == [[-math.inf, pytest.approx(math.log(0.8) - 0.1)]]
    assert step.parent.tolist() == [[0, 0]]
    assert step.element.tolist() == [[0, 1]]
    assert expanded(torch.tensor([[0.0, -0.1]]), chances.log()).ended.tolist() == [[-math.inf] * 2]


def test_an_ending_that_is_just_among_the_best_counts():
    chances = torch.tensor([[[0.3, 0.2, 0.5]]])
    assert expanded(torch.zeros(1, 1), chances.log(), END).ended.tolist() == [[pytest.approx(math.log(0.5))]]


def test_what_a_grammar_forbids_does_not_go_on():
    none = -math.inf
    step = expanded(torch.tensor([[0.0, none, none]]), torch.tensor([[[none, -1.0, -0.5]] * 3]), END)
    assert step.scores.tolist() == [[-1.0, none, none]]
    assert (step.parent[0, 0].item(), step.element[0, 0].item()) == (0, 1)
    assert step.ended.tolist() == [[-0.5, none, none]]


def test_joined_keeps_the_best_and_the_earlier_of_equals():
    beam = Beam(2)
    first = Finished.none(2, torch.zeros(1)).joined(
        beam, torch.tensor([[-2.0, -math.inf]]), torch.ones(1, 2, 1).long(), 1
    )
    assert first.scores.tolist() == [[-2.0, -math.inf]]
    elements = torch.tensor([[[3, 3], [4, 4]]])
    both = first.joined(beam, torch.tensor([[-4.0, -1.0]]), elements, torch.tensor([2]))
    assert both.scores.tolist() == [[-0.5, -2.0]]
    assert both.elements.tolist() == [[[4, 4], [1, 0]]]
    assert both.lengths.tolist() == [[2, 1]]


def test_settled():
    beam, like = Beam(2), torch.zeros(1)
    one = Finished.none(2, like).joined(beam, torch.tensor([[-2.0, -math.inf]]), torch.ones(1, 2, 1).long(), 1)
    two = one.joined(beam, torch.tensor([[-2.0, -math.inf]]), torch.ones(1, 2, 2).long(), 2)  # the worst has -2
    live = torch.tensor([[-5.0, -9.0]])
    assert one.settled(beam, live, 2).tolist() == [False]  # one may still be found
    assert two.settled(beam, live, 2).tolist() == [True]
    assert two.settled(beam, live, 3).tolist() == [False]
    assert one.settled(beam, torch.full((1, 2), -math.inf), 2).tolist() == [True]  # none goes on


def test_options_out_of_range():
    for width in (0, 1.5, True):
        with pytest.raises(NetError) as error:
            Beam(width)  # type: ignore[arg-type]
        assert str(error.value) == f"the width is a whole number of at least 1\n  where:    Beam\n  got:      {width}"
    for penalty in (-1.0, math.inf, math.nan, "a"):
        with pytest.raises(NetError) as error:
            Beam(4, penalty)  # type: ignore[arg-type]
        assert (
            str(error.value)
            == f"""\
a length penalty is an exponent
  expected: a number from 0 (sums of log-probabilities) on; 1 is their mean
  got:      {penalty!r}"""
        )


def test_nan_is_named():
    with pytest.raises(NetError) as error:
        expanded(torch.zeros(1, 2), torch.full((1, 2, 3), math.nan))
    assert str(error.value) == "a beam cannot go on: the net gives NaN\n  where:    log_probabilities\n  got:      NaN"


def test_numbers_of_numpy_are_kept_and_printed_as_plain_ones() -> None:
    beam = Beam(np.int64(2), np.float64(0.5))  # type: ignore[arg-type]
    assert repr(beam) == "Beam(width=2, length_penalty=0.5)"
