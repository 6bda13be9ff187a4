"""Pictures that excite a channel: they do so, they are the same again, and they look as the weights say."""

import numpy as np
import torch

import netwright as nw
from messages import message

COLOURED = nw.initialize(nw.Chain(nw.Conv(4, 3), nw.relu, nw.Conv(5, 3), input=nw.Image(20, 24)), seed=1)


def mean_of(net: nw.Net, pictures: np.ndarray, at: str, channels: list[int]) -> list[float]:
    values = net(list(pictures), at=at)
    return [float(values[i, ..., channel].mean()) for i, channel in enumerate(channels)]


def test_the_pictures_excite_their_channels_more_than_noise_does() -> None:
    channels = [4, 0]
    found = nw.feature_visualization(COLOURED, "conv2", channels)
    assert found.shape == (2, 20, 24, 3) and found.dtype == np.uint8
    noise = np.random.default_rng(0).integers(0, 256, (40, 20, 24, 3), dtype=np.uint8)
    values = COLOURED(list(noise), at="conv2").mean((1, 2))
    for value, channel in zip(mean_of(COLOURED, found, "conv2", channels), channels, strict=True):
        assert value > float(values[:, channel].max())


def test_a_channel_that_sums_one_colour_gives_a_picture_of_this_colour() -> None:
    net = nw.Chain(nw.Conv(3, 1, bias=False), input=nw.Image(16, 16, mean=0.5, deviation=0.25))
    net = net.with_arrays({"conv1/weight": torch.eye(3).view(3, 3, 1, 1) * 2 - 1})
    red, green, blue = nw.feature_visualization(net, "conv1", [0, 1, 2], steps=40).mean((1, 2))
    assert red.argmax() == 0 and green.argmax() == 1 and blue.argmax() == 2


def test_gray_pictures_and_scores_of_classes() -> None:
    net = nw.Chain(nw.Flatten(), nw.Linear(), nw.softmax, input=nw.Image(8, 8, "gray"))
    net = nw.initialize(net.with_output(nw.Category(["a", "b"])), seed=0)
    found = nw.feature_visualization(net, "linear1", [1, 0], steps=30)
    assert found.shape == (2, 8, 8)
    noise = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    scores = net([*found, *noise], at="linear1")
    assert scores[0, 1] > scores[2:, 1].max() and scores[1, 0] > scores[2:, 0].max()


def test_the_seed_decides_and_the_other_channels_do_not() -> None:
    def pictures(channels: list[int], seed: int) -> np.ndarray:
        return nw.feature_visualization(COLOURED, "conv1", channels, steps=3, seed=seed).astype(int)

    both = pictures([2, 0], 7)
    assert np.array_equal(both, pictures([2, 0], 7))
    assert np.abs(both[1] - pictures([0], 7)[0]).max() <= 1  # a byte may be rounded to the other side
    assert np.abs(both - pictures([2, 0], 8)).max() > 1


def test_the_net_stays_as_it_is_and_gradients_may_be_off() -> None:
    before = {path: array.clone() for path, array in COLOURED.arrays.items()}
    with torch.inference_mode():
        nw.feature_visualization(COLOURED, "conv2", [0], steps=2)
    for path, array in COLOURED.arrays.items():
        assert torch.equal(array, before[path]) and array.grad is None


def test_what_has_no_picture_no_channel_or_no_part() -> None:
    def refused(net: nw.Net, at: str = "conv1", channels: tuple[int, ...] = (0,), **more: int) -> str:
        return message(nw.feature_visualization, net, at, channels, **more)

    assert refused(COLOURED, channels=(0, 4, -1)) == (
        "there is no such channel\n  where:    conv1\n  expected: numbers from 0 to 3\n  got:      4, -1"
    )
    assert "no part of this net has the path 'conv'" in refused(COLOURED, at="conv")
    free = nw.initialize(nw.Chain(nw.Conv(4, 3), input=nw.Image("h", "w")))
    assert refused(free) == (
        "features are shown for a net whose input is a picture of one size\n"
        "  where:    feature_visualization\n"
        "  expected: the input nw.Image with a height and a width in pixels, in gray or three colours\n"
        "  got:      Image('h', 'w')\n"
        "  mend:     net.with_input(nw.Image(128, 128, …))"
    )
    assert "got:      Array('3')" in refused(nw.initialize(nw.Chain(nw.Linear(2), input=3)), at="linear1")
    assert "the number of steps is a whole number of at least 1" in refused(COLOURED, steps=0)
    assert "a seed is a whole number" in refused(COLOURED, seed=-1)
    assert "how many channels are shown is a whole number of at least 1" in refused(COLOURED, channels=())
