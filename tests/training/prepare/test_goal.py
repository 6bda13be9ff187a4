"""The loss that follows from a decoder, and the net that ends in it."""

import pytest

import netwright as nw
from netwright.errors import TrainingError
from netwright.training.prepare.goal import ends_in_losses, goal_of, loss_for


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
    ],
)
def test_losses_follow_from_decoders(codec, loss) -> None:
    assert loss_for(codec, "output") == loss


def test_no_decoder_no_loss() -> None:
    with pytest.raises(TrainingError) as caught:
        loss_for(None, "output")
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
