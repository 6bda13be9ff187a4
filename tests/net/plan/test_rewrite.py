"""Rewriting a plan: faster steps, the same values, and nothing removed that somebody asked for."""

import torch

import netwright as nw
from netwright.net.apply import whole_program
from netwright.net.plan.plan import plan_of
from netwright.net.run.assemble import program_of

NET = nw.initialize(nw.Chain(nw.Conv(2, 3), nw.relu, nw.MaxPool(2), input=(6, 6, 1)))


def paths(*wanted: str, keep: tuple[str, ...] = ()) -> list[str]:
    built = program_of(plan_of(NET), [(path, "output") for path in wanted], [(path, "output") for path in keep])
    return [type(instruction.leaf).__name__ for instruction in built.instructions]


def test_relu_comes_after_the_maximum() -> None:
    assert paths("maxpool1") == ["Conv", "MaxPool", "Elementwise"]
    x = torch.randn(5, 6, 6, 1)
    slow = nw.apply(NET[2:].with_input(None), {}, nw.apply(NET[:2], {}, x))
    assert nw.apply(NET, {}, x).equal(slow)


def test_a_value_that_is_wanted_stays() -> None:
    assert paths("relu1", "maxpool1") == ["Conv", "Elementwise", "MaxPool"]
    assert paths("maxpool1", keep=("relu1",)) == ["Conv", "Elementwise", "MaxPool"]


def test_what_is_rewritten_knows_its_lengths() -> None:
    texts = [torch.randn(3), torch.randn(5)]
    logs = nw.Chain(nw.softmax, nw.Elementwise("log"), input=("n",))
    assert [type(i.leaf).__name__ for i in whole_program(logs).instructions] == ["LogSoftmax"]
    for found, alone in zip(logs(texts), texts, strict=True):
        torch.testing.assert_close(found, alone.log_softmax(-1))
    most = nw.Chain(nw.Linear(2), nw.relu, nw.Max(0), input=("n", 1))
    net = nw.initialize(most)
    columns = [text.unsqueeze(-1) for text in texts]
    for found, alone in zip(net(columns), columns, strict=True):
        torch.testing.assert_close(found, net(alone))
