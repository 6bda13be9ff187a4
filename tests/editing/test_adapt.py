"""Adapters: the same function at first, PEFT's numbers in training, small files, merged exactly; what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import netwright as nw
from messages import message
from netwright.models.pretrained.llama import llama_net
from netwright.models.pretrained.weights import Config
from netwright.net.part import Net
from random_nets import WIDTH, nets

STORED = json.loads(Path(__file__).with_name("peft.json").read_text("utf-8"))
CASES = {case["name"]: case for case in STORED["cases"]}
NETS = {
    "linear": nw.Chain(7, nw.relu, 6, nw.relu, 3, input=5, output=3),
    "conv1d": nw.Chain(nw.Conv(6, 3, padding=1), nw.relu, nw.Conv(4, 2, stride=2), input=(8, 3)),
    "conv2d": nw.Chain(nw.Conv(4, 3, stride=2, padding=1), nw.relu, nw.Conv(3, 1), input=(7, 6, 2)),
    "embedding": nw.Chain(nw.Embedding(6), nw.tanh, nw.Linear(3), input="5 <9>"),
}
PARTS = {
    "linear": {"0": "linear1", "2": "linear2", "4": "linear3"},
    "conv1d": {"0": "conv1", "2": "conv2"},
    "conv2d": {"0": "conv1", "2": "conv2"},
    "embedding": {"0": "embedding1", "2": "linear1"},
}
SIZES = {
    "hidden_size": 576, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
    "intermediate_size": 1536, "vocab_size": 49152, "tie_word_embeddings": True,
}  # fmt: skip
NET = nw.initialize(nw.Chain(16, nw.relu, 12, nw.relu, 3, nw.softmax, input=4, output=nw.Category(["a", "b", "c"])))
XS = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
DATA = (XS, ["abc"[int(row[0] > 0)] for row in XS])


def filled(net: Net) -> Net:
    """The net with random numbers in its adapters."""
    draw = torch.Generator().manual_seed(3)
    found = {path: array for path, array in net.arrays.items() if "adapter/" in path}
    return net.with_arrays({path: torch.randn(a.shape, generator=draw).to(a) * 0.3 for path, a in found.items()})


def same(one: Net, other: Net, x: Any, atol: float = 1e-5) -> None:
    torch.testing.assert_close(other(x, nw.raw), one(x, nw.raw), rtol=0, atol=atol)


def adapted_and_merged(net: Net, what: Any, x: Any, rank: int = 4) -> Net:
    """The net with adapters that compute something, after all that holds for every net was seen."""
    adapted = nw.adapt(net, what, rank)
    same(net, adapted, x, 0)
    for path, array in adapted.held.arrays.items():
        if "adapter/" not in path:
            assert array.data_ptr() == net.held.arrays[path.replace("base/", "")].data_ptr()
    made = filled(adapted)
    merged = nw.merge_adapters(made)
    assert merged.bare() == net.bare()
    assert merged.paths == net.paths
    changed = {path.replace("base/", "") for path in made.arrays if f"{path[:-11]}adapter/up/weight" in made.arrays}
    assert {*nw.diff(net, merged).of("changed")} == {path for path in changed if path.endswith("weight")}
    same(made, merged, x)
    assert not torch.allclose(made(x, nw.raw), net(x, nw.raw), rtol=0, atol=1e-3)
    return made


# ---- PEFT's numbers


def ours(case: dict[str, Any], when: str) -> dict[str, Tensor]:
    """The arrays of a stored net by the paths of our net with adapters."""
    parts = PARTS[case["name"]]
    found: dict[str, Tensor] = {}
    for key, plain in case[when].items():
        place, _, own = key.partition(".")
        array = torch.tensor(plain)
        if own.startswith("lora_embedding_A"):
            array = array.T
        kinds = {"base_layer": "base", "lora_A": "adapter/down", "lora_embedding_A": "adapter/down"}
        kinds |= {"lora_B": "adapter/up", "lora_embedding_B": "adapter/up"}
        kind, bias = kinds.get(own.split(".")[0], ""), own.endswith("bias")
        found["/".join(filter(None, [parts[place], kind, "bias" if bias else "weight"]))] = array
    return found


def features_last(case: dict[str, Any], what: str) -> Tensor:
    value = torch.tensor(case[what])
    return value.movedim(1, -1) if "conv" in case["name"] else value


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_peft(name: str) -> None:
    case = CASES[name]
    x, target = features_last(case, "input"), features_last(case, "target")
    start = ours(case, "start")
    held = {path.replace("/base", ""): array for path, array in start.items() if "adapter" not in path}
    net = nw.initialize(NETS[name]).with_arrays(held)
    same_numbers = {"rtol": 0, "atol": 1e-5}
    torch.testing.assert_close(net(nw.batch(x)), features_last(case, "before"), **same_numbers)
    adapted = nw.adapt(net, None if name == "linear" else nw.Leaf, case["rank"], alpha=case["alpha"])
    assert adapted.arrays.keys() == start.keys()
    adapted = adapted.with_arrays(start)
    torch.testing.assert_close(adapted(nw.batch(x)), features_last(case, "output"), **same_numbers)
    run = nw.train(
        adapted,
        (x.numpy(), target.numpy()),
        loss=nw.MSE(),
        epochs=STORED["steps"],
        batch_size=len(x),
        optimizer=nw.SGD(momentum=0.0),
        schedule="constant",
        learning_rate={"*": STORED["rate"], **nw.select(adapted, "*adapter").others.frozen},
        progress=False,
    )
    for path, array in ours(case, "end").items():
        torch.testing.assert_close(run.net.arrays[path], array, **same_numbers)
    torch.testing.assert_close(run.net(nw.batch(x)), features_last(case, "trained"), **same_numbers)
    merged = nw.merge_adapters(run.net)
    for path, array in ours(case, "merged").items():
        torch.testing.assert_close(merged.arrays[path], array, **same_numbers)
    torch.testing.assert_close(merged(nw.batch(x)), features_last(case, "of_merged"), **same_numbers)


def test_one_half_of_an_adapter_begins_at_zero_and_the_other_as_in_peft() -> None:
    net = nw.initialize(nw.Chain(nw.Embedding(64), nw.Linear(64), input="n <50>"))
    arrays = nw.adapt(net, nw.Leaf).arrays
    assert not arrays["embedding1/adapter/down/weight"].any()
    assert not arrays["linear1/adapter/up/weight"].any()
    down = arrays["linear1/adapter/down/weight"]
    assert down.shape == (8, 64)
    assert 0.9 / 8 < down.abs().max() < 1 / 8  # uniform in ±1/√64
    assert 0.8 < arrays["embedding1/adapter/up/weight"].std() < 1.2
    assert not torch.equal(nw.adapt(net, nw.Leaf, seed=1).arrays["linear1/adapter/down/weight"], down)
    assert nw.adapt(net, nw.Leaf, rank=4)["linear1"].scale == 2.0
    assert nw.adapt(net, nw.Leaf)["linear1"].bare() == nw.Adapted(
        nw.Linear(64), nw.Chain(down=nw.Linear(8, bias=False), up=nw.Linear(bias=False))
    )


# ---- any net


@given(nets(), st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_random_nets_are_adapted_and_merged(net: Net, rank: int) -> None:
    x = nw.batch(torch.randn(4, WIDTH, generator=torch.Generator().manual_seed(2)))
    if any(isinstance(net[path], nw.Linear) for path in net.paths):
        made = filled(nw.adapt(net, nw.Linear, rank))
        merged = nw.merge_adapters(made)
        assert merged.bare() == net.bare()
        same(net, nw.adapt(net, nw.Linear, rank), x, 0)
        torch.testing.assert_close(merged(x, nw.raw), made(x, nw.raw), rtol=1e-4, atol=1e-5)
        assert nw.merge_adapters(nw.adapt(net, nw.Linear, rank)) == net


FOLDED = nw.Graph(
    join=(nw.Concatenate(), "input", "state"),
    linear=(nw.Linear(4), "join"),
    tanh=(nw.tanh, "linear"),
    input={"input": 3, "state": 4},
)


DENSE = nw.Linear(4)


@nw.program(input=4)
def twice(x: Any, dense: Any = DENSE) -> Any:
    for _ in range(2):
        x = nw.tanh(dense(x))
    return x


CONTAINERS: list[tuple[Net, Any, tuple[int, ...], list[str]]] = [
    (nw.Chain(nw.Fold(FOLDED), nw.Last(), nw.Linear(2), input=("n", 3)), None, (3, 5, 3), ["fold1/body/linear"]),
    (twice, nw.Linear, (3, 4), ["dense"]),
    (
        nw.Chain(nw.Shared("s", nw.Linear(4)), nw.relu, nw.Shared("s", nw.Linear(4)), 2, input=4),
        None,
        (3, 4),
        ["linear1"],
    ),
    (
        nw.Chain(nw.Map([nw.Linear(4), nw.relu]), nw.Map(nw.Linear(3)), nw.softmax, input=("n", 2)),
        None,
        (2, 5, 2),
        ["map1/body/linear1"],
    ),
    (
        nw.Chain(nw.Residual(nw.Linear(4)), nw.Bidirectional(nw.Map(nw.Linear(3))), input=("n", 4)),
        "bidirectional1/forward",
        (2, 5, 4),
        ["bidirectional1/forward/body"],
    ),
    (nw.Chain(nw.Repeat(2, [nw.Linear(4), nw.tanh]), 2, input=4), "repeat1/2", (2, 4), ["repeat1/2/linear1"]),
    (
        nw.Chain(nw.Conv(6, 3, groups=2, dilation=2, padding="same"), nw.relu, nw.Conv(4), input=(8, 8, 4)),
        None,
        (2, 8, 8, 4),
        ["conv1"],
    ),
    (nw.Chain(nw.Conv(6, 3, padding="causal"), nw.relu, nw.Linear(2), input=("n", 4)), None, (2, 8, 4), ["conv1"]),
    (
        nw.Chain(nw.Parallel(2, [3, nw.exp]), nw.Concatenate(), input=4),
        nw.Parallel,
        (2, 4),
        ["parallel1/linear1", "parallel1/chain1/linear1"],
    ),
    (
        nw.Chain(nw.Parallel(2, [3, nw.exp, 4]), nw.Concatenate(), input=4),
        None,
        (2, 4),
        ["parallel1/linear1", "parallel1/chain1/linear1", "parallel1/chain1/linear2"],
    ),
]


@pytest.mark.parametrize(("net", "what", "sizes", "paths"), CONTAINERS, ids=map(str, range(len(CONTAINERS))))
def test_layers_in_every_container(net: Net, what: Any, sizes: tuple[int, ...], paths: list[str]) -> None:
    x = torch.randn(sizes, generator=torch.Generator().manual_seed(1))
    made = adapted_and_merged(nw.initialize(net), what, nw.batch(x))
    assert [*nw.select(made, nw.Adapted).paths] == paths


def test_by_default_all_but_the_layers_that_give_the_outputs() -> None:
    assert nw.select(nw.adapt(NET), nw.Adapted).paths == ("linear1", "linear2")
    chosen = nw.select(NET, "linear[13]")
    assert nw.select(nw.adapt(NET, chosen), nw.Adapted).paths == ("linear1", "linear3")
    two = nw.initialize(nw.Chain(nw.Linear(4), nw.Parallel(mean=nw.Linear(3), spread=[nw.Linear(3), nw.exp]), input=5))
    assert nw.select(nw.adapt(two), nw.Adapted).paths == ("linear1",)
    block = nw.initialize(nw.Chain(nw.Linear(6), nw.encoder_block(6, 2), input=("n", 6)))
    assert len(nw.select(nw.adapt(block), nw.Adapted)) == 7  # no layer gives the output alone


def test_a_tied_layer_has_an_adapter_of_its_own() -> None:
    net = nw.initialize(
        nw.Chain(
            words=nw.Shared("w", nw.Embedding(4)),
            middle=nw.Linear(4),
            head=nw.Shared("w", nw.Linear(bias=False)),
            input="n <9>",
        )
    )
    x = nw.batch(torch.randint(9, (2, 5), generator=torch.Generator().manual_seed(1)))
    adapted_and_merged(net, None, x)
    made = nw.adapt(net, nw.Linear)
    same(net, made, x, 0)
    assert made["head"].held.arrays.keys() == {"@w/weight", "adapter/down/weight", "adapter/up/weight"}
    assert made.held.arrays["@w/weight"].data_ptr() == net.held.arrays["@w/weight"].data_ptr()
    assert message(nw.merge_adapters, made) == (
        "the weights of this layer are also those of words, which would change too\n"
        "  where:    head\n"
        "  mend:     net.replace('head/base', layer), with a layer that has its own arrays"
    )


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
def test_every_number_type_is_trained_kept_and_merged(kind: torch.dtype) -> None:
    net = NET.to(dtype=kind)
    adapted = nw.adapt(net)
    assert {array.dtype for array in adapted.arrays.values()} == {kind}
    same(net, adapted, XS[0], 0)
    frozen = nw.select(adapted, "*adapter").others.frozen
    run = nw.train(adapted, DATA, epochs=3, learning_rate=frozen, progress=False)
    assert all(("adapter/" in path) == (path in nw.diff(adapted, run.net).of("changed")) for path in adapted.arrays)
    merged = nw.merge_adapters(run.net)
    assert {array.dtype for array in merged.arrays.values()} == {kind}
    same(run.net, merged, XS[0], max(1e-5, 4 * torch.finfo(kind).eps))


def test_an_adapter_is_a_small_file_that_another_base_refuses(tmp_path: Path) -> None:
    adapted = nw.adapt(NET)
    frozen = nw.select(adapted, "*adapter").others.frozen
    run = nw.train(adapted, DATA, epochs=2, learning_rate=frozen, progress=False)
    change = nw.diff(NET, run.net)
    assert not change.of("changed") and not change.of("removed") and not change.of("reset")
    nw.save_difference(change, tmp_path / "pets.difference")
    loaded = nw.load_difference(tmp_path / "pets.difference")
    assert nw.patch(NET, loaded) == run.net
    other = nw.initialize(NET.bare().with_input(4), seed=5)
    assert message(nw.patch, other, loaded) == (
        "the difference was made from another net\n"
        "  where:    array linear1/weight, array linear2/weight\n"
        "  expected: a net in which every place that the difference touches is as it was in its first net\n"
        "  mend:     nw.merge(base, net, nw.patch(base, difference)), where base is the net it was made from"
    )
    nw.save(run.net, tmp_path / "whole.net")
    assert nw.load(tmp_path / "whole.net") == run.net
    assert nw.check(run.net)


def test_an_adapter_of_smollm2_has_at_most_two_megabytes(tmp_path: Path) -> None:
    net = llama_net(Config(SIZES, "here"), nw.Array("n <49152>"))
    zeros = {path: torch.zeros(()).expand(spec.known or ()) for path, spec in net.plan.arrays.items()}
    whole = net.holding(arrays=zeros)  # one number each, however many they say that they are
    adapted = filled(nw.adapt(whole, "*attention/*/[qv][ua]*"))
    assert len(nw.select(adapted, nw.Adapted)) == 60
    assert isinstance(adapted["blocks"], nw.Repeat)
    nw.save_difference(nw.diff(whole, adapted), tmp_path / "adapter.difference")
    assert (tmp_path / "adapter.difference").stat().st_size <= 2_000_000


def test_dropout_in_an_adapter_does_not_matter_to_merging() -> None:
    made = filled(nw.adapt(NET))
    dropping = made.insert("linear1/adapter/down", nw.Dropout(0.1)).insert("linear2/adapter/up", nw.Dropout(0.5))
    assert nw.merge_adapters(dropping) == nw.merge_adapters(made)


GROUPS = nw.initialize(nw.Chain(nw.Conv(6, 3, groups=3), nw.Flatten(), nw.Linear(2), input=(8, 8, 3)))
RECURRENT = nw.initialize(nw.Chain(nw.Embedding(4), nw.GRU(4), nw.Last(), nw.LayerNorm(), nw.Linear(2), input="n <9>"))
OTHER_KIND = (
    "an adapter is known for Linear, Conv, Embedding, not for GRU\n"
    "  where:    gru1\n"
    "  mend:     nw.adapt(net, nw.Linear), or another selection without these layers\n"
    "  or:       nw.train(…, learning_rate=…) trains their own arrays"
)
NOTHING = (
    "there is no layer with a matrix to adapt\n"
    "  where:    adapt\n"
    "  expected: Linear, Conv, Embedding in the selection\n"
    "  mend:     nw.adapt(net, nw.Linear), for the last layers too"
)
OWN_ARRAYS = "  mend:     nw.train(…, learning_rate=…) trains their own arrays"
GATED = nw.initialize(nw.Chain(nw.GRU(4), nw.Last(), nw.LayerNorm(), input=("n", 3)))
WRONG: list[tuple[Any, str]] = [
    (lambda: nw.adapt(3), "adapt takes a net\n  got:      3"),  # pyright: ignore
    (lambda: nw.adapt(NET, rank=0), "the rank is a whole number of at least 1\n  where:    adapt\n  got:      0"),
    (
        lambda: nw.adapt(NET, "linear1", rank=10**13),
        "an array does not fit in memory\n  where:    linear1/adapter/down/weight\n"
        f"  got:      (10000000000000, {NET['linear1'].plan.arrays['weight'].shape[1]}), "
        f"{40_000 * NET['linear1'].plan.arrays['weight'].shape[1]:,} GB\n  mend:     smaller sizes",
    ),
    (lambda: nw.adapt(NET, alpha=-1), "alpha is a number above 0\n  where:    adapt\n  got:      -1"),
    (
        lambda: nw.adapt(NET, alpha=10**400),
        f"alpha is a number above 0\n  where:    adapt\n  got:      1{'0' * 58}…",
    ),
    (
        lambda: nw.adapt(NET, "liner1"),
        "no part of this net is like 'liner1'\n  where:    select\n  expected: at least one part\n"
        "  mend:     did you mean 'linear1'?",
    ),
    (
        lambda: nw.adapt(NET.delete("linear2"), nw.select(NET, nw.Linear)),
        "no part of this net has the path 'linear2'\n  mend:     did you mean 'linear3' or 'linear1'?",
    ),
    (lambda: nw.adapt(RECURRENT, nw.GRU), OTHER_KIND),
    (lambda: nw.adapt(RECURRENT, nw.select(RECURRENT)), OTHER_KIND),
    (lambda: nw.adapt(RECURRENT), NOTHING + "\n  or:       nw.adapt(net, nw.Embedding)"),
    (lambda: nw.adapt(GATED), NOTHING.partition("  mend")[0] + OWN_ARRAYS),
    (lambda: nw.adapt(GATED, "gru*"), OTHER_KIND.partition("  mend")[0] + OWN_ARRAYS),
    (lambda: nw.adapt(nw.adapt(NET, nw.Linear), nw.relu), NOTHING.partition("  mend")[0] + OWN_ARRAYS),
    (lambda: nw.adapt(GROUPS, nw.Flatten), NOTHING),  # rank 8 is none of three groups
    (lambda: nw.adapt(NET, nw.relu), NOTHING),
    (lambda: nw.adapt(nw.initialize(nw.Linear(3).with_input(2))), NOTHING.partition("  mend")[0] + OWN_ARRAYS),
    (
        lambda: nw.adapt(nw.adapt(NET), nw.Linear),
        "this layer has an adapter already\n  where:    linear1, linear2\n"
        "  mend:     nw.merge_adapters(net) first\n  or:       a selection of other layers",
    ),
    (
        lambda: nw.adapt(NET.bare()),
        "an adapter is added to arrays, and these layers have none\n  where:    linear1, linear2\n"
        "  mend:     nw.adapt(nw.initialize(net))",
    ),
    (
        lambda: nw.adapt(GROUPS),
        "the groups of this convolution do not divide the rank\n  where:    conv1\n  expected: a multiple of 3\n"
        "  got:      rank 8\n  mend:     a selection without this layer",
    ),
    (lambda: nw.merge_adapters(3), "merge_adapters takes a net\n  got:      3"),  # pyright: ignore
    (
        lambda: nw.merge_adapters(NET),
        "this net has no adapters\n  where:    merge_adapters\n  mend:     nw.adapt(net) adds them",
    ),
    (
        lambda: nw.merge_adapters(nw.adapt(NET).bare()),
        "an adapter without arrays cannot be merged\n  where:    linear1\n  mend:     nw.initialize(net)",
    ),
    (
        lambda: nw.merge_adapters(nw.adapt(NET).insert("linear1/adapter/up", nw.tanh)),
        "this adapter is not two layers of the kind that nw.adapt adds, so it cannot be merged\n"
        "  where:    linear1\n"
        "  expected: down and up, without bias and with nothing but dropout beside them\n"
        "  got:      Chain(down=Linear(8, bias=False), tanh1=tanh, up=Linear(bias=False))",
    ),
]


@pytest.mark.parametrize(("make", "text"), WRONG, ids=map(str, range(len(WRONG))))
def test_what_cannot_be_is_refused(make: Any, text: str) -> None:
    assert message(make) == text
