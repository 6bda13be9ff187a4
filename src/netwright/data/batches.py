"""Says which examples each step sees: a function of seed and epoch alone, so resuming a run needs no history."""

import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor

from netwright.errors import DataError


def generator(*key: int | str) -> torch.Generator:
    """A generator of random numbers whose stream is fixed by the key, the same in every process.

    The key is hashed, so that neighbouring seeds and epochs have unrelated streams.
    """
    digest = hashlib.sha256(repr(key).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)  # torch takes 63 bits everywhere


def epoch_order(n: int, seed: int, epoch: int) -> Tensor:
    """The order in which epoch number `epoch` sees n examples: an int64 permutation (n,).

    Example:
        >>> sorted(epoch_order(4, seed=0, epoch=1).tolist())
        [0, 1, 2, 3]
    """
    return torch.randperm(n, generator=generator(seed, "epoch", epoch))  # (n,)


def batches(n: int, size: int, seed: int, epoch: int) -> Iterator[Tensor]:
    """The index batches of one epoch: each example once, `size` at a time.

    The last batch is short when `size` does not divide n. It is kept: dropping it would leave some examples out of an
    epoch, and a small data set without a single batch.

    Args:
        n: examples there are.
        size: examples a batch.
        seed: with `epoch`, the whole of what the order depends on.
        epoch: counted from 0.

    Returns:
        int64 tensors (size,), the last one perhaps shorter.

    Raises:
        DataError: no examples, or a size below one.

    Example:
        >>> [len(batch) for batch in batches(10, 4, seed=0, epoch=0)]
        [4, 4, 2]
    """
    if n < 1:
        raise DataError(what="there are no examples to batch", expected="at least 1", got=str(n))
    if size < 1:
        raise DataError(what="a batch holds no example", expected="a size of at least 1", got=str(size))
    return iter(epoch_order(n, seed, epoch).split(size))
