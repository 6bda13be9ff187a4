"""Stores random boxes with the mean average precisions that pycocotools gives."""

import contextlib
import io
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tools import store

PICTURES, CLASSES = 40, 4


def boxes(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Targets and answers as rows: picture, left, top, right, bottom, class, score."""
    targets: list[list[float]] = []
    answers: list[list[float]] = []
    for picture in range(PICTURES):
        for _ in range(random.integers(0, 6)):
            left, top = random.uniform(0, 80, 2)
            width, height = random.uniform(4, 40, 2)
            box, label = [left, top, left + width, top + height], int(random.integers(CLASSES))
            targets.append([picture, *box, label, 1.0])
            for _ in range(random.integers(0, 3)):  # found, sometimes twice, sometimes as another class
                moved = np.array(box) + random.normal(0, 2.0, 4)
                said = label if random.random() < 0.85 else int(random.integers(CLASSES))
                answers.append([picture, *moved, said, round(float(random.uniform(0.3, 1)), 2)])
        for _ in range(random.integers(0, 3)):
            left, top = random.uniform(0, 80, 2)
            answers.append(
                [picture, left, top, left + 9, top + 9, int(random.integers(CLASSES)), float(random.random())]
            )
    crowded = [[0.0, 1.0 + 0.01 * i, 1.0, 9.0, 9.0, 0, 0.5 - 0.001 * i] for i in range(130)]  # more than 100 count
    return np.array(targets), np.array([row for row in answers + crowded if row[1] < row[3] and row[2] < row[4]])


def coco(rows: np.ndarray) -> list[dict[str, Any]]:
    """Rows as pycocotools takes them."""
    return [
        {
            "id": i + 1,
            "image_id": int(picture),
            "category_id": int(label),
            "bbox": [left, top, right - left, bottom - top],
            "area": (right - left) * (bottom - top),
            "iscrowd": 0,
            "score": score,
        }
        for i, (picture, left, top, right, bottom, label, score) in enumerate(rows.tolist())
    ]


def main() -> None:
    targets, answers = boxes(np.random.default_rng(7))
    with contextlib.redirect_stdout(io.StringIO()):
        there = COCO()
        there.dataset = {
            "images": [{"id": i} for i in range(PICTURES)],
            "categories": [{"id": i} for i in range(CLASSES)],
            "annotations": coco(targets),
        }
        there.createIndex()
        found = COCOeval(there, there.loadRes(coco(answers)), "bbox")
        found.evaluate()
        found.accumulate()
        found.summarize()
    store("detection", ["pycocotools"], targets=targets, answers=answers, map=found.stats[0], map50=found.stats[1])


main()
