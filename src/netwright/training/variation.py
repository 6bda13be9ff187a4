"""Varies the batch of a step as the encoders of the net say, by random numbers of the run."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from torch import Tensor

from netwright.codecs.codec import Codec
from netwright.codecs.vary.variation import Draw
from netwright.net.run.noise import Noise
from netwright.training.batch import Batch
from netwright.training.mixup import Mixup
from netwright.value import Value


class BatchVariation(Value, eq=False):
    """How the examples of a run vary: keyed like the noise of dropout, by seed, step, port and example.

    Fields: `codecs` are those that vary, by port; the batch has their ports as they are stored. `examples` are a few
    raw ones of these ports, to be shown. `mixup` mixes the examples then, with their targets. `places` are the decoders
    whose targets are places in the input that varies, by port of the target; there is one such input then.
    """

    codecs: Mapping[str, Codec]
    seed: int
    examples: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, Sequence[Any]])
    mixup: Mixup | None = None
    places: Mapping[str, Codec] = field(default_factory=dict[str, Codec])

    def __call__(self, batch: Batch, step: int) -> Batch:
        """The batch as the net sees it in this step."""
        if self.codecs:
            batch = self._varied(batch, step)
        return batch if self.mixup is None else self.mixup(batch, step)

    def _varied(self, batch: Batch, step: int) -> Batch:
        noise = Noise(self.seed, step, batch.examples)
        inputs: dict[str, Tensor] = dict(batch.inputs)
        for port, codec in self.codecs.items():
            inputs[port] = codec.prepare(codec.varied(inputs[port], noise_of_port(noise, port)))
            moves = codec.moves(batch.size, noise_of_port(noise, port)) if self.places else None
            if moves is not None:
                inputs |= {target: codec.moved(inputs[target], moves) for target, codec in self.places.items()}
        return Batch(inputs, batch.examples, batch.weights, batch.lengths)


def noise_of_port(noise: Noise, port: str) -> Draw:
    """The random numbers by which the examples of one port vary."""
    return lambda name: noise.at(f"varied {port} {name}")
