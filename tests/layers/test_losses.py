"""Losses: merged with softmax and sigmoid they are exact, alone they are safe."""

import pytest
import torch
import torch.nn.functional as F

import netwright as nw
from layers.tools import run
from messages import message
from netwright.layers.losses import FEW_CLASSES, MANY_ROWS, SMALLEST
from netwright.net.apply import whole_program
from netwright.net.run.assemble import program_of

FORMS = {
    "index": (nw.softmax, "6 4", "6 <4>"),
    "probabilities": (nw.softmax, "6 4", "6 4"),
    "binary": (nw.sigmoid, "6", "6"),
}


def ended(form: str) -> nw.Net:
    activation, sizes, target = FORMS[form]
    x, t = nw.Input("x", sizes), nw.Input("target", target)
    return nw.Graph(nw.CrossEntropy(form)(activation(x), t))


def drawn(form: str) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    if form == "binary":
        x = torch.randn(3, 6, generator=generator, dtype=torch.float64)
        return x, (x.roll(1) > 0).double()
    x = torch.randn(3, 6, 4, generator=generator, dtype=torch.float64)
    return x, x.roll(1).argmax(-1) if form == "index" else x.roll(1).softmax(-1)


@pytest.mark.parametrize("form", FORMS)
def test_merged_is_the_plain_form(form):
    net = ended(form)
    (slot,) = [slot for _, slot in net.plan.wiring.outputs]
    merged = [i.leaf for i in program_of(net.plan, [slot]).instructions]
    assert merged == [nw.CrossEntropy(form, logits=True)]
    x, target = drawn(form)
    x.requires_grad_()
    fused, _ = run(net, {}, x, target)
    activation = nw.CrossEntropy(form)
    plain = activation.forward({}, x.sigmoid() if form == "binary" else x.softmax(-1), target)
    torch.testing.assert_close(fused, plain, rtol=1e-12, atol=1e-12)
    along = torch.randn_like(plain)
    (ours,) = torch.autograd.grad((fused * along).sum(), x)
    (theirs,) = torch.autograd.grad((plain * along).sum(), x)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_not_merged_when_somebody_wants_the_probabilities():
    net = ended("index")
    slots = [net.plan.value(path)[0][1] for path in net.paths]
    leaves = [i.leaf for i in program_of(net.plan, slots).instructions]
    assert leaves == [nw.softmax, nw.CrossEntropy()]


def test_not_merged_with_another_form():
    x, t = nw.Input("x", "6 4"), nw.Input("target", "6 4")
    net = nw.Graph(nw.CrossEntropy("binary")(nw.softmax(x), t))
    assert len(whole_program(net).instructions) == 2


@pytest.mark.parametrize("form", FORMS)
def test_merged_is_exact_for_the_improbable(form):
    x, target = drawn(form)
    loss, _ = run(ended(form), {}, x * 1e4, target)
    assert loss.isfinite().all()
    assert loss.max() > -torch.tensor(SMALLEST).log()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("form", FORMS)
def test_alone_is_finite_at_zero_and_one(form, dtype):
    leaf = nw.CrossEntropy(form)
    if form == "binary":
        p, target = torch.tensor([[0.0, 1.0, 0.0, 1.0]], dtype=dtype), torch.tensor([[0.0, 1.0, 1.0, 0.0]], dtype=dtype)
    else:
        p = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]], dtype=dtype)
        target = torch.tensor([[1, 1]]) if form == "index" else torch.eye(2, dtype=dtype).unsqueeze(0)
    p.requires_grad_()
    loss = leaf.forward({}, p, target)
    loss.sum().backward()
    assert loss.isfinite().all()
    assert p.grad.isfinite().all()
    assert loss.item() > 10


def test_a_loss_is_the_mean_over_an_examples_own_positions():
    p = torch.rand(2, 3, 5, 4).softmax(-1)
    target = torch.randint(4, (2, 3, 5))
    loss = nw.CrossEntropy().forward({}, p, target)
    expected = -p.log().gather(-1, target[..., None]).reshape(2, -1).mean(1)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("smoothing", [0.1, 0.5])
