"""The loss that follows from a decoder, and the net that ends in it."""

import pytest

import netwright as nw
from netwright.errors import TrainingError
from netwright.training.prepare.goal import ends_in_losses, goal_of, loss_for
from netwright.training.prepare.labels import NetEnd

PLAIN = NetEnd("linear1", (1,), "")


@pytest.mark.parametrize(
    ("codec", "loss"),
    [
        (nw.Category(["a", "b"]), nw.CrossEntropy()),
        (nw.Each(nw.Category(["a", "b"])), nw.CrossEntropy()),
        (nw.Boolean(), nw.CrossEntropy("binary")),
        (nw.Labels(["a", "b"]), nw.CrossEntropy("binary")),
        (nw.Number(), nw.MSE()),
        (nw.Vector(3), nw.MSE()),
        (nw.Array((2, 2)), nw.MSE()),
        (nw.Image(2, 2), nw.MSE()),
        (nw.Characters("ab"), nw.CrossEntropy()),
    ],
)
def test_losses_follow_from_decoders(codec, loss) -> None:
    assert loss_for(codec, "output", PLAIN) == loss


@pytest.mark.parametrize(
    ("codec", "form", "loss"),
    [
        (nw.Array(3), "probabilities", nw.CrossEntropy("probabilities")),
        (nw.Number(0, 1), "binary", nw.CrossEntropy("binary")),
        (nw.Category(["a", "b"]), "probabilities", nw.CrossEntropy()),
    ],
)
def test_numbers_behind_an_end_that_gives_probabilities(codec, form, loss) -> None:
    assert loss_for(codec, "output", NetEnd("end1", (3,), form)) == loss


def test_standardized_numbers_are_no_probabilities() -> None:
    net = nw.Chain(nw.Linear(1), nw.sigmoid, input=2, output=nw.Number(3.0, 2.0))
    with pytest.raises(TrainingError) as caught:
        goal_of(net, None)
    assert str(caught.value) == (
        "the net gives probabilities, and its decoder reads standardized numbers, which go beyond 0 to 1\n"
        "  where:    sigmoid1 -> output\n"
        "  expected: a decoder of labels or probabilities\n"
        "  got:      Number(3.0, 2.0)\n"
        "  mend:     leave out sigmoid1, for numbers of any size\n"
        "  or:       output=nw.Boolean(), for yes and no"
    )
    assert goal_of(net, nw.MSE()).name == "MSE()"


def test_labels_are_smoothed_by_every_cross_entropy() -> None:
    net = nw.Chain(nw.Linear(3), nw.softmax, input=2, output=nw.Category(list("abc")))
    assert goal_of(net, None, 0.2).net == nw.with_loss(net, nw.CrossEntropy(smoothing=0.2))
    assert goal_of(net, nw.CrossEntropy(), 0.2).name == "CrossEntropy(smoothing=0.2)"
    x = nw.Input("x", 2)
    two = nw.Graph(
        {"a": nw.Chain(nw.Linear(3), nw.softmax)(x), "b": nw.Linear(1)(x)},
        output={"a": nw.Category(list("abc")), "b": nw.Number(0, 1)},
    )
    assert goal_of(two, None, 0.2).name == "a: CrossEntropy(smoothing=0.2), b: MSE()"


def test_a_smoothing_that_is_said_twice_is_refused() -> None:
    net = nw.Chain(nw.Linear(3), nw.softmax, input=2, output=nw.Category(list("abc")))
    assert goal_of(net, nw.CrossEntropy(smoothing=0.2), 0.2).name == "CrossEntropy(smoothing=0.2)"
    for loss in (nw.CrossEntropy(smoothing=0.3), {"output": nw.CrossEntropy(smoothing=0.3)}):
        with pytest.raises(TrainingError) as caught:
            goal_of(net, loss, 0.1)
        assert str(caught.value) == (
            "the smoothing of the labels is said twice\n  where:    label_smoothing\n"
            "  got:      0.1, and loss=CrossEntropy(smoothing=0.3)\n  mend:     leave label_smoothing out"
        )


def test_labels_that_no_cross_entropy_smooths_are_refused() -> None:
    net = nw.Chain(nw.Linear(1), input=2, output=nw.Number(0, 1))
    with pytest.raises(TrainingError) as caught:
        goal_of(net, None, 0.2)
    assert str(caught.value) == (
        "labels are smoothed by a cross entropy\n  where:    label_smoothing\n  expected: classes\n"
        "  got:      MSE()\n  mend:     leave label_smoothing out"
    )
    with pytest.raises(TrainingError) as caught:
        goal_of(nw.with_loss(net, nw.MSE()), None, 0.2)
    assert caught.value.got == "the net ends in a loss of its own"
    assert caught.value.mend == ("nw.CrossEntropy(smoothing=0.2) in the net",)


def test_a_softmax_over_one_value_says_nothing() -> None:
    net = nw.Chain(nw.Linear(1), nw.softmax, input=2, output=nw.Boolean())
    with pytest.raises(TrainingError) as caught:
        goal_of(net, None)
    assert str(caught.value) == (
        "the net ends in a softmax over one value, which is always 1\n"
        "  where:    softmax1 -> output\n"
        "  mend:     nw.sigmoid in place of softmax1"
    )


def test_no_decoder_no_loss() -> None:
    with pytest.raises(TrainingError) as caught:
        loss_for(None, "output", PLAIN)
    assert str(caught.value) == (
        "no loss follows from this output\n"
        "  where:    output 'output'\n"
        "  got:      None\n"
        "  mend:     give the net a decoder, such as output=nw.Category([…]) or output=nw.Number()\n"
        "  or:       loss=nw.MSE()"
    )


def test_the_net_gets_its_loss() -> None:
    net = nw.Chain(2, nw.softmax, input=3, output=nw.Category(["a", "b"]))
    found = goal_of(net, None)
    assert found.targets == ("target",)
    assert found.net.inputs["target"] == nw.Category(["a", "b"])
    assert (found.prefix, found.name, found.why) == ("net/", "CrossEntropy()", "the decoder is Category(['a', 'b'])")
    assert ends_in_losses(found.net)
    assert not ends_in_losses(net)
    assert goal_of(found.net, None).prefix == ""


def contrast(a, b):
    return (a - b).square().sum(-1)


def test_a_net_that_ends_in_a_loss_of_ones_own_trains() -> None:
    body = nw.Shared("body", nw.Linear(4))
    a, b = nw.Input("a", 2), nw.Input("b", 2)
    net = nw.Graph({"loss": nw.Function(contrast, "a: d, b: d -> ()")(body(a), body(b))})
    named = nw.Graph(nw.Function(contrast, "a: d, b: d -> loss: ()")(body(a), body(b)))
    pairs = ([[0.0, 1.0], [1.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]])
    for one in (net, named):
        assert ends_in_losses(one)
        assert nw.train(one, pairs, epochs=2, progress=False).net.arrays.keys() == {"@body/weight", "@body/bias"}
    assert not ends_in_losses(nw.Chain(nw.Linear(1), nw.Reshape(), input=2))
