"""Makes seeds out of what says which draw is meant, such as a seed and a path: draws have nothing in common."""

import hashlib

import torch


def seed_of(*parts: object) -> int:
    """A seed of 63 bits, which torch takes everywhere: a hash of the parts, the same in every process.

    Because of the hash, neighbouring seeds, epochs or positions have unrelated streams.
    """
    digest = hashlib.blake2b(" ".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator_of(*parts: object) -> torch.Generator:
    """A generator of random numbers whose stream is fixed by the parts."""
    return torch.Generator().manual_seed(seed_of(*parts))