@pytest.mark.parametrize("logits", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_smoothing_is_torch_s(form, logits, smoothing):
    x, target = drawn(form)
    leaf = nw.CrossEntropy(form, logits=logits, smoothing=smoothing)
    if form == "binary":  # Keras smooths so too; torch has no option for it
        near = target * (1 - smoothing) + smoothing / 2
        expected = torch.nn.functional.binary_cross_entropy_with_logits(x, near, reduction="none").mean(1)
        ours = leaf.forward({}, x if logits else x.sigmoid(), target)
    else:
        torchs = torch.nn.CrossEntropyLoss(reduction="none", label_smoothing=smoothing)
        expected = torchs(x.flatten(0, 1), target.flatten(0, 1)).view(3, 6).mean(1)
        ours = leaf.forward({}, x if logits else x.softmax(-1), target)
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


def test_smoothing_counts_the_classes_that_an_example_has():
    """Where the number of classes differs between examples, each is smoothed over its own."""
    draw = torch.Generator().manual_seed(0)
    x, counts = torch.randn(2, 5, generator=draw, dtype=torch.float64), torch.tensor([3, 5])
    target = torch.tensor([2, 4])
    for form in ("index", "probabilities"):
        leaf = nw.CrossEntropy(form, logits=True, smoothing=0.3)
        given = target if form == "index" else torch.nn.functional.one_hot(target, 5).double()
        padded = leaf.forward({}, x, given, lengths={"k": counts})
        alone = [
            leaf.forward({}, x[i : i + 1, :n], given[i : i + 1] if form == "index" else given[i : i + 1, :n])
            for i, n in enumerate(counts.tolist())
        ]
        torch.testing.assert_close(padded, torch.cat(alone))


@pytest.mark.parametrize("label", [-100, -1, 4])
def test_no_label_is_dropped(label):
    x, target = torch.zeros(2, 4), torch.tensor([0, label])
    with pytest.raises(IndexError, match="out of bounds"):
        nw.CrossEntropy(logits=True).forward({}, x, target)


def test_whole_numbers_as_targets():
    assert (
        nw.CrossEntropy("binary").forward({}, torch.tensor([[0.5]]), torch.tensor([[1]], dtype=torch.uint8)).item() > 0
    )
    assert nw.MSE().forward({}, torch.tensor([[0.5]]), torch.tensor([[1]])).item() == 0.25
    assert nw.Huber().forward({}, torch.tensor([[0.5]]), torch.tensor([[1]])).item() == 0.125


def test_sizes_of_targets():
    x = nw.Input("x", "6 4")
    target = nw.Input("target")
    net = nw.Graph(nw.CrossEntropy()(nw.softmax(x), target))
    assert net.plan.inputs["target"] == (6,)
    assert net.plan.below(("", "target")) == 4


def test_options_out_of_range():
    assert message(lambda: nw.CrossEntropy("indx")) == (
        "cross entropy has no such form\n"
        "  where:    CrossEntropy\n"
        "  expected: 'index', 'probabilities', 'binary'\n"
        "  got:      'indx'\n"
        "  mend:     did you mean 'index'?"
    )
    assert message(lambda: nw.CrossEntropy(smoothing=1.0)) == (
        "smoothing is a share of the target\n"
        "  where:    CrossEntropy\n"
        "  expected: a number from 0 to below 1\n"
        "  got:      1.0"
    )
    assert message(lambda: nw.Huber(0)) == "delta must be positive\n  where:    Huber\n  got:      0"


def test_equal_vectors_have_a_slope() -> None:
    x = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    loss = nw.ContrastiveLoss().forward({}, x, torch.zeros(1, 3, dtype=torch.float64), torch.ones(1, 1))
    (slope,) = torch.autograd.grad(loss.sum(), x)
    assert slope.isfinite().all() and slope.abs().sum() > 0.1


@pytest.mark.parametrize("kind", [nw.ContrastiveLoss, nw.TripletLoss])
def test_a_margin_is_above_0(kind) -> None:
    for wrong in (0, -1.0, float("nan")):
        assert message(lambda wrong=wrong: kind(wrong)) == (
            f"a margin is above 0\n  where:    {kind.__name__}\n  got:      {wrong!r}"
        )


def clusters(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of two classes on two rings, which no linear map takes apart."""
    draw = torch.Generator().manual_seed(0)
    angles, kinds = torch.rand(count, generator=draw) * 6.28, torch.arange(count) % 2
    points = torch.stack([angles.cos(), angles.sin()], 1) * (1.0 + 1.5 * kinds[:, None])
    return points + 0.1 * torch.randn(count, 2, generator=draw), kinds


def test_pairs_and_triplets_share_what_embeds_them() -> None:
    points, kinds = clusters(200)
    draw = torch.Generator().manual_seed(1)
    one, two = (torch.randint(200, (600,), generator=draw) for _ in range(2))
    options = {"epochs": 30, "batch_size": 20, "learning_rate": 0.01, "threads": 1, "progress": False}
    embed = nw.Shared("embed", nw.Chain(16, nw.relu, 2))
    pairs = nw.Graph(
        nw.ContrastiveLoss()(
            embed(nw.Input("one", 2), name="embed"), embed(nw.Input("two", 2)), nw.Input("different", nw.Boolean())
        )
    )
    data = {"one": points[one], "two": points[two], "different": (kinds[one] != kinds[two]).tolist()}
    trained = nw.train(pairs, data, **options)
    assert {path.partition("/")[0] for path in trained.net.arrays} == {"@embed"}
    assert trained.losses[-1] < 0.5 * trained.losses[0]
    like, unlike = (points[kinds == kind] for kind in (0, 1))
    anchors, positives, negatives = (
        group[torch.randint(100, (600,), generator=draw)] for group in (like, like, unlike)
    )
    names = ("anchor", "positive", "negative")
    inputs = {name: embed(nw.Input(name, 2), **({"name": "embed"} if name == "anchor" else {})) for name in names}
    triplets = nw.Graph(nw.TripletLoss()(*inputs.values()))
    run = nw.train(triplets, dict(zip(names, (anchors, positives, negatives), strict=True)), **options)
    assert run.losses[-1] < 0.5 * run.losses[0]
    for net in (trained.net, run.net):
        near, far = (net["embed"](nw.batch(group)) for group in (like, unlike))
        centre = near.mean(0)
        assert (near - centre).norm(dim=1).mean() < 0.5 * (far - centre).norm(dim=1).mean()


def test_a_class_that_is_not_known_does_not_count():
    """As torch's ignore_index, for each example by itself; of an example without a known class the loss is 0."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 5, 4, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    target = torch.randint(0, 6, (3, 5, 4), generator=generator)
    target[0, :2], target[1] = -1, -1
    for smoothing in (0.0, 0.1):
        loss = nw.CrossEntropy(logits=True, partial=True, smoothing=smoothing)
        ours = loss.forward({}, logits, target)
        options = {"ignore_index": -1, "label_smoothing": smoothing}
        theirs = [F.cross_entropy(x.flatten(0, 1), t.flatten(), **options) for x, t in zip(logits, target, strict=True)]
        assert ours[1] == 0
        assert torch.allclose(ours[::2], torch.stack(theirs)[::2])
        (slope,) = torch.autograd.grad(ours.sum(), logits)
        (expected,) = torch.autograd.grad(theirs[0] + theirs[2], logits)
        assert torch.allclose(slope, expected)
    chances = logits.detach().softmax(-1)
    assert torch.allclose(nw.CrossEntropy(partial=True).forward({}, chances, target)[0], F.nll_loss(
        chances[0].log().flatten(0, 1), target[0].flatten(), ignore_index=-1))  # fmt: skip
    assert (
        message(lambda: nw.CrossEntropy("binary", partial=True))
        == """\
only an index can say that a class is not known
  where:    CrossEntropy
  expected: form='index' with partial=True
  got:      'binary'"""
    )


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("classes", [3, FEW_CLASSES])
def test_cross_entropy_of_many_rows_is_that_of_each(classes: int, partial: bool) -> None:
    leaf = nw.CrossEntropy(smoothing=0.1, logits=True, partial=partial)
    torch.manual_seed(0)
    x = torch.randn(2, MANY_ROWS // 2, classes, requires_grad=True)
    target = torch.randint(-1 if partial else 0, classes, x.shape[:-1])
    leaf.forward({}, x, target).sum().backward()
    found, x.grad = x.grad, None
    logs = x.double().log_softmax(-1)
    known = target >= 0
    exact = -0.9 * logs.gather(-1, target.clamp_min(0)[..., None])[..., 0] - 0.1 * logs.mean(-1)
    expected = (exact * known).sum(1) / known.sum(1)
    torch.testing.assert_close(leaf.forward({}, x, target).double(), expected)
    expected.sum().backward()
    torch.testing.assert_close(found, x.grad)
