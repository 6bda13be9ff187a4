"""Chooses nothing and says how the examples of a run vary: what the encoders of its inputs say."""

from netwright.errors import TrainingError, shortened
from netwright.net.part import Net
from netwright.training.feeds.batches import Batches
from netwright.training.prepare.choices import Chooser
from netwright.training.variation import BatchVariation

SHOWN = 4  # examples on the page of a run
LONGEST = 80  # characters of a codec in an error


def variation_of(choose: Chooser, feed: Batches, net: Net, seed: int) -> BatchVariation:
    """How the examples of a feed vary; it is said as a choice, if they do.

    Raises: TrainingError for a decoder that varies, since targets never do.
    """
    for name, codec in net.held.outputs.items():
        if codec.variation:
            raise TrainingError(
                what="the targets of a net do not vary, only its inputs",
                where=f"output {name!r}",
                got=shortened(repr(codec), LONGEST),
                mend="leave vary=… out of the decoder",
            )
    codecs = {port: codec for port, codec in feed.codecs.items() if codec.variation}
    for port, codec in codecs.items():
        name = "variation" if len(net.input_names) == 1 else f"variation of {port}"
        choose.say(name, codec.variation, "given with the encoder; it varies training alone")
    few = feed.first(SHOWN).inputs if codecs else {}
    shown = {port: [codec.decode(one) for one in few[port]] for port, codec in codecs.items()}
    return BatchVariation(codecs, seed, shown)
