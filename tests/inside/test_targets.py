"""What `of=` means: an output, a value inside, a function, several; and what it cannot mean."""

import torch
from torch import Tensor

import netwright as nw
from inside.nets import classifier, folded
from messages import message
from netwright.inside.targets import Target, targets_of


def found(net: nw.Net, of: object) -> list[tuple[str, bool]]:
    return [(target.location.name, target.mean) for target in targets_of(net, net.plan, of, "gradients")]  # pyright: ignore


def test_the_only_output_a_path_a_function_and_a_mapping() -> None:
    net = classifier()
    assert found(net, torch.sum) == [("output", False)]
    assert found(net, "linear1") == [("linear1", False)]
    assert found(net, {"linear1": torch.sum, "output": torch.sum}) == [("linear1", False), ("output", False)]
    assert found(nw.Chain(2, input=3), None) == [("output", False)]


def test_losses_are_means() -> None:
    net = nw.with_loss(classifier(), nw.CrossEntropy())
    assert found(net, None) == found(net, "loss") == [("loss", True)]
    assert found(net, "net/linear1") == [("net/linear1", False)]


def test_the_number_of_an_example() -> None:
    location = targets_of(classifier(), classifier().plan, "linear1", "gradients")[0].location
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert Target(location).total(values, 2).item() == 10
    assert Target(location, mean=True).total(values, 4).item() == 2.5
    assert Target(location).number([torch.ones(2), torch.ones(1)]).item() == 3

    def second(y: Tensor) -> Tensor:
        return y[1:]

    assert Target(location, second).total(values, 2).item() == 6


def test_what_cannot_be_meant() -> None:
    net = folded()
    assert message(found, net, None) == (
        "this net has 2 outputs, and of= does not say which of them is meant\n"
        "  where:    gradients\n"
        "  expected: 'output' or 'hidden'\n"
        "  mend:     of='output'"
    )
    assert message(found, net, torch.sum) == (
        "this net has 2 outputs, and of= does not say which of them is meant\n"
        "  where:    gradients\n"
        "  expected: 'output' or 'hidden'\n"
        "  mend:     of={'output': function}"
    )
    assert message(found, net, "fold1") == (
        "fold1 names 2 values, and one is derived\n"
        "  where:    gradients\n"
        "  expected: 'fold1.output' or 'fold1.hidden'\n"
        "  got:      'fold1'"
    )
    assert message(found, classifier(), 7) == (
        "of= takes a path, a function of the output, or a mapping from paths to functions\n"
        "  where:    gradients\n"
        "  got:      7 of type int\n"
        "  mend:     of=lambda y: y[7]"
    )
    assert message(found, classifier(), {"linear2": 7}) == (
        "of= takes a mapping from paths to functions of the value there\n"
        "  where:    gradients\n"
        "  got:      7 of type int\n"
        "  mend:     of={'linear2': lambda y: y[7]}"
    )
