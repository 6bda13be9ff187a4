"""The first steps of people from PyTorch and Keras: each error names what they mean."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw
from netwright import elsewhere
from netwright.errors import NetwrightError, UnknownNameError

NET = nw.Chain(4, nw.relu, nw.Linear(2), nw.softmax, input=2)
DATA = ([[0.0, 1.0], [1.0, 0.0]], [0, 1])


def refused(call) -> NetwrightError:
    with pytest.raises(NetwrightError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("call", "mend"),
    [
        (lambda: nw.Conv2d(3, 16, 3), "nw.Conv(out, (3, 3)), with channels last"),
        (lambda: nw.Dense(3), "nw.Linear(out)"),
        (lambda: nw.ReLU(), "nw.relu"),
        (lambda: nw.LeakyReLU(), 'nw.leaky_relu, or nw.Elementwise("leaky_relu", slope=0.2)'),
        (lambda: nw.Sequential(), "nw.Chain(…)"),
        (lambda: nw.CrossEntropyLoss(), "nw.CrossEntropy(), behind a net that ends in nw.softmax"),
        (lambda: nw.Embeding(3), "nw.Embedding"),
        (lambda: nw.dense(3), "nw.Linear(out)"),
        (lambda: nw.fit(NET, DATA), "nw.train(net, (inputs, targets)), whose run holds the trained net"),
        (lambda: nw.TransformerEncoderLayer(8, 2), "nw.encoder_block(width, heads)"),
        (lambda: nw.Chain(nw.Linear(3), input_shape=(4,)), "input=(4,)"),
        (lambda: nw.Graph(nw.Linear(3)), "nw.Chain(…), for parts in a row"),
        (lambda: NET.fit(*DATA), "nw.train(net, (inputs, targets)), whose run holds the trained net"),
        (lambda: NET.parameters(), "net.arrays, by path"),
        (lambda: NET.forward(1), "net(x)"),
        (lambda: nw.grad(NET), "nw.gradients(net, x), by path"),
        (
            lambda: NET.register_forward_hook(print),
            "nw.activations(net, x), by path; net(x, set={path: function}) changes a value",
        ),
        (lambda: nw.Dropout(p=0.1), "nw.Dropout(rate=…)"),
        (lambda: nw.Dropout(probability=0.1), ()),
        (lambda: nw.Linear(10, 20), "nw.Linear(20): the size of the input follows from what comes before"),
        (lambda: nw.Conv(3, 16, 3), "nw.Conv(16, 3): the size of the input follows from what comes before"),
        (
            lambda: nw.Linear(in_features=10, out_features=20),
            "leave in_features out: the size of an input follows from what comes before",
        ),
        (lambda: nw.Linear(out_features=20), "nw.Linear(out=…)"),
        (lambda: nw.Adam(lr=0.1), "nw.train(net, data, learning_rate=…), which the rate belongs to"),
        (lambda: nw.train(NET, *DATA), "nw.train(net, (inputs, targets))"),
        (lambda: nw.train(NET, DATA, lr=0.1), "nw.train(learning_rate=…)"),
        (lambda: nw.train(NET, DATA, resume_from_checkpoint="runs/a"), "nw.train(folder=…)"),
        (lambda: nw.train(NET, DATA, default_root_dir="runs"), "nw.train(folder=…)"),
        (lambda: nw.Trainer(default_root_dir="runs"), "nw.train(net, data)"),
        (
            lambda: nw.ModelCheckpoint(),
            'nw.train(…, folder="runs/a"), which keeps checkpoints and the nets; the same call goes on',
        ),
        (lambda: nw.RandomRotation(10), "nw.Image(…, vary=(nw.Rotate(10),))"),
        (lambda: nw.MixUp(alpha=0.2), "nw.train(…, mixup=0.2)"),
        (lambda: nw.train(NET, DATA, epoch=3), "nw.train(epochs=…)"),
        (lambda: nw.train(NET, DATA, loss=F.cross_entropy), "nw.CrossEntropy(), behind a net that ends in nw.softmax"),
        (lambda: nw.train(NET, DATA, loss=nn.MSELoss()), "nw.MSE()"),
        (lambda: nw.train(NET, DATA, loss="mse"), "nw.MSE()"),
    ],
)
def test_each_error_names_ours(call, mend) -> None:
    found = refused(call).mend
    assert (found[0] if found else ()) == mend


def test_modules_of_torch_in_a_chain() -> None:
    own = "nw.Module(module, ports), for the module as it is, with its weights"
    assert refused(lambda: nw.Chain(nn.Linear(2, 3), input=2)).mend == ("nw.Linear(…)", own)
    assert refused(lambda: nw.Chain(nn.ReLU, input=2)).mend == ("nw.relu", own)
    assert refused(lambda: nw.Chain(nn.Fold(2, 2), input=2)).mend[-1] == own


def test_texts() -> None:
    assert str(refused(lambda: nw.Dropout(p=0.1))) == (
        "Dropout takes no 'p'\n"
        "  where:    Dropout\n"
        "  expected: Dropout(rate=…, unit=…)\n"
        "  got:      p=0.1\n"
        "  mend:     nw.Dropout(rate=…)"
    )
    assert str(refused(lambda: nw.Dense)) == "netwright has no 'Dense'\n  mend:     nw.Linear(out)"
    assert str(refused(lambda: NET.fit)) == (
        "a net has no 'fit'\n"
        "  where:    Chain\n"
        "  mend:     nw.train(net, (inputs, targets)), whose run holds the trained net"
    )


def test_python_finds_nothing_where_there_is_nothing() -> None:
    assert not hasattr(nw, "Dense") and not hasattr(NET, "fit") and not hasattr(NET, "shape")
    with pytest.raises(AttributeError, match="'Chain' object has no attribute 'shape'"):
        NET.shape  # noqa: B018
    with pytest.raises(UnknownNameError):
        nw.nothing_like_it  # noqa: B018


def test_every_mend_names_what_is_there() -> None:
    tables = (elsewhere.PARTS, elsewhere.LOSSES, elsewhere.VERBS, elsewhere.PICTURES)
    for text in (text for table in tables for text in table.values()):
        for name in text.split("nw.")[1:]:
            found = name.partition("(")[0].split(",")[0].split(" ")[0]
            assert hasattr(nw, found), text


def test_the_name_that_torch_has() -> None:
    assert elsewhere.called(nn.ReLU()) == elsewhere.called(nn.ReLU) == "ReLU"
    assert elsewhere.loss(F.mse_loss) == "nw.MSE()"
    assert elsewhere.loss(lambda output, target: output) == elsewhere.loss(torch.sin) == ""


@pytest.mark.parametrize("name", ["StringLookup", "losses", "save_model"])
def test_a_name_that_is_like_none_of_ours_has_no_mend(name) -> None:
    """A module of the package, and a name of which only a few letters are the same, would mislead."""
    assert refused(lambda: getattr(nw, name)).mend == ()
