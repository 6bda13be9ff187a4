"""Modules of PyTorch as parts: their arrays are the net's, their sizes are measured, torch's values come out."""

import pytest
import torch
from torch import Tensor, nn

import netwright as nw
from netwright.errors import NetError, SizeError


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((3,), 2.0))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


def stack() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())


def test_its_arrays_are_the_parts_arrays() -> None:
    module = nn.Linear(3, 5)
    part = nw.Module(module)
    assert {path: tuple(array.shape) for path, array in part.arrays.items()} == {"weight": (5, 3), "bias": (5,)}
    net = nw.Chain(part, nw.relu, input=3)
    x = torch.randn(4, 3)
    torch.testing.assert_close(net(x), module(x).relu())
    nn.init.zeros_(module.weight)
    assert net.arrays["module1/weight"].any()
    torch.testing.assert_close(nw.to_torch(net).state_dict()["module1.weight"], net.arrays["module1/weight"])


def test_pictures_have_their_channels_first_if_asked() -> None:
    module = stack()
    net = nw.Chain(nw.Module(module, layout="channels_first"), nw.Flatten(), nw.Linear(), input=(8, 8, 3), output=2)
    assert net.plan.shape(("module1", "output")) == (6, 6, 4)
    assert net.plan.arrays["linear1/weight"].known == (2, 144)
    x = torch.randn(2, 8, 8, 3)
    got = nw.initialize(net)(x, at="module1")
    torch.testing.assert_close(got, module.eval()(x.movedim(-1, 1)).movedim(1, -1))


def test_buffers_are_updated_by_training_only() -> None:
    net = nw.Chain(nw.Module(stack(), layout="channels_first"), input=(8, 8, 3))
    module, x = nw.to_torch(net), torch.randn(2, 3, 8, 8)
    before = net.arrays["module1/1/running_mean"]
    module.eval()(x)
    assert module.state_dict()["module1.1.running_mean"].equal(before)
    torch.testing.assert_close(module.train()(x), stack().train()(x))
    reference = stack().train()
    reference(x)
    torch.testing.assert_close(module.state_dict()["module1.1.running_mean"], reference[1].running_mean)
    assert module.state_dict()["module1.1.num_batches_tracked"] == 1
    assert net.arrays["module1/1/running_mean"].equal(before)


def test_equal_by_class_options_and_arrays() -> None:
    part = nw.Module(nn.Linear(3, 5))
    assert part == part.with_arrays(part.arrays)
    assert part != nw.Module(nn.Linear(3, 5))  # drawn anew
    assert nw.alike(part, nw.Module(nn.Linear(3, 5)))
    assert not nw.alike(part, nw.Module(nn.Linear(3, 5, bias=False)))
    assert part.import_name == "torch.nn.modules.linear.Linear"
    assert repr(part) == "Module(Linear(in_features=3, out_features=5, bias=True))"
    assert repr(nw.Module(nn.Identity(), "... -> ...", layout="channels_first")) == (
        "Module(Identity(), '... -> ...', layout='channels_first')"
    )


def test_missing_arrays_are_filled_as_torch_does() -> None:
    net = nw.Chain(nw.Module(stack()).bare(), input=(3, 8, 8))
    filled = nw.initialize(net, seed=1)
    assert filled == nw.initialize(net, seed=1)
    assert float(filled.arrays["module1/0/weight"].abs().max()) <= (1 / 27) ** 0.5  # torch's own bound
    assert filled.arrays["module1/1/running_var"].tolist() == [1] * 4
    with pytest.raises(NetError) as caught:
        nw.initialize(nw.Chain(nw.Module(Noisy()).bare(), input=3))
    assert str(caught.value) == (
        "only the module itself knows how to fill 'scale': it has no reset_parameters\n"
        "  where:    scale\n"
        "  got:      Noisy\n"
        "  mend:     put the module in again, with its arrays: net.replace(path, nw.Module(module))"
    )


