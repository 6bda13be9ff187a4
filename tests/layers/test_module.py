"""Modules of PyTorch as parts: their arrays are the net's, their sizes are measured, torch's values come out."""

from pathlib import Path
from threading import Lock

import pytest
import torch
from torch import Tensor, nn

import netwright as nw
from netwright.errors import FileError, MissingArraysError, NetError, SizeError


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


def test_missing_arrays_are_never_drawn_anew() -> None:
    net = nw.Chain(nw.Module(stack()).bare(), nw.Flatten(), nw.Linear(2), input=(3, 8, 8))
    for method in (None, "kaiming"):
        with pytest.raises(MissingArraysError) as caught:
            nw.initialize(net, method=method)
    assert str(caught.value) == (
        "7 arrays cannot be drawn anew: they come with foreign code\n"
        "  where:    module1/0/weight, module1/0/bias, module1/1/weight, module1/1/bias, module1/1/running_mean, "
        "module1/1/running_var and 1 more\n"
        "  mend:     net.replace(path, nw.Module(module)), with the module that has them\n"
        "  or:       net.with_arrays(arrays)"
    )
    mended = nw.initialize(net.replace("module1", nw.Module(stack())))
    assert mended.arrays["module1/0/weight"].equal(stack()[0].weight)


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
    assert caught_size.value.what == "module1: Linear raises RuntimeError for an input of this size"
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
        "module1: Conv2d raises RuntimeError for an input of this size\n"
        "  where:    input -> module1\n"
        "  expected: Given groups=1, weight of size [4, 3, 3, 3], expected input[2, 8, 8, 3] to have 3 channels, but"
        " got 8 channels instead\n"
        "  got:      (8, 8, 3)   (8, 8, 3) from the input\n"
        "  mend:     layout='channels_first' in the nw.Module of module1 (checked: 402 parameters)"
    )


def test_a_module_with_more_outputs_than_its_ports_is_refused() -> None:
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.Module(nn.LSTM(3, 4, batch_first=True)), input=(5, 3))
    assert str(caught.value).startswith(
        "module1: the module gives another number of outputs than its ports say\n"
        "  where:    input -> module1\n"
        "  expected: 1, as in '*s -> *t'\n"
        "  got:      3"  # the outputs of every step, and two last states
    )


