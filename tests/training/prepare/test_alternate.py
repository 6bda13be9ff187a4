"""Parts that learn in turn: the numbers of a loop in torch, and what a net cannot do."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw
from messages import message
from netwright.errors import TrainingError
from netwright.net.run.noise import Noise

GAN = nw.Alternate({"discriminator": "discriminator_loss", "generator": "generator_loss"})
X = torch.randn(20, 2, generator=torch.Generator().manual_seed(0)) * 2 + 1
STEPS = 8


def pair() -> tuple[nw.Net, nw.Net]:
    judge = nw.Chain(6, nw.tanh, 1, nw.sigmoid, input=2)
    return nw.Chain(5, nw.tanh, 2, input=3), judge


def net() -> nw.Net:
    return nw.initialize(nw.gan(*pair()), seed=4)


def train(one: nw.Net, **more: Any) -> nw.Run:
    options = {"objective": GAN, "epochs": STEPS, "batch_size": 20, "threads": 1, "seed": 4, "schedule": "constant"}
    return nw.train(one, X, progress=False, **{"learning_rate": 0.02, **options, **more})


def in_torch(arrays: Any, part: str) -> nn.Sequential:
    """The same part in torch."""
    weights = [arrays[f"{part}/linear{i}/weight"].double() for i in (1, 2)]
    made = nn.Sequential(*(layer for w in weights for layer in (nn.Linear(*w.T.shape, dtype=w.dtype), nn.Tanh())))
    for i in (1, 2):
        made[2 * i - 2].weight.data = arrays[f"{part}/linear{i}/weight"].double()
        made[2 * i - 2].bias.data = arrays[f"{part}/linear{i}/bias"].double()
    return made[:3]


@pytest.mark.parametrize(
    ("optimizer", "theirs"),
    [("adam", torch.optim.Adam), ("sgd", lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9))],
)
@pytest.mark.parametrize("clip", [None, 0.2])
def test_steps_are_those_of_a_loop_in_torch(optimizer: str, theirs: Any, clip: float | None) -> None:
    begun = net()
    run = train(begun, precision="float64", optimizer=optimizer, **({} if clip is None else {"clip": clip}))
    parts = {name: in_torch(begun.arrays, name) for name in ("discriminator", "generator")}
    judge, maker = parts.values()
    optimizers = [theirs(part.parameters(), lr=0.02) for part in parts.values()]
    for step in range(STEPS):
        z = nw.Normal(3).forward({}, batch=20, like=X.double(), random=Noise(4, step, torch.arange(20), "latent"))
        for each in optimizers:
            each.zero_grad()
        if step % 2 == 0:
            real, made = judge(X.double()), judge(maker(z).detach())
            loss = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
            loss = loss + F.binary_cross_entropy_with_logits(made, torch.zeros_like(made))
        else:
            made = judge(maker(z))
            loss = F.binary_cross_entropy_with_logits(made, torch.ones_like(made))
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_([*parts.values()][step % 2].parameters(), clip)
        optimizers[step % 2].step()
        assert run.losses[step] == pytest.approx(loss.item(), abs=1e-6)
    for name, part in parts.items():
        for i in (1, 2):
            for kind in ("weight", "bias"):
                expected = getattr(part[2 * i - 2], kind).detach()
                torch.testing.assert_close(run.net.arrays[f"{name}/linear{i}/{kind}"], expected, rtol=0, atol=1e-6)


def test_a_step_changes_its_part_alone_also_with_penalties() -> None:
    begun = net()
    penalties = {"penalties": {"generator": nw.L2(0.5), "discriminator/linear1": nw.L1(0.1)}}
    for epochs, part in ((1, "discriminator"), (2, "generator")):
        before = begun if epochs == 1 else train(begun, epochs=1, **penalties).net
        after = train(begun, epochs=epochs, **penalties).net
        changed = [path for path in after.arrays if not torch.equal(after.arrays[path], before.arrays[path])]
        assert changed == [path for path in after.arrays if path.startswith(part)]
    plain, penalized = train(begun), train(begun, **penalties)
    assert penalized.losses[0] - plain.losses[0] == pytest.approx(
        0.1 * sum(float(begun.arrays[f"discriminator/linear1/{kind}"].abs().sum()) for kind in ("weight", "bias")),
        rel=1e-4,
    )


def test_one_loss_may_train_parts_in_turn_and_targets_are_compared_as_always() -> None:
    two = nw.Parallel(a=1, b=1, input=nw.Vector(2), output={"a": nw.Number(0, 1), "b": nw.Number(0, 1)})
    data = {"input": X, "a_target": X[:, 0].tolist(), "b_target": X[:, 1].tolist()}
    options = {"epochs": 60, "learning_rate": 0.1, "progress": False, "threads": 1}
    run = nw.train(two, data, objective=nw.Alternate({"a": "a", "b": "b"}), validation=data, **options)
    assert run.epochs[-1].validation["loss"] < 0.1 * run.epochs[0].validation["loss"]
    deep = nw.Chain(8, nw.tanh, 1, input=nw.Vector(2), output=nw.Number(0, 1))
    both = nw.Alternate({"linear1": "output", "linear2": "output"})
    run = nw.train(deep, (X, X[:, 0].tolist()), objective=both, **options)
    assert run.losses[-1] < 0.1 * run.losses[0]


def test_a_folder_holds_the_objective(tmp_path: Path) -> None:
    whole = train(net())
    train(net(), folder=tmp_path / "a")
    again = nw.load_run(tmp_path / "a")
    assert again.losses == whole.losses and again.net == whole.net
    assert nw.replay(again, X, progress=False).equal
    assert "objective: Alternate({'discriminator': 'discriminator_loss', " in "\n".join(map(str, again.choices))
    refused = message(lambda: nw.fork(tmp_path / "a", epoch=2, objective=None))
    assert refused.startswith("objective cannot change in a run that has begun\n")


def test_a_case_is_computed_again_in_its_turn(tmp_path: Path) -> None:
    maker = nw.Chain(5, nw.tanh, 2, nw.log, input=3)
    one = nw.gan(maker, pair()[1])
    with pytest.raises(TrainingError) as caught:
        train(one, folder=tmp_path / "a", epochs=2)
    assert caught.value.where.startswith("step 1, generator/log1, example ")
    case = nw.load_case(tmp_path / "a")
    assert [turn[:2] for turn in case.about["turns"]] == [
        ["discriminator", "discriminator_loss"], ["generator", "generator_loss"],
    ]  # fmt: skip
    found = case.replay()
    assert found is not None and (found.path, found.example) == (case.path, case.example)


def test_what_a_net_cannot_do_in_turn_is_refused() -> None:
    def refused(parts: dict[str, str], one: nw.Net | None = None, **more: Any) -> str:
        return message(lambda: train(one or net(), objective=nw.Alternate(parts), **more))

    names = {"discriminator": "discriminator_loss", "generator": "generator_loss"}
    assert refused({**names, "genertor": "generator_loss"}).splitlines()[:2] == [
        "no array of this net has a path like 'genertor'", "  where:    objective",
    ]  # fmt: skip
    assert refused({"discriminator": "discriminator_loss", "generator": "generatr_loss"}) == (
        "no loss belongs to an output 'generatr_loss'\n  where:    objective\n"
        "  expected: one of 'discriminator_loss', 'generator_loss'\n  mend:     did you mean 'generator_loss'?"
    )
    assert refused({**names, "*/linear1/bias": "generator_loss"}) == (
        "the parts 'generator' and '*/linear1/bias' overlap\n  where:    objective\n"
        "  expected: parts of which no two have an array in common\n"
        "  got:      generator/linear1/bias, discriminator/linear1/bias"
    )
    assert refused({"discriminator": "discriminator_loss", "generator/linear1": "generator_loss"}) == (
        "some arrays are in no part that learns\n  where:    objective\n"
        "  got:      generator/linear2/weight, generator/linear2/bias\n"
        '  mend:     learning_rate={"generator/linear2": 0}, which keeps arrays as they are\n'
        "  or:       a pattern for them in nw.Alternate"
    )
    part = {"discriminator": "discriminator_loss", "generator/linear1": "generator_loss"}
    kept = train(net(), objective=nw.Alternate(part), learning_rate={"generator/linear2": 0}, epochs=2)
    assert torch.equal(kept.net.arrays["generator/linear2/bias"], net().arrays["generator/linear2/bias"])
    assert refused(dict.fromkeys(names, "generator_loss")) == (
        "no part learns from the loss 'discriminator_loss'\n  where:    objective\n"
        "  got:      Alternate({'discriminator': 'generator_loss', 'generator': 'generator_loss'})\n"
        "  mend:     a pattern for the part that learns from 'discriminator_loss', or a net without this output"
    )
    two = nw.Parallel(a=1, b=1, input=nw.Vector(2), output={"a": nw.Number(0, 1), "b": nw.Number(0, 1)})
    data = {"input": X, "a_target": X[:, 0].tolist(), "b_target": X[:, 1].tolist()}
    crossed = nw.Alternate({"a": "b", "b": "a"})
    assert message(lambda: nw.train(two, data, objective=crossed, progress=False)) == (
        "the loss of a part does not depend on it, so that the part cannot learn\n  where:    objective\n"
        "  got:      'a', which learns from 'b'"
    )


@pytest.mark.parametrize("wrong", [{}, {"a": "b"}, {"a": "b", "c": 1}, ["a", "b"], 3])
def test_parts_are_a_mapping_of_at_least_two(wrong: Any) -> None:
    assert message(lambda: nw.Alternate(wrong)) == (
        "parts that learn in turn are given as a mapping from at least two path patterns to losses\n"
        '  where:    Alternate\n  expected: {"discriminator": "discriminator_loss", "generator": "generator_loss"}\n'
        f"  got:      {wrong!r}"
    )
    assert copy.deepcopy(GAN) == GAN and repr(GAN).startswith("Alternate({'discriminator': ")


def test_a_part_that_learns_in_turn_and_is_frozen() -> None:
    net = nw.gan(nw.Chain(1, input=2), nw.Chain(1, nw.sigmoid, input=nw.Vector(1)))
    objective = nw.Alternate({"discriminator": "discriminator_loss", "generator": "generator_loss"})
    samples = [[x / 10] for x in range(20)]
    with pytest.raises(nw.TrainingError) as caught:
        nw.train(net, samples, objective=objective, learning_rate={"generator": 0}, epochs=1, progress=False)
    assert str(caught.value) == (
        "the part 'generator' learns in turn, and the learning rate of all its arrays is 0\n"
        "  where:    objective\n"
        "  got:      a learning rate of 0 for generator/linear1/weight, generator/linear1/bias\n"
        "  mend:     leave the rate of 'generator' out of learning_rate\n"
        "  or:       train the other part alone: a net that ends in its loss, without nw.Alternate"
    )
