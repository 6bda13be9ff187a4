"""Makes one net of a generator and a discriminator, which ends in their two losses."""

from typing import Any, cast

from netwright.errors import NetError, shortened
from netwright.layers.losses import CrossEntropy, TotalLoss
from netwright.layers.source import Constant, Normal
from netwright.net.graph import Graph, Input
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.plan import plan_of, shape_text
from netwright.net.plan.symbol import use
from netwright.training.prepare.labels import end_of

REAL, MADE = (1.0,), (0.0,)  # what the discriminator says of an example


def gan(generator: Net, discriminator: Net) -> Graph:
    """A net for the training of a generator against a discriminator, with both as its parts and two losses.

    For an example x of the data, numbers z that are drawn anew at every step, the generator G and the discriminator D:

        discriminator_loss = −ln D(x) − ln (1 − D(G(z))),   generator_loss = −ln D(G(z)).

    The second is the form that the source recommends, since its slope does not vanish while D is better than G. Train
    it with `objective=nw.Alternate({"discriminator": "discriminator_loss", "generator": "generator_loss"})` on one
    column of examples. Then `run.net["generator"]` is the trained generator, which makes examples as the encoder of
    the data gives them; `.with_output(run.net.inputs["input"])` lets it give them as they are in the data.

    Fields:
        generator: takes normal numbers of the sizes of its input, and gives what the discriminator takes.
        discriminator: gives one number, the probability that its input is an example of the data; it ends in
            `nw.sigmoid`. Its encoder is that of the examples.

    Raises: NetError for a generator whose input has no sizes yet, for several ports, and for a discriminator that does
        not end in one probability; SizeError where it does not take what the generator gives.

    Example:
        >>> import netwright as nw
        >>> generator, judge = nw.Chain(8, nw.relu, 2, input=4), nw.Chain(8, nw.relu, 1, nw.sigmoid, input=nw.Vector(2))
        >>> nw.gan(generator, judge).plan.outputs
        {'discriminator_loss': (), 'generator_loss': ()}

    Source: Goodfellow et al. 2014, "Generative Adversarial Nets", arXiv 1406.2661
    """
    for name, net in (("generator", generator), ("discriminator", discriminator)):
        expect_net(net, "gan")
        if (len(net.input_names), len(net.output_names)) != (1, 1):
            raise NetError(
                what=f"a {name} has one input and one output",
                where="gan",
                got=f"inputs {', '.join(net.input_names)}; outputs {', '.join(net.output_names)}",
            )
    _check_probability(discriminator)
    port = discriminator.input_names[0]
    real = Input("input", discriminator.held.inputs.get(port))
    made = use(generator, use(Normal(*_sizes(generator)), name="latent"), name="generator")
    judged = use(discriminator, real, name="discriminator"), use(discriminator, made, place="discriminator")
    truths = [use(Constant(truth)) for truth in (REAL, MADE, REAL)]
    seen, unseen, believed = (
        use(CrossEntropy("binary"), said, truth) for said, truth in zip((*judged, judged[1]), truths, strict=True)
    )
    return Graph({"discriminator_loss": use(TotalLoss(), seen, unseen), "generator_loss": believed})


def _sizes(generator: Net) -> tuple[int, ...]:
    """The sizes of the generator's input."""
    (shape,) = plan_of(generator).inputs.values()
    if not all(isinstance(size, int) for size in shape):
        raise NetError(
            what="the generator does not say how many numbers it takes",
            where="gan",
            expected="an input with sizes",
            got=shape_text(shape),
            mend="nw.Chain(…, input=8), for eight",
        )
    return cast(tuple[int, ...], shape)


def _check_probability(discriminator: Net) -> None:
    """Refuse a discriminator that does not end in one probability."""
    (output,) = discriminator.output_names
    end = end_of(discriminator, output)
    shape: Any = plan_of(discriminator).shape(dict(plan_of(discriminator).wiring.outputs)[output])
    if end.form == "binary" and (shape == (1,) or (shape and not isinstance(shape[-1], int))):
        return
    raise NetError(
        what="a discriminator gives one probability",
        where="gan",
        expected="(1,), behind nw.sigmoid",
        got=f"{shape_text(shape)}, behind {end.path or shortened(repr(discriminator), 60)}",
        mend="nw.Chain(…, nw.Linear(1), nw.sigmoid)",
    )
