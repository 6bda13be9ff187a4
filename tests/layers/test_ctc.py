"""CTC: torch's loss and gradients on examples of different lengths, what it learns, and what cannot be transcribed."""

import math

import pytest
import torch
from torch.nn import functional as F

import netwright as nw
from messages import message

FRAMES, SYMBOLS = (9, 6, 7), (4, 2, 4)


def batch(generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    logits = torch.randn(3, 9, 5, generator=generator, dtype=torch.float64)
    return logits, torch.tensor([[0, 0, 1, 3], [2, 1, 1, 1], [0, 1, 2, 3]])


def test_values_and_gradients_are_those_of_torchs_loss() -> None:
    x, target = batch(torch.Generator().manual_seed(0))
    lengths = {"n": torch.tensor(FRAMES), "t": torch.tensor(SYMBOLS)}
    ours = x.clone().requires_grad_()
    loss = nw.CTCLoss(logits=True).forward({}, ours, target, lengths=lengths)
    theirs = x.clone().requires_grad_()
    logs = theirs.log_softmax(-1).transpose(0, 1)
    expected = F.ctc_loss(logs, target, lengths["n"], lengths["t"], blank=4)  # the mean over symbols, then examples
    torch.testing.assert_close(loss.mean(), expected)
    torch.testing.assert_close(
        torch.autograd.grad(loss.mean(), ours)[0], torch.autograd.grad(expected, theirs)[0], rtol=1e-10, atol=1e-12
    )


def test_probabilities_and_logits_are_one_loss() -> None:
    x, target = batch(torch.Generator().manual_seed(1))
    chances = x.softmax(-1).requires_grad_()
    ours = nw.CTCLoss().forward({}, chances, target)
    torch.testing.assert_close(ours, nw.CTCLoss(logits=True).forward({}, x, target))
    assert torch.autograd.gradcheck(lambda p: nw.CTCLoss().forward({}, p, target), (chances,))


def test_the_plan_merges_it_with_the_softmax() -> None:
    x, target = nw.Input("x", ("n", 3)), nw.Input("target", "t <2>")
    net = nw.Graph(nw.CTCLoss()(nw.softmax(x), target))
    extreme = [[200.0, 0.0, 0.0]] * 3
    assert float(net({"x": nw.batch([extreme]), "target": nw.batch([[1]])})) == pytest.approx(
        600 - math.log(6)
    )  # six paths


def test_a_net_learns_what_no_label_places() -> None:
    """Each symbol of a text stands two or three times in its input, and nothing says where."""
    draw = torch.Generator().manual_seed(0)
    texts = ["".join("abc"[i] for i in torch.randint(3, (int(n),), generator=draw)) for n in range(2, 6)] * 8
    times = [torch.randint(2, 4, (len(text),), generator=draw).tolist() for text in texts]
    sounds = [
        [("abc".index(sign),) for sign, n in zip(text, many, strict=True) for _ in range(n)]
        for text, many in zip(texts, times, strict=True)
    ]
    body = nw.Chain(nw.Conv(16, (3,), padding="same"), nw.relu, nw.Linear(4), nw.softmax, input=("frames", 1))
    letters = nw.Input("text", nw.Characters("abc"))
    net = nw.Graph(nw.CTCLoss()(body(nw.Input("sound", ("frames", 1))), letters))
    data = {"sound": [torch.tensor(sound).float().numpy() for sound in sounds], "text": texts}
    run = nw.train(net, data, epochs=40, batch_size=8, learning_rate=0.02, seed=0, threads=1, progress=False)
    assert run.losses[-1] < 0.5 * run.losses[0]


def test_sizes_of_classes_follow_in_both_directions() -> None:
    x, target = nw.Input("x", ("n", 4)), nw.Input("target", "t <3>")
    assert nw.Graph(nw.CTCLoss()(nw.Linear()(x), target)).plan.arrays["linear1/weight"].known == (4, 4)
    with pytest.raises(nw.SizeError):
        nw.Graph(nw.CTCLoss()(nw.Linear(3)(x), target))


def test_a_target_that_no_path_reads_as() -> None:
    net = nw.Graph(nw.CTCLoss()(nw.Input("x", ("n", 3)), nw.Input("target", "t <2>")))
    sound = [[0.4, 0.3, 0.3]] * 3
    assert message(lambda: net({"x": nw.batch([sound]), "target": nw.batch([[0, 1, 1]])})) == (
        "a transcript is longer than its input can say\n"
        "  where:    CTCLoss, example 0 of the batch\n"
        "  expected: 4 elements or more, for 3 symbols and 1 between equal neighbours\n"
        "  got:      3 elements\n"
        "  mend:     leave this example out\n"
        "  or:       a net that shortens its input less, with smaller strides or pools"
    )
