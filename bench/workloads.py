"""The shapes every bench peer trains, and their data, so that all peers race over the same examples."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 1e-3  # Adam's rate, for every peer
PAIRS = ("seq2seq", "transformer")  # workloads that read one sequence and say another
SMOLLM2 = {
    "hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
    "intermediate_size": 1536, "vocab_size": 49152, "tie_word_embeddings": True, "rms_norm_eps": 1e-5,
    "rope_theta": 100000.0, "max_position_embeddings": 8192,
}  # fmt: skip


@dataclass(frozen=True)
class Workload:
    """One net and its data: the sizes of an input example, what the output is, and the batch it is trained with.

    Fields:
        name: what the command line calls it, and what a peer looks up to build the net.
        batch: examples in one step.
        example: sizes of one input, features last; of a sequence of tokens, how many.
        classes: how many classes the output tells apart; 0 for a regression to one number.
        answer: of how many tokens an answer is, for nets that give one at every place; else 0.
        warm_up: steps before the clock starts, for every peer: compilers, allocators and caches settle in them.
    """

    name: str
    batch: int
    example: tuple[int, ...]
    classes: int
    answer: int = 0
    warm_up: int = 10

    def data(self, count: int, path: Path | None = None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Draw `count` examples: uint8 pictures and int64 labels, float32 points and float32 targets, int64 tokens.

        The last class is the mark before the first token of what is predicted: in front of `char`'s inputs, whose
        targets are the same texts with the mark behind; in front of the targets of those that read one sequence and say
        another, since their decoders read them too.
        With `path`, an .npz file with arrays `images` (n, 28, 28) or (n, 28, 28, 1) and `labels` (n,), both uint8,
        gives the pictures instead of the generator.
        """
        draw = np.random.default_rng(seed)
        if path is not None:
            with np.load(path, allow_pickle=False) as file:
                images, labels = file["images"][:count], file["labels"][:count]
            return images.reshape(-1, *self.example), labels.astype(np.int64)
        if self.name == "char":
            texts = draw.integers(0, self.classes - 1, (count, self.answer + 1))
            texts[:, [0, -1]] = self.classes - 1
            return texts[:, :-1], texts[:, 1:]
        if self.name in PAIRS:
            answers = draw.integers(0, self.classes - 1, (count, self.answer + 1))
            answers[:, 0] = self.classes - 1
            return draw.integers(0, self.classes, (count, *self.example)), answers
        if self.classes:
            images = draw.integers(0, 256, (count, *self.example), dtype=np.uint8)
            return images, draw.integers(0, self.classes, count)
        points = draw.uniform(-1, 1, (count, *self.example)).astype(np.float32)
        return points, np.sin(math.pi * points[:, :1]) * points[:, 1:]


WORKLOADS = {
    w.name: w
    for w in (
        Workload("lenet", batch=128, example=(28, 28, 1), classes=10),
        Workload("mlp", batch=64, example=(2,), classes=0),
        Workload("char", batch=32, example=(128,), classes=90, answer=128, warm_up=2),
        Workload("seq2seq", batch=128, example=(25,), classes=20, answer=15, warm_up=3),
        Workload("transformer", batch=128, example=(25,), classes=20, answer=15, warm_up=3),
    )
}