class Tied(nn.Module):
    """A language model in small: what reads a word and what says one share their array."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = nn.Embedding(5, 3)
        self.says = nn.Linear(3, 5)
        self.says.weight = self.reads.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.says(self.reads(x))


def test_tied_arrays_are_one_through_training_files_and_edits() -> None:
    module, x = Tied(), torch.tensor([[0, 1, 4], [2, 2, 3]])
    net = nw.Chain(nw.Module(module, "... <5> -> ... 5"), nw.softmax, input="n <5>")
    names = {"module1/reads/weight", "module1/says/bias"}
    assert net.arrays.keys() == names
    torch.testing.assert_close(nw.apply(net, {}, x), module(x).softmax(-1))
    assert nw.initialize(net, seed=3) == net
    texts = [[0, 1, 2, 3, 4] * 3, [4, 3, 2, 1]] * 4
    trained = nw.train(net.with_output(nw.Each(nw.Category(range(5)))), (texts, texts), epochs=2, progress=False).net
    assert trained.arrays.keys() == names
    edited = trained.rename("module1", "model").append(nw.Linear(2)).delete("linear1")
    assert edited.arrays.keys() == {name.replace("module1", "model") for name in names}
    state = {name.removeprefix("module1/").replace("/", "."): array for name, array in trained.arrays.items()}
    module.load_state_dict({**state, "says.weight": state["reads.weight"]})
    torch.testing.assert_close(nw.apply(trained, {}, x), module(x).softmax(-1))
    assert nw.to_torch(trained).state_dict().keys() == {name.replace("/", ".") for name in names}


def test_a_file_knows_what_is_tied_and_what_is_frozen(tmp_path: Path) -> None:
    still = Tied()
    still.says.bias.requires_grad_(False)
    net = nw.Chain(nw.Module(still, "... <5> -> ... 5"), input="n <5>")
    nw.save(net, tmp_path / "tied.net")
    name = "tests.layers.test_module.Tied" if __name__.startswith("tests") else f"{__name__}.Tied"
    assert nw.load(tmp_path / "tied.net", functions={name: still}) == net
    loose = Tied()
    loose.says.weight = nn.Parameter(loose.says.weight.detach().clone())
    for other in (loose, Tied()):
        with pytest.raises(FileError) as caught:
            nw.load(tmp_path / "tied.net", functions={name: other})
        assert caught.value.what == f"no module that was supplied as {name} has the options that were saved"
        assert nw.Module(other) != nw.Module(still)


def test_what_is_frozen_stays_as_it_is() -> None:
    module = nn.Linear(3, 3)
    module.weight.requires_grad_(False)
    net = nw.Chain(nw.Module(module), 1, input=3)
    x = torch.randn(32, 3)
    trained = nw.train(net, (x, x[:, :1]), epochs=2, progress=False).net
    assert trained.arrays["module1/weight"].equal(module.weight)
    assert not trained.arrays["module1/bias"].equal(module.bias)
    plain = nw.to_torch(trained)
    assert [name for name, _ in plain.named_parameters()] == ["module1.bias", "linear1.weight", "linear1.bias"]
    assert "module1.weight" in plain.state_dict()


def test_it_may_read_indices_and_run_in_any_float_type() -> None:
    module = nn.Embedding(10, 3)
    net = nw.Chain(nw.Module(module, "... <10> -> ... 3"), input="5 <10>")
    assert net.plan.outputs == {"output": (5, 3)}
    assert net((1, 2, 3, 4, 9)).equal(module.weight[[1, 2, 3, 4, 9]].detach())
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        for other in (nn.Conv1d(3, 3, 1), nn.PReLU(), nn.Bilinear(4, 4, 4)):
            module = other.to(dtype)
            ports = "a: *s, b: *s -> *t" if isinstance(module, nn.Bilinear) else "*s -> *t"
            names = ["x", "y"] if isinstance(module, nn.Bilinear) else ["x"]
            graph = nw.Graph(one=(nw.Module(module, ports), *names), input=dict.fromkeys(names, (3, 4)))
            assert graph.plan.outputs == {"output": (3, 4)}
    net = nw.Chain(nw.Module(nn.Conv1d(3, 2, 1).double()), input=(3, 4))
    assert net(torch.ones(3, 4)).dtype == torch.float64


def test_over_a_varying_length_each_example_is_as_if_alone() -> None:
    torch.manual_seed(0)
    texts = [torch.randn(n, 3) for n in (4, 9, 4, 6)]
    lstm = nn.LSTM(3, 2, batch_first=True, bidirectional=True)
    net = nw.Chain(nw.Module(lstm, "n 3 -> y: n 4, hidden: 2 2, cell: 2 2"), input=("n", 3))
    for text, y, hidden in zip(texts, *[net(texts)[name] for name in ("y", "hidden")], strict=True):
        alone, (last, _) = lstm(text[None])
        torch.testing.assert_close(y, alone[0].detach())
        torch.testing.assert_close(hidden, last[:, 0].detach())
    strided = nn.Conv1d(3, 2, 3, stride=2)
    net = nw.Chain(nw.Module(strided, "n 3 -> m 2", layout="channels_first"), nw.tanh, input=("n", 3))
    assert tuple(map(str, net.plan.outputs["output"])) == ("(n + 1)//2 - 1", "2")
    for text, y in zip(texts, net(texts), strict=True):
        torch.testing.assert_close(y, strided(text.T[None])[0].T.tanh().detach())
    linear = nn.Linear(3, 2)
    net = nw.Chain(nw.Module(linear, "... 3 -> ... 2"), nw.GlobalMaxPool(), input=("n", 3))
    for text, y in zip(texts, net(texts), strict=True):
        torch.testing.assert_close(y, linear(text).amax(0).detach())


def test_lengths_and_gradients_go_together() -> None:
    module = nn.GRU(3, 2, batch_first=True)
    part = nw.Module(module, "n 3 -> y: n 2, hidden: 1 2")
    net = nw.Chain(part, input=("n", 3))
    x, lengths = torch.randn(3, 5, 3, requires_grad=True), torch.tensor([2, 4, 2])  # none as long as the batch
    y = nw.apply(net, {}, x, lengths={"n": lengths})["y"]
    assert y.shape == (3, 5, 2)
    (gradient,) = torch.autograd.grad(y[1, :4].sum() + y[0, :2].sum(), x)
    rows = [x[i : i + 1, :n] for i, n in ((0, 2), (1, 4))]
    (wanted,) = torch.autograd.grad(sum(module(row)[0].sum() for row in rows), x)
    torch.testing.assert_close(gradient, wanted)


def test_statistics_of_a_batch_count_no_padding() -> None:
    module = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3), nn.BatchNorm1d(3))
    net = nw.Chain(nw.Module(module[2], "n 3 -> n 3", layout="channels_first"), input=("n", 3))
    x = torch.randn(4, 6, 3)
    x[:, 4:] = 1e6
    plain = nn.BatchNorm1d(3).train()
    wanted = plain(x[:, :4].mT).mT
    got = nw.apply(net, {}, x, lengths={"n": torch.tensor([4, 4, 4, 4])}, training=True)
    torch.testing.assert_close(got[:, :4], wanted)


def test_outputs_may_be_nested() -> None:
    class Nested(nn.Module):
        def forward(self, x: Tensor) -> dict[str, object]:
            return {"logits": x * 2, "more": (x, [x + 1, None])}

    net = nw.Chain(nw.Module(Nested(), "... -> a: ..., b: ..., c: ..."), input=3)
    x = torch.ones(3)
    assert {name: y[0].item() for name, y in net(x).items()} == {"a": 2, "b": 1, "c": 2}
    net = nw.Chain(nw.Module(Nested(), "... -> logits: ..."), input=3)
    assert net(x).tolist() == [2, 2, 2]


def test_lazily_sized_arrays_get_their_sizes_from_the_input() -> None:
    module = nn.Sequential(nn.LazyLinear(4), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(2))
    net = nw.Chain(nw.Module(module), 3, input=5)
    assert net.plan.arrays["module1/0/weight"].known == (4, 5)
    assert net.plan.arrays["module1/3/weight"].known == (2, 4)
    filled = nw.initialize(net, seed=1)
    assert filled == nw.initialize(net, seed=1) != nw.initialize(net, seed=2)
    assert float(filled.arrays["module1/0/bias"].abs().max()) <= (1 / 5) ** 0.5  # torch's own bound
    x = torch.randn(16, 5)
    trained = nw.train(net, (x, x[:, :3]), epochs=1, progress=False).net
    assert trained.arrays["module1/1/num_batches_tracked"] > 0
    assert nw.to_torch(trained).eval()(x).shape == (16, 3)
    wider = net.with_input(nw.Array("7"))
    assert wider.plan.arrays["module1/0/weight"].known == (4, 7)


class Fussy(nn.Module):
    """It keeps a tensor that is no array of it, looks at values, and asserts."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = torch.full((3,), 2.0)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] != 3:
            raise AssertionError
        if self.training:
            raise KeyError("no training")
        return x * self.kept if x.sum() >= 0 else x


