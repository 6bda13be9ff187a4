"""Says how the examples of a run vary: as the encoders of its inputs say, and mixed with each other where asked for."""

from netwright.errors import TrainingError, shortened
from netwright.net.part import Net
from netwright.training.feeds.batches import Batches
from netwright.training.mixup import Mixup
from netwright.training.prepare.choices import Chooser
from netwright.training.variation import BatchVariation

SHOWN = 4  # examples on the page of a run
LONGEST = 80  # characters of a codec in an error


def variation_of(choose: Chooser, feed: Batches, net: Net, seed: int, mixup: float | None) -> BatchVariation:
    """How the examples of a feed vary; it is said as a choice, if they do. `mixup` is the setting.

    Raises: TrainingError for a decoder that varies, since targets never do, and for examples that cannot be mixed.
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
    places = {
        target: codec for target, codec in feed.codecs.items() if target not in net.input_names and codec.about_places
    }
    if places and len(codecs) > 1:
        raise TrainingError(
            what="targets of places move with their picture, and several inputs vary",
            where=f"port {next(iter(places))!r}",
            expected="one input that varies",
            got=", ".join(codecs),
            mend="leave vary=… out of the other inputs",
        )
    few = feed.first(SHOWN).inputs if codecs else {}
    shown = {port: [codec.decode(one) for one in few[port]] for port, codec in codecs.items()}
    if mixup is not None:
        _check_mixable(feed)
    return BatchVariation(codecs, seed, shown, None if mixup is None else Mixup(mixup, seed), places)


def _check_mixable(feed: Batches) -> None:
    """Refuse to mix what is no number, and sequences that differ in length."""
    batch = feed.first(1)
    for port, value in batch.inputs.items():
        if not value.is_floating_point() or feed.typical:
            raise TrainingError(
                what="mixup mixes examples that are numbers, all of one size",
                where=f"port {port!r}",
                got="lengths that differ" if value.is_floating_point() else shortened(repr(feed.codecs[port]), LONGEST),
                mend="leave mixup out",
            )
