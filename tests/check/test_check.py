"""The laws, held against nets that keep them, and against leaves that break them, which must be found and named."""

import pytest
import torch

import netwright as nw
from netwright.errors import NetError, SizeError

torch.set_num_threads(1)


class Centred(nw.Leaf):
    """Says that padding changes nothing, and takes the mean over it."""

    ports = "n d -> n d"
    ignores_padding = True

    def forward(self, w, x):
        return x - x.mean(1, keepdim=True)


class Leaky(nw.Leaf):
    """Right in its values, wrong in its gradients."""

    ports = "n d -> n d"
    ignores_padding = True

    def forward(self, w, x):
        mean = x.mean(1, keepdim=True)
        return x - (mean - mean.detach())


class Blind(nw.Leaf):
    """Says that it sees its own position alone, and sees the one before."""

    ports = "n d -> n d"
    ignores_padding = True

    def reach(self, training):
        return {"input": (0, 0)}

    def forward(self, w, x):
        return x + torch.nn.functional.pad(x[:, :-1], (0, 0, 1, 0))


class Forgetful(nw.Leaf):
    """Sums what came so far, and steps without remembering it."""

    ports = "n d -> n d"
    ignores_padding = True

    def reach(self, training):
        return {"input": (-float("inf"), 0)}

    def memory(self):
        return {"sum": "d"}

    def forward(self, w, x):
        return x.cumsum(1)

    def step(self, w, memory, x):
        return x.cumsum(1), {"sum": x.sum(1)}


class Narrow(nw.Leaf):
    """Promises as many numbers as it gets, and gives one."""

    ports = "... d -> ... d"

    def forward(self, w, x):
        return x[..., :1]


class OnItsOwn(nw.Leaf):
    """Runs on one example alone."""

    ports = "... d -> ... d"

    def forward(self, w, x):
        if len(x) > 1:
            raise RuntimeError("one at a time")
        return 2 * x


class Uncertain(nw.Leaf):
    """Never runs."""

    ports = "... d -> ... d"

    def forward(self, w, x):
        raise ValueError("not yet")


class Misspelt(nw.Leaf):
    """Its text says another part."""

    ports = "... d -> ... d"

    def forward(self, w, x):
        return 2 * x

    def __repr__(self):
        return "relu"


class Unreadable(nw.Leaf):
    """Its text is no Python."""

    ports = "... d -> ... d"

    def forward(self, w, x):
        return 2 * x

    def __repr__(self):
        return "<a leaf>"


class Counted(nw.Leaf):
    """Draws from torch itself, so that an example's noise follows from its place in the batch."""

    ports = "... -> ..."

    def forward(self, w, x, *, training):
        generator = torch.Generator().manual_seed(0)
        return x * torch.rand(x.shape, generator=generator, dtype=x.dtype) if training else x


def around(leaf: nw.Net) -> nw.Net:
    return nw.Chain(nw.Linear(3), nw.tanh, leaf, nw.Linear(2), input=("n", 2))


def failures(net: nw.Net) -> list[tuple[str, str, str]]:
    return [(one.law, one.place, one.text) for one in nw.check(net).failed]


def test_a_net_that_keeps_them_all():
    net = nw.Chain(
        nw.Embedding(4), nw.GRU(5), nw.Dropout(0.5), nw.Linear(), nw.softmax,
        input=nw.Characters("abc", mark_start=True), output=nw.Characters("abc", mark_end=True),
    )  # fmt: skip
    checked = nw.check(net)
    assert checked.holds and not checked.failed
    assert str(checked) == (
        "4 random examples with n = 1, 2, 5, 8; arrays that the net does not hold are drawn\n"
        "law 2 sizes: shown: 6 values have the sizes that were solved\n"
        "law 3 batches: shown: alone = padded = batched, outputs and gradients, in use and in training\n"
        "law 4 sight along n: proved: output i sees input up to i\n"
        "law 4 steps along n: shown: fed one by one, in uneven pieces and whole it gives the same\n"
        "law 6 file: proved: saved and loaded it is equal\n"
        "law 6 text: proved: its repr, evaluated, is equal but for the arrays"
    )
    own = nw.check(nw.initialize(net), ["abc", "a", "", "cabba", "b", "cc", "abcabcabc"])
    assert str(own).splitlines()[0] == "6 of your examples with n = 1, 2, 3, 4, 6"
    assert str(own).splitlines()[1:] == str(checked).splitlines()[1:]


def test_a_net_without_lengths():
    assert str(nw.check(nw.initialize(nw.Chain(nw.Linear(3), nw.BatchNorm(), input=4)))) == (
        "4 random examples\n"
        "law 2 sizes: shown: 2 values have the sizes that were solved\n"
        "law 3 batches: shown: alone = batched, outputs and gradients, in use and in training; in training a norm sees "
        "its batch, and more padding changes nothing\n"
        "law 4 sight: does not apply: no input has a size that varies\n"
        "law 6 file: proved: saved and loaded it is equal\n"
        "law 6 text: proved: its repr, evaluated, is equal but for the arrays"
    )