def test_what_it_keeps_and_looks_at_is_its_own_affair() -> None:
    net = nw.Chain(nw.Module(Fussy()), nw.Linear(2), input=3)
    assert net.plan.shape(("module1", "output")) == (3,)
    x = torch.ones(2, 3)
    assert nw.initialize(net)(nw.batch(x), at="module1").tolist() == [[2, 2, 2]] * 2
    other = Fussy()
    other.kept = torch.ones(3)
    assert nw.Module(other) != nw.Module(Fussy())
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.Module(Fussy()), input=4)
    assert str(caught.value) == (
        "module1: Fussy raises AssertionError for an input of this size\n"
        "  where:    input -> module1\n"
        "  expected: AssertionError\n"
        "  got:      (4,)   (4,) from the input"
    )
    with pytest.raises(NetError) as caught_net:
        nw.apply(nw.initialize(net), {}, x, training=True)
    assert str(caught_net.value) == (
        "module1 raised KeyError\n  where:    module1\n  got:      'no training' (in Module(Fussy()), given (2, 3))"
    )


def test_what_torch_raises_while_it_runs_names_the_module() -> None:
    net = nw.Chain(nw.Module(nn.BatchNorm1d(3)), input=3)
    with pytest.raises(NetError) as caught:
        nw.apply(net, {}, torch.ones(1, 3), training=True)
    assert caught.value.what == "module1 raised ValueError"
    assert caught.value.where == "module1"
    assert "more than 1 value per channel" in caught.value.got
    assert isinstance(caught.value.__cause__, ValueError)


def test_modules_that_no_net_can_hold_are_refused() -> None:
    with pytest.raises(NetError) as caught:
        nw.Module(nn.LSTM(3, 4))
    assert str(caught.value) == (
        "this LSTM takes the batch axis second, and a net has it first\n"
        "  expected: batch_first=True\n"
        "  got:      LSTM(3, 4)\n"
        "  mend:     torch.nn.LSTM(…, batch_first=True)"
    )
    locked = nn.Linear(3, 3)
    locked.lock = Lock()
    with pytest.raises(NetError) as caught:
        nw.Module(locked)
    assert caught.value.what == "Linear cannot be copied, and a net holds a copy"
    with pytest.raises(SizeError) as caught_size:
        nw.Graph(loss=(nw.Module(nn.MSELoss(), "a: k, b: k -> ()"), "x", "y"), input={"x": 3, "y": 3})
    assert caught_size.value.what == (
        "loss: MSELoss gives nothing for each example: no axis of its output is as long as the batch"
    )