def test_ports_can_be_given() -> None:
    net = nw.Chain(nw.Module(nn.Linear(3, 5), "... in -> ... out"), nw.relu, input=("n", 3))
    assert net(torch.randn(7, 3)).shape == (7, 5)
    bilinear = nw.Module(nn.Bilinear(2, 3, 4), "left: a, right: b -> out")
    pair = nw.Graph(both=(bilinear, "x", "y"), input={"x": 2, "y": 3})
    assert pair.plan.outputs == {"output": (4,)}


def test_refusals() -> None:
    with pytest.raises(NetError) as caught:
        nw.Module(torch.relu)  # type: ignore[arg-type]
    assert caught.value.what == "nw.Module takes a module of PyTorch"
    with pytest.raises(SizeError) as caught_size:
        nw.Chain(nw.Module(nn.Linear(3, 5)), input=4)
    assert caught_size.value.what == "module1: the module refuses an input of this size"
    assert caught_size.value.where == "input -> module1"
    with pytest.raises(SizeError) as caught_size:
        nw.Chain(nw.Module(nn.Linear(3, 5), "... in -> ... 4"), input=3)
    assert caught_size.value.what == "module1: the module gives another size than its port says"


def test_a_module_may_write_in_place() -> None:
    net = nw.Chain(nw.Residual(nw.Module(nn.ReLU(inplace=True))), input=4)
    x = torch.tensor([-1.0, 1.0, -2.0, 2.0])
    assert net(x).tolist() == [-1.0, 2.0, -2.0, 4.0]
    module = nw.to_torch(net)
    assert module(x[None]).tolist() == [[-1.0, 2.0, -2.0, 4.0]]
    assert module.train()(x[None]).tolist() == [[-1.0, 2.0, -2.0, 4.0]]
    assert x.tolist() == [-1.0, 1.0, -2.0, 2.0]
    pictures = nw.Chain(nw.Module(nn.ReLU(inplace=True), layout="channels_first"), input=(1, 2, 2))
    y = -torch.ones(1, 2, 2)
    assert not pictures(y).any()
    assert y.sum() == -4


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def test_modules_differ_by_what_their_text_does_not_show() -> None:
    assert repr(nw.Module(Times(2))) == repr(nw.Module(Times(3)))
    assert nw.Module(Times(2)) != nw.Module(Times(3))
    assert nw.Module(nn.Sequential(Times(2))) != nw.Module(nn.Sequential(Times(3)))
    assert nw.digest(nw.Module(Times(2))) == nw.digest(nw.Module(Times(2)))


def test_a_training_run_with_noise_of_torch_can_be_repeated() -> None:
    net = nw.Chain(nw.Linear(20), nw.Module(nn.Dropout(0.5)), 1, input=4)
    x = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = nw.train(net, (x, x[:, :1]), epochs=2, progress=False)
    assert torch.get_rng_state().equal(state)
    torch.manual_seed(2)
    assert nw.train(net, (x, x[:, :1]), epochs=2, progress=False).net == first.net
    assert nw.train(net, (x, x[:, :1]), epochs=2, progress=False, seed=1).net != first.net


def test_torchs_convolution_is_told_of_channels_first() -> None:
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.Module(nn.Conv2d(3, 4, 3)), nw.Flatten(), 2, input=(8, 8, 3))
    assert str(caught.value) == (
        "module1: the module refuses an input of this size\n"
        "  where:    input -> module1\n"
        "  expected: Invalid channel dimensions\n"
        "  got:      (8, 8, 3)   (8, 8, 3) from the input\n"
        '  mend:     layout="channels_first" in the nw.Module of module1 (checked: 402 parameters)'
    )


def test_a_module_with_more_outputs_than_its_ports_is_refused() -> None:
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.Module(nn.LSTM(3, 4, batch_first=True)), input=(5, 3))
    assert str(caught.value).startswith(
        "module1: the module gives another number of outputs than its ports say\n"
        "  where:    input -> module1\n"
        "  expected: 1, as in '*s -> *t'\n"
        "  got:      2"
    )
