"""The order in which an epoch sees the examples: by seed and epoch alone, so that resuming a run needs no history."""

import hashlib

import torch
from torch import Tensor

BLUR = 0.1  # a length is drawn up to this much longer, so that an example meets others in every epoch


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
    return torch.randperm(n, generator=generator(seed, "epoch", epoch), device="cpu")  # (n,)


def bucketed_order(lengths: Tensor, size: int, seed: int, epoch: int) -> Tensor:
    """The order of an epoch in which batches of `size`, cut from it one after another, hold examples of like length.

    Examples are sorted by their length times a random factor between 1 and 1.1, cut into batches, and the batches are
    shuffled; the last one may be short, and its examples are of any length. This pads half as much as pools of 50
    batches that are drawn by chance and sorted, since each pool has a long end, and it serves small data too.

    Args:
        lengths: (n,) of the examples.
        size: examples in a batch.

    Returns:
        An int64 permutation (n,), fixed by the lengths, the size, the seed and the epoch.

    Example:
        >>> lengths = torch.tensor([7, 1, 7, 1, 7, 1, 7, 1])
        >>> sorted(lengths[bucketed_order(lengths, 2, seed=0, epoch=1)].view(4, 2).tolist())
        [[1, 1], [1, 1], [7, 7], [7, 7]]
    """
    n, draw = len(lengths), generator(seed, "batches", epoch)
    blurred = lengths * (1 + BLUR * torch.rand(n, generator=draw, dtype=torch.float64, device="cpu"))
    order = blurred.argsort()
    whole, rest = divmod(n, size)
    place = size * int(torch.randint(whole + 1, (), generator=draw, device="cpu"))
    full = torch.cat([order[:place], order[place + rest :]]).view(whole, size)
    full = full[torch.randperm(whole, generator=draw, device="cpu")]
    return torch.cat([full.flatten(), order[place : place + rest]])  # (n,)


def blocked_order(parts: Tensor, blocks: Tensor, opened: int, seed: int, epoch: int) -> Tensor:
    """The order of an epoch over examples that lie in parts, of which few are read side by side, block by block.

    The parts come in a random order. So many of them are open at once; of these the first blocks come, then the
    second ones, and so on; the examples in the blocks that are open come in a random order.

    Args:
        parts: (n,), the number of the part in which each example lies, from 0 on.
        blocks: (n,), the number of its block in the part, from 0 on.
        opened: parts that are open at once.

    Returns:
        An int64 permutation (n,), fixed by the arguments.

    Example:
        >>> parts, blocks = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1]), torch.tensor([0, 0, 1, 1, 0, 0, 1, 1])
        >>> blocked_order(parts, blocks, 2, seed=0, epoch=1).view(2, 4).sort().values.tolist()
        [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    draw = generator(seed, "blocks", epoch)
    turn = torch.randperm(int(parts.max()) + 1, generator=draw, device="cpu")[parts] // opened  # (n,)
    window = turn * (int(blocks.max()) + 1) + blocks  # (n,)
    return (window + torch.rand(len(parts), generator=draw, dtype=torch.float64, device="cpu")).argsort()  # (n,)


def batch_sizes(count: int, size: int, least: int = 1) -> list[int]:
    """How many examples each batch of an epoch has: `size`, and the last the rest.

    Fewer than `least` make no batch of their own: they join the one before, if there is one.

    Example:
        >>> batch_sizes(13, 4), batch_sizes(13, 4, least=2)
        ([4, 4, 4, 1], [4, 4, 5])
    """
    whole, rest = divmod(count, size)
    sizes = [size] * whole
    if rest and rest < least and sizes:
        sizes[-1] += rest
    elif rest:
        sizes.append(rest)
    return sizes


def padded(lengths: Tensor, order: Tensor, size: int) -> int:
    """How many elements batches of `size` hold when each is as long as its longest example.

    Args:
        lengths: (n,) of the examples, or (n, axes) for examples that vary along several axes.
        order: (n,) in which they come.

    Example:
        >>> padded(torch.tensor([2, 3, 9, 9]), torch.arange(4), 2)
        24
    """
    batches = lengths.view(len(lengths), -1)[order].split(size)
    return sum(len(batch) * int(batch.amax(0).prod()) for batch in batches)