def test_what_looks_ahead_is_said():
    net = nw.Chain(nw.Conv(4, 3, padding="same"), nw.BatchNorm(), input=("n", 2))
    lines = str(nw.check(net)).splitlines()
    assert lines[3:5] == [
        "law 4 sight along n: shown: output i sees input from i - 1 to i + 1: conv1 looks ahead, shown by perturbation"
        "; in training: output i sees all of input: conv1 looks ahead, shown by perturbation",
        "law 4 steps along n: does not apply: a net steps along n only if no part looks ahead or changes how many "
        "elements there are, at conv1",
    ]


def test_a_leaf_that_ignores_lengths_is_named():
    (found,) = failures(around(Centred()))
    assert found[:2] == ("3 batches", "centred1")
    assert found[2].startswith("the outputs differ by 0.")
    assert found[2].endswith(", in use, an example alone and padded with its last element")
    inside = nw.Map([nw.Linear(3), Centred()], input=nw.Array("n m[n] 2"))
    assert failures(inside)[0][:2] == ("3 batches", "body/centred1")


def test_gradients_that_flow_from_padding_are_named():
    (found,) = failures(around(Leaky()))
    assert found[:2] == ("3 batches", "leaky1")
    assert found[2].startswith("the gradient of linear1/weight differs by ")


def test_noise_that_follows_the_batch_is_named():
    (found,) = failures(around(Counted()))
    assert found[:2] == ("3 batches", "counted1")
    assert found[2].endswith(", in training, an example alone and padded with its last element")


def test_a_leaf_that_sees_more_than_it_says_is_named():
    net = nw.Chain(nw.Linear(3), nw.Delay(), Blind(), nw.Linear(2), input=("n", 2))
    sight, steps = nw.check(net).failed
    assert str(sight) == (
        "law 4 sight along n: FAILED at blind1: it sees farther than it says, in use, shown by perturbation"
    )
    assert (steps.law, steps.place) == ("4 steps along n", "blind1")


def test_a_leaf_that_steps_wrongly_is_named():
    (found,) = failures(around(Forgetful()))
    assert found[:2] == ("4 steps along n", "forgetful1")
    assert found[2].endswith(", in pieces of 1, 1, 1, 1, 1, 1, 1, 1")


def test_sizes_that_are_not_kept_are_named():
    net = nw.Chain(nw.Linear(3), Narrow(), nw.relu, input=2)
    assert failures(net)[0] == ("2 sizes", "narrow1", "solved (3,), came out (1,)")


def test_what_runs_alone_only():
    (found,) = failures(around(OnItsOwn()))
    assert found == ("3 batches", "", "runs alone, but not in a batch: RuntimeError: one at a time")


def test_what_does_not_run():
    lines = str(nw.check(around(Uncertain()))).splitlines()
    assert lines[0] == lines[1].removeprefix("law 2 sizes: does not apply: ") + (
        "; arrays that the net does not hold are drawn"
    )
    assert lines[1:3] == [
        f"law {law}: does not apply: the net does not run on random examples: ValueError: not yet; data= gives others"
        for law in ("2 sizes", "3 batches")
    ]
    assert "FAILED" not in "\n".join(lines)


def test_texts_that_say_another_net():
    assert failures(around(Misspelt())) == [
        (
            "6 text", "",
            "its repr, evaluated, is another net: Chain(Linear(3), tanh, relu, Linear(2), input=Array('n 2'))",
        )
    ]  # fmt: skip
    (found,) = failures(around(Unreadable()))
    assert found[0] == "6 text" and found[2].startswith("its repr does not evaluate: SyntaxError")


def twice(x: torch.Tensor) -> torch.Tensor:
    return 2 * x


def test_code_of_one_s_own():
    named = nw.check(around(nw.Function(twice, "... -> ...")))
    assert [str(one) for one in named.findings[-2:]] == [
        "law 6 file: proved: saved and loaded it is equal",
        "law 6 text: does not apply: it holds code that a repr only names",
    ]
    unnamed = nw.check(around(nw.Function(lambda x: 2 * x, "... -> ...")))
    assert str(unnamed.findings[-2]) == (
        "law 6 file: does not apply: it cannot be saved: a function that cannot be imported cannot be saved: nothing "
        "would find it again"
    )
    module = nw.check(nw.Chain(nw.Module(torch.nn.Linear(3, 2)), input=3))
    assert module.holds, module


def test_what_cannot_be_checked():
    with pytest.raises(SizeError):
        nw.check(nw.Chain(nw.relu, nw.Linear(2)))
    with pytest.raises(NetError) as caught:
        nw.check(nw.initialize(nw.Chain(nw.Linear(2), input=3)).with_input(None), [[1.0, 2.0, 3.0]])
    assert str(caught.value) == (
        "examples are encoded by the net's own encoders\n"
        "  where:    check, input 'input'\n"
        "  expected: an encoder and a list of examples for each input: input\n"
        "  got:      input"
    )
    open_ = nw.check(nw.Chain(nw.relu, nw.tanh))
    assert str(open_).splitlines()[1] == (
        "law 2 sizes: does not apply: no random examples fit inputs of these sizes: input (...,)"
    )


def test_its_repr_is_its_text() -> None:
    found = nw.check(nw.Chain(nw.Linear(3), input=2))
    assert repr(found) == str(found)
