"""A generator against a discriminator: the two losses, a distribution that is learned, and what is refused."""

import numpy as np
import pytest
import torch

import netwright as nw
from messages import message
from netwright.net.run.noise import Noise

GAN = nw.Alternate({"discriminator": "discriminator_loss", "generator": "generator_loss"})


def test_the_losses_are_those_of_the_source() -> None:
    generator, judge = nw.Chain(5, nw.tanh, 2, input=3), nw.Chain(4, nw.tanh, 1, nw.sigmoid, input=nw.Vector(2))
    net = nw.initialize(nw.gan(generator, judge), seed=0)
    assert net.input_names == ("input",) and net.output_names == ("discriminator_loss", "generator_loss")
    assert net.inputs["input"] == nw.Vector(2)
    net = net.with_input(2)
    x = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    noise = Noise(0, 0, torch.arange(6), "latent")  # what a call draws
    z = nw.Normal(3).forward({}, batch=6, like=x, random=noise)
    made = net["generator"](nw.batch(z))
    on_real, on_made = (net["discriminator"](nw.batch(values)).flatten() for values in (x, made))
    found = net.with_input(2)(nw.batch(x))
    torch.testing.assert_close(found["discriminator_loss"], -on_real.log() - (1 - on_made).log())
    torch.testing.assert_close(found["generator_loss"], -on_made.log())


def test_a_generator_learns_a_distribution() -> None:
    """Quantiles of what it makes are those of the data, to 0.3 of the deviation: of six seeds the worst had 0.16."""
    draw = np.random.default_rng(0)
    data = np.where(draw.random(2000) < 0.5, draw.normal(-2, 0.3, 2000), draw.normal(2, 0.5, 2000))
    generator = nw.Chain(32, nw.relu, 32, nw.relu, 1, input=4)
    judge = nw.Chain(32, nw.relu, 32, nw.relu, 1, nw.sigmoid, input=nw.Vector(1))
    options = {
        "epochs": 100,
        "batch_size": 100,
        "learning_rate": 0.004,
        "ema": 0.995,
        "schedule": "constant",
        "threads": 1,
    }
    run = nw.train(
        nw.gan(generator, judge), data[:, None], objective=GAN, optimizer=nw.Adam(beta1=0.5), progress=False, **options
    )
    maker = run.net["generator"].with_output(run.net.inputs["input"])
    made = np.array(maker(nw.batch(torch.randn(4000, 4, generator=torch.Generator().manual_seed(1)))))
    levels = np.linspace(0.05, 0.95, 19)
    apart = np.abs(np.quantile(made, levels) - np.quantile(data, levels)).mean()
    assert apart < 0.3 * data.std()
    normal = np.quantile(draw.normal(data.mean(), data.std(), 4000), levels)
    assert np.abs(normal - np.quantile(data, levels)).mean() > apart  # it is not only the mean and the deviation


def test_what_is_no_pair_is_refused() -> None:
    generator, judge = nw.Chain(5, nw.tanh, 2, input=3), nw.Chain(4, nw.tanh, 1, nw.sigmoid, input=2)
    assert message(lambda: nw.gan(nw.Chain(5, nw.tanh, 2), judge)) == (
        "the generator does not say how many numbers it takes\n  where:    gan\n  expected: an input with sizes\n"
        "  got:      (..., ?)\n  mend:     nw.Chain(…, input=8), for eight"
    )
    for wrong, got in (
        (nw.Chain(4, nw.tanh, 1, input=2), "(1,), behind linear2"),
        (nw.Chain(4, nw.tanh, 2, nw.sigmoid, input=2), "(2,), behind sigmoid1"),
        (nw.Chain(4, nw.tanh, 2, nw.softmax, input=2), "(2,), behind softmax1"),
    ):
        assert message(lambda wrong=wrong: nw.gan(generator, wrong)) == (
            "a discriminator gives one probability\n  where:    gan\n  expected: (1,), behind nw.sigmoid\n"
            f"  got:      {got}\n  mend:     nw.Chain(…, nw.Linear(1), nw.sigmoid)"
        )
    assert message(lambda: nw.gan(nw.Parallel(a=1, b=1, input=2), judge)) == (
        "a generator has one input and one output\n  where:    gan\n  got:      inputs input; outputs a, b"
    )
    assert message(lambda: nw.gan(generator, 3)) == "gan takes a net\n  got:      3"
    with pytest.raises(nw.SizeError):
        nw.gan(nw.Chain(5, nw.tanh, 3, input=3), judge).plan  # noqa: B018  # the sizes are solved when they are asked for
