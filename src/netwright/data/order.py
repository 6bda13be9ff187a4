"""Says in which order an epoch sees the examples: by seed and epoch alone, so resuming a run needs no history."""

import hashlib

import torch
from torch import Tensor


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
