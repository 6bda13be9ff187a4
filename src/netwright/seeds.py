"""Makes seeds out of what says which draw is meant, such as a seed and a path: draws have nothing in common.

Code of a user's own draws from the generators of the process; these are left as they were.
"""

import hashlib
import random
from collections.abc import Generator

import numpy as np
import torch

from netwright.around import around


def seed_of(*parts: object) -> int:
    """A seed of 63 bits, which torch takes everywhere: a hash of the parts, the same in every process.

    Because of the hash, neighbouring seeds, epochs or positions have unrelated streams.
    """
    digest = hashlib.blake2b(" ".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator_of(*parts: object) -> torch.Generator:
    """A generator of random numbers whose stream is fixed by the parts."""
    return torch.Generator().manual_seed(seed_of(*parts))


@around
def torch_drawing_from(seed: int, device: torch.device | None = None) -> Generator[None]:
    """Let torch's generators start at a seed, and leave them as they were; that of a CUDA device too if it is given."""
    cuda = device if device is not None and device.type == "cuda" else None
    state = torch.get_rng_state()
    cuda_state = None if cuda is None else torch.cuda.get_rng_state(cuda)
    try:
        torch.default_generator.manual_seed(seed)
        if cuda is not None:
            with torch.cuda.device(cuda):
                torch.cuda.manual_seed(seed)
        yield
    finally:
        torch.set_rng_state(state)
        if cuda is not None and cuda_state is not None:
            torch.cuda.set_rng_state(cuda_state, cuda)


@around
def drawing_from(seed: int) -> Generator[None]:
    """Let the generators of torch, numpy and Python start at a seed, and leave them as they were."""
    of_numpy, of_python = np.random.get_state(), random.getstate()
    try:
        np.random.seed(seed % 2**32)
        random.seed(seed)
        with torch_drawing_from(seed):
            yield
    finally:
        np.random.set_state(of_numpy)
        random.setstate(of_python)
