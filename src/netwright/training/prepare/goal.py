"""What a net is trained for: the loss that follows from its decoder, and the net that ends in it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from netwright.codecs.boxes import Boxes
from netwright.codecs.chances import ClassChances
from netwright.codecs.codec import Answer, Codec
from netwright.codecs.number import Number, Vector
from netwright.errors import TrainingError, shortened
from netwright.layers.ctc import CTCLoss
from netwright.layers.detection import DetectionLoss
from netwright.layers.losses import MAE, MSE, CrossEntropy, Huber
from netwright.net.node import Node
from netwright.net.part import Net
from netwright.net.plan.plan import plan_of
from netwright.training.prepare.labels import NetEnd, end_of
from netwright.training.prepare.with_loss import with_loss, with_weights
from netwright.value import Value


def _of_classes(codec: Codec) -> Net:
    return CrossEntropy(partial=codec.partial)


def _of_boxes(codec: Codec) -> Net:
    """The loss of a detector whose pictures have one size, since its cells follow from it."""
    assert isinstance(codec, Boxes)
    if isinstance(codec.height, str) or isinstance(codec.width, str):
        raise TrainingError(
            what="a detector learns from pictures of one size, since its grids follow from it",
            expected="a height and a width in pixels",
            got=repr(codec),
            mend="nw.Boxes(labels, height, width), as those of the net's nw.Image",
        )
    return DetectionLoss(codec.height, codec.width, cast(tuple[int, ...], codec.strides))


LOSSES: Mapping[Answer, Callable[[Codec], Net]] = {
    "class": _of_classes,
    "elements": _of_classes,
    "yes or no": lambda _: CrossEntropy("binary"),
    "labels": lambda _: CrossEntropy("binary"),
    "numbers": lambda _: MSE(),
    "boxes": _of_boxes,
    "transcript": lambda _: CTCLoss(),
}


MIXABLE = (CrossEntropy, MSE, MAE, Huber)  # losses of targets that may be any numbers


class Goal(Value):
    """A net that ends in losses, and which part of it is the user's.

    Fields: `net` ends in losses; `targets` its ports that the loss compares with; `prefix` the path of the user's net
    in it, empty when the user's net ends in losses itself; `name` and `why` the text of the choice and its reason;
    `losses` pairs the outputs of the user's net that have a loss with the outputs of `net` that are these losses;
    `mixup` the setting, for which the targets are numbers.
    """

    net: Net
    targets: tuple[str, ...]
    prefix: str
    name: str
    why: str
    losses: Mapping[str, str]
    mixup: float | None = None


def goal_of(
    net: Net,
    loss: Any,
    smoothing: float | None = None,
    weights: Mapping[str, float] | None = None,
    mixup: float | None = None,
) -> Goal:
    """The net with its loss: given, its own, or the one its decoder asks for.

    Raises: TrainingError for a smoothing of labels without a cross entropy, for a loss whose targets cannot be mixed,
        and where no loss fits; NetError for weights of losses that are not there.
    """
    if loss is None and ends_in_losses(net):
        if smoothing is not None:
            raise _not_smoothed(
                "the net ends in a loss of its own", f"nw.CrossEntropy(smoothing={smoothing}) in the net"
            )
        if mixup is not None:
            raise _not_mixed("the net ends in a loss of its own")
        weighted, prefix = (net, "") if weights is None else (with_weights(net, weights), "net/")
        own = {name: name for name in net.output_names}
        return Goal(weighted, (), prefix, "the net's own", "the net ends in losses", own)
    why = "given" if loss is not None else ""
    if loss is None:
        for name in net.output_names:
            _check_softmax(end_of(net, name), name)
        chosen = {name: loss_for(net.held.outputs.get(name), name, end_of(net, name)) for name in net.output_names}
        loss = chosen if len(chosen) > 1 else next(iter(chosen.values()))
        why = "the decoder is " + " and ".join(
            _told(net.held.outputs[name], end_of(net, name)) for name in net.output_names
        )
    loss = loss if smoothing is None else _smoothed(loss, smoothing)
    said = _loss_name(loss)
    if mixup is not None:
        net, loss = _mixable(net, loss)
    whole = with_loss(net, loss, weights)
    targets = tuple(name for name in whole.input_names if name not in net.input_names)
    named = list(cast(Mapping[str, Any], loss)) if isinstance(loss, Mapping) else [net.output_names[0]]
    losses = dict(zip(named, whole.output_names, strict=True))
    return Goal(whole, targets, "net/", said, why, losses, mixup)


def _mixable(net: Net, loss: Any) -> tuple[Net, Any]:
    """The net and the loss with targets that can be mixed: of classes the probabilities in place of the index."""
    name = net.output_names[0]
    each = dict(cast(Mapping[str, Any], loss)) if isinstance(loss, Mapping) else {name: loss}
    decoders = dict(net.held.outputs)
    for output, one in each.items():
        if not isinstance(one, MIXABLE) or (isinstance(one, CrossEntropy) and one.partial):
            raise _not_mixed(_loss_name(one))
        codec = decoders.get(output)
        if isinstance(one, CrossEntropy) and one.form == "index" and codec is not None and codec.answer == "class":
            each[output] = replace(one, form="probabilities")
            decoders[output] = ClassChances(codec)
    return net.holding(outputs=decoders), each if isinstance(loss, Mapping) else each[name]


def _not_mixed(got: str) -> TrainingError:
    return TrainingError(
        what="mixup mixes targets, and it is not known what this loss makes of mixed ones",
        where="mixup",
        expected=" or ".join(f"nw.{kind.__name__}" for kind in MIXABLE),
        got=got,
        mend="leave mixup out",
    )


def _smoothed(loss: Any, smoothing: float) -> Any:
    """The same losses with smoothed targets, where they are cross entropies."""
    if isinstance(loss, CrossEntropy):
        return _smoother(loss, smoothing)
    each = cast(Mapping[str, Any], loss) if isinstance(loss, Mapping) else {}
    if not any(isinstance(one, CrossEntropy) for one in each.values()):
        raise _not_smoothed(_loss_name(loss), "leave label_smoothing out")
    return {name: _smoother(one, smoothing) if isinstance(one, CrossEntropy) else one for name, one in each.items()}


def _smoother(loss: CrossEntropy, smoothing: float) -> CrossEntropy:
    """The same loss with smoothed targets.

    Raises: TrainingError where it smooths them otherwise already.
    """
    if loss.smoothing not in (0, smoothing):
        raise TrainingError(
            what="the smoothing of the labels is said twice",
            where="label_smoothing",
            got=f"{smoothing:g}, and loss={loss}",
            mend="leave label_smoothing out",
        )
    return replace(loss, smoothing=smoothing)


def _not_smoothed(got: str, mend: str) -> TrainingError:
    return TrainingError(
        what="labels are smoothed by a cross entropy", where="label_smoothing", expected="classes", got=got, mend=mend
    )


def _told(codec: Codec | None, end: NetEnd) -> str:
    """A decoder in words; with the reason if it leaves numbers on their side of 0."""
    centred = isinstance(codec, Number | Vector) and (codec.scale is None or codec.scale[0] == 0)
    reason = f", with the mean 0: {end.path} gives only {end.limits}" if centred and end.limits and not end.form else ""
    return shortened(repr(codec), 60) + reason


def loss_for(codec: Codec | None, output: str, end: NetEnd) -> Net:
    """The loss that fits a decoder: cross entropy for classes and labels, squared error for numbers.

    Plain numbers that come from a softmax or a sigmoid are probabilities, so they too have a cross entropy.
    """
    if codec is not None and codec.answer is not None:
        if codec.answer == "numbers" and end.form:
            return _loss_of_chances(codec, output, end)
        return LOSSES[codec.answer](codec)
    raise TrainingError(
        what="no loss follows from this output",
        where=f"output {output!r}",
        got=repr(codec),
        mend=("give the net a decoder, such as output=nw.Category([…]) or output=nw.Number()", "loss=nw.MSE()"),
    )


def _loss_of_chances(codec: Codec, output: str, end: NetEnd) -> Net:
    """The cross entropy of probabilities that are compared with numbers."""
    if codec.scale is None:
        return CrossEntropy("binary" if end.form == "binary" else "probabilities")
    raise TrainingError(
        what="the net gives probabilities, and its decoder reads standardized numbers, which go beyond 0 to 1",
        where=f"{end.path} -> {output}",
        expected="a decoder of labels or probabilities",
        got=repr(codec),
        mend=(
            f"leave out {end.path}, for numbers of any size",
            "output=nw.Boolean(), for yes and no" if end.form == "binary" else "output=nw.Category(), for classes",
        ),
    )


def _check_softmax(end: NetEnd, output: str) -> None:
    """Raise an error for a net whose answer is always the same: a softmax over one value."""
    if end.form == "probabilities" and end.width == 1:
        raise TrainingError(
            what="the net ends in a softmax over one value, which is always 1",
            where=f"{end.path} -> {output}",
            mend=f"nw.sigmoid in place of {end.path}",
        )


def gives_classes(codec: Codec) -> bool:
    """Whether a decoder reads a distribution over classes, one or one for each position, and encodes as their index."""
    return codec.answer in ("class", "elements")


def gives_numbers(net: Net) -> bool:
    """Whether all answers of a net are numbers that are no probabilities, so that its loss is a squared error."""
    outputs = net.held.outputs
    return bool(outputs) and all(
        codec.answer == "numbers" and not end_of(net, name).form for name, codec in outputs.items()
    )


def ends_in_losses(net: Node) -> bool:
    """Whether every output of a net is a single number that a loss gives, or that is called one."""
    plan = plan_of(net)
    leaves = {op.path: op.leaf for op in plan.wiring.ops}
    return all(
        (slot[0] in leaves and leaves[slot[0]].is_loss) or (_is_called_loss(name) and plan.shape(slot) == ())
        for name, slot in plan.wiring.outputs
    )


def mend_of_unnamed_loss(net: Net) -> str:
    """The mend for a net whose outputs may be losses but are not named so; the empty text for any other net."""
    plan = plan_of(net)
    single = all(plan.shape(slot) == () for _, slot in plan.wiring.outputs)
    if not single or net.held.outputs or ends_in_losses(net):
        return ""
    return 'the name loss for the output, such as ports = "… -> loss: ()", if the net ends in a loss of its own'


def _is_called_loss(name: str) -> bool:
    """Whether an output's name says that it is a loss, as those of `with_loss` do."""
    return name == "loss" or name.endswith("_loss")


def _loss_name(loss: object) -> str:
    return ", ".join(f"{k}: {v!r}" for k, v in loss.items()) if isinstance(loss, Mapping) else repr(loss)
