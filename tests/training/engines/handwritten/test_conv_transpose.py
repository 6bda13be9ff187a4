"""Transposed convolution: every option as autograd, and what is declined."""

import pytest
import torch

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.training.engines.handwritten.conv_transpose import transposed_convolution
from netwright.training.engines.handwritten.engine import Written
from netwright.training.engines.handwritten.kernel import KernelSite

OPTIONS = {
    "plain": nw.ConvTranspose(4, 2, stride=2),
    "overlapping": nw.ConvTranspose(4, (3, 4), stride=2),
    "padding": nw.ConvTranspose(4, 4, stride=2, padding=1),
    "output padding": nw.ConvTranspose(4, 3, stride=3, padding=1, output_padding=(2, 1)),
    "dilation": nw.ConvTranspose(4, 2, stride=2, dilation=3),
    "no bias": nw.ConvTranspose(4, 2, stride=(1, 2), bias=False),
    "one channel out": nw.ConvTranspose(1, 3),
    "same": nw.ConvTranspose(4, 4, stride=2, padding="same"),
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("before", [nw.Conv(3, 1), nw.tanh])
def test_options_as_autograd(name, before) -> None:
    net = nw.Chain(before, OPTIONS[name], nw.tanh, nw.Flatten(), nw.Linear(2), input=(5, 4, 3))
    torch.manual_seed(0)
    one, other = engines(net, nw.MSE())
    assert isinstance(other, Written)
    for count in (3, 1, 3):
        assert_same_gradient(one, other, batch_of(torch.randn(count, 5, 4, 3), torch.randn(count, 2)), 5e-6)


def test_in_bf16_as_near_to_float32_as_autograd_is() -> None:
    net = nw.Chain(nw.Conv(16, 3, padding=1), nw.tanh, nw.ConvTranspose(8, 2, stride=2), nw.tanh, nw.Flatten(),
                   nw.Linear(2), input=(6, 6, 3))  # fmt: skip
    torch.manual_seed(0)
    batch = batch_of(torch.randn(4, 6, 6, 3), torch.randn(4, 2))
    exact, _ = engines(net, nw.MSE())
    exact.gradient(batch, 0)
    for engine in engines(net, nw.MSE(), torch.bfloat16):
        engine.gradient(batch, 0)
        for path in exact.flat.spans:
            wanted, got = (e.flat.view(e.flat.gradient, path).flatten() for e in (exact, engine))
            assert torch.cosine_similarity(wanted, got, 0) > 0.999, path


def test_what_is_declined() -> None:
    """Another number of axes, groups, and an axis that is cut at one side alone."""
    line, picture = ((2, 8, 4), (2, 8, 8, 4))
    for leaf, shape in (
        (nw.ConvTranspose(4, 2), line),
        (nw.ConvTranspose(4, 2, groups=2), picture),
        (nw.ConvTranspose(4, 2, padding="same"), picture),
    ):
        assert transposed_convolution(KernelSite((), shape, torch.float32), [leaf]) is None


def test_a_u_net_is_written_out_and_as_autograd() -> None:
    """Masks with pixels that do not count, and weights of the examples, included."""
    torch.manual_seed(0)
    net = nw.unet(range(3), image=nw.Image(16, 16), width=4, depth=2).with_input((16, 16, 3))
    mask = torch.randint(-1, 3, (4, 16, 16))
    mask[1] = -1
    for loss, target in ((nw.CrossEntropy(), mask.clamp_min(0)), (nw.CrossEntropy(partial=True), mask)):
        for weights in (None, torch.tensor([1.0, 0.5, 2.0, 0.5])):
            one, other = engines(net, loss)
            assert isinstance(other, Written)
            assert_same_gradient(one, other, batch_of(torch.randn(4, 16, 16, 3), target, weights), 2e-5)
