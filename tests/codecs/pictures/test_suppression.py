"""Non-maximum suppression against the definition, written box by box."""

import pytest
import torch

from netwright.codecs.pictures.suppression import suppressed


def overlap_of(left: list[float], right: list[float]) -> float:
    across = min(left[2], right[2]) - max(left[0], right[0])
    down = min(left[3], right[3]) - max(left[1], right[1])
    shared = max(across, 0) * max(down, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (left, right)]
    return shared / (sum(areas) - shared)


def by_definition(boxes: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor, overlap: float) -> list[int]:
    """Each class by itself, then all by their scores."""
    kept: list[int] = []
    for label in set(labels.tolist()):
        own: list[int] = []
        for box in sorted(range(len(boxes)), key=lambda i: -float(scores[i])):
            free = all(overlap_of(boxes[box].tolist(), boxes[other].tolist()) <= overlap for other in own)
            own += [box] if labels[box] == label and free else []
        kept += own
    return sorted(kept, key=lambda i: -float(scores[i]))


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_definition(seed: int):
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(60, 2, generator=generator, dtype=torch.float64) * 20
    boxes = torch.cat([corner, corner + torch.rand(60, 2, generator=generator, dtype=torch.float64) * 20 + 1], 1)
    scores = torch.rand(60, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (60,), generator=generator)
    for overlap in (0.1, 0.5, 0.8):
        expected = by_definition(boxes, scores, labels, overlap)
        assert suppressed(boxes, scores, labels, overlap, 100).tolist() == expected
        assert suppressed(boxes, scores, labels, overlap, 5).tolist() == expected[:5]


def test_equal_scores_and_no_boxes():
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 4], [9, 9, 12, 12]])
    same = torch.full((3,), 0.5)
    assert suppressed(boxes, same, torch.zeros(3, dtype=torch.int64), 0.5, 9).tolist() == [0, 2]
    assert suppressed(boxes, same, torch.tensor([0, 1, 0]), 0.5, 9).tolist() == [0, 1, 2]
    assert suppressed(boxes[:0], same[:0], torch.zeros(0, dtype=torch.int64), 0.5, 9).tolist() == []
