"""Validation measures loss and error as the net in use would give them."""

import pytest
import torch

import netwright as nw
from netwright.codecs.text.characters import Characters
from netwright.data.sources import source
from netwright.errors import TrainingError
from netwright.layers.recurrent.gru import GRU
from netwright.net.run.context import RunContext
from netwright.sizes.size import named
from netwright.training.culprit import Culprit
from netwright.training.feeds.feed import feed
from netwright.training.prepare.goal import goal_of
from netwright.training.prepare.validate import Present, _own, check_net_probabilities, validation_of


@pytest.mark.parametrize("count", [3, 600])
def test_loss_and_error_are_those_of_the_net_in_use(count) -> None:
    net = nw.initialize(nw.Chain(4, nw.Dropout(0.5), 2, nw.softmax, input=3, output=nw.Category(["a", "b"])))
    whole = nw.with_loss(net, nw.CrossEntropy())
    xs = torch.randn(count, 3, generator=torch.Generator().manual_seed(0))
    labels = ["a" if i % 3 else "b" for i in range(count)]
    data = feed(source((xs, labels)), whole, torch.device("cpu"))
    measured = validation_of(whole.plan, data, Present.of(whole.plan, whole.held.arrays), net, "net/")()
    answers = net(xs)
    probabilities = net(xs, nw.raw)
    right = torch.tensor([["a", "b"].index(label) for label in labels])
    loss = -probabilities.log().gather(1, right[:, None]).mean()
    assert measured["error"] == pytest.approx(sum(a != b for a, b in zip(answers, labels, strict=True)) / count)
    assert measured["loss"] == pytest.approx(float(loss), rel=1e-4)


def test_large_examples_are_measured_few_at_a_time(monkeypatch) -> None:
    net = nw.with_loss(nw.Chain(nw.Linear(1), input=4, output=nw.Number(0, 1)), nw.MSE())
    whole = nw.initialize(net)
    data = feed(source((torch.zeros(9, 4), torch.zeros(9))), whole, torch.device("cpu"))
    for most, chunk in ((32 << 20, 256), (65, 3), (1, 1)):
        monkeypatch.setattr("netwright.training.prepare.validate.CHUNK_BYTES", most)
        made = validation_of(whole.plan, data, Present.of(whole.plan, whole.held.arrays), whole, "")
        assert max(batch.size for batch in made._batches()) == min(chunk, 9)


def reader(last=nw.softmax):
    net = nw.Chain(nw.Embedding(4), GRU(5), nw.Linear(), last, input=Characters("abc", mark_start=True))
    return nw.initialize(net.with_output(Characters("abc", mark_end=True)), seed=2)


TEXTS = ["abc", "a", "cabcab", "bb", "", "abcabcabcabc"] * 50


def test_of_sequences_the_error_is_a_share_of_positions_and_the_loss_a_mean_over_examples() -> None:
    net = reader()
    whole = nw.with_loss(net, nw.CrossEntropy())
    data = feed(source((TEXTS, TEXTS)), whole, torch.device("cpu"))
    measured = validation_of(whole.plan, data, Present.of(whole.plan, whole.held.arrays), net, "net/")()
    wrong, positions, losses = 0, 0, []
    for text in TEXTS:
        target = net.outputs["output"].encode(text)
        probabilities = net(text, nw.raw)
        wrong, positions = wrong + int((probabilities.argmax(-1) != target).sum()), positions + len(target)
        losses.append(-float(probabilities.log().gather(1, target[:, None]).mean()))
    assert measured["error"] == pytest.approx(wrong / positions)
    assert measured["loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_a_class_for_every_position_is_measured_at_every_position() -> None:
    net = nw.initialize(nw.Chain(2, nw.softmax, input=(3, 2), output=nw.Each(nw.Category(["a", "b"]))))
    whole = nw.with_loss(net, nw.CrossEntropy())
    xs = torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(0))
    data = feed(source((xs, [["a", "b", "b"]] * 4)), whole, torch.device("cpu"))
    measured = validation_of(whole.plan, data, Present.of(whole.plan, whole.held.arrays), net, "net/")()
    answers = [net(x) for x in xs]
    assert measured["error"] == sum(a != b for answer in answers for a, b in zip(answer, "abb", strict=True)) / 12


def test_probabilities_are_asked_for_at_every_real_position() -> None:
    for last, sound in ((nw.softmax, True), (nw.relu, False)):
        net = reader(last)
        goal = goal_of(net, None)
        data = feed(source((TEXTS, TEXTS)), goal.net, torch.device("cpu"))
        if sound:
            check_net_probabilities(goal.net.plan, data, goal.net.held.arrays, net, goal)
            continue
        with pytest.raises(TrainingError) as caught:
            check_net_probabilities(goal.net.plan, data, goal.net.held.arrays, net, goal)
        assert caught.value.where == "relu1 -> output"


def test_what_stands_behind_the_end_is_not_looked_at() -> None:
    context = RunContext(lengths={"n": torch.tensor([1, 3])})
    n = named("n")
    padded = torch.tensor([[1, 9, 9], [2, 3, 4]])
    assert _own(padded, (n,), context).tolist() == [1, 2, 3, 4]
    assert _own(padded.unsqueeze(-1), (n, 1), context).tolist() == [[1], [2], [3], [4]]
    shorter = RunContext(lengths={"n": torch.tensor([2, 3])})
    assert _own(padded[:, None, :2], (1, n - 1), shorter).tolist() == [1, 2, 3]
    assert _own(padded, (n,), RunContext()) is padded


def test_functions_that_draw_leave_torch_s_generator_and_are_measured_alike() -> None:
    noisy = nw.Function(lambda x: x + torch.rand(x.shape), "... -> ...")
    net = nw.initialize(nw.Chain(noisy, 2, nw.softmax, input=3, output=nw.Category(["a", "b"])))
    goal = goal_of(net, None)
    data = feed(source((torch.zeros(20, 3), ["a", "b"] * 10)), goal.net, torch.device("cpu"))
    before = torch.get_rng_state()
    check_net_probabilities(goal.net.plan, data, goal.net.held.arrays, net, goal)
    validation = validation_of(goal.net.plan, data, Present.of(goal.net.plan, goal.net.held.arrays), net, "net/")
    assert validation() == validation()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_culprit_is_an_example_of_the_validation_data() -> None:
    net = nw.initialize(nw.Chain(nw.log, nw.Linear(1), input=1, output=nw.Number(0.0, 1.0)))
    whole = nw.with_loss(net, nw.MSE())
    xs = torch.ones(300, 1)
    sound = feed(source((xs.clone(), [0.0] * 300)), whole, torch.device("cpu"))
    assert validation_of(whole.plan, sound, Present.of(whole.plan, whole.held.arrays), net, "net/").not_finite() is None
    xs[270] = -1
    data = feed(source((xs, [0.0] * 300)), whole, torch.device("cpu"))
    found = validation_of(whole.plan, data, Present.of(whole.plan, whole.held.arrays), net, "net/").not_finite()
    assert found is not None
    assert found.culprit == Culprit("loss", "net/log1", 270)
    assert found.validating
    assert found.batch is not None
    assert 270 in found.batch.examples.tolist()
