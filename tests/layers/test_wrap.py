"""Containers: their paths, their arrays, what an edit makes of them."""

import pytest
import torch

import netwright as nw
from messages import message

NETS = [
    nw.Residual([nw.Linear(8), nw.relu, nw.Linear()], input=3),
    nw.Residual(nw.Linear(5), nw.Linear(), input=3),
    nw.Parallel(3, [nw.Linear(4), nw.exp], input=5),
    nw.Parallel(mean=nw.Linear(3), spread=[nw.Linear(3), nw.exp], input=5),
    nw.Repeat(3, [nw.Linear(8), nw.relu], input=8),
    nw.Chain(nw.Repeat(2, nw.Residual(nw.Linear())), nw.Parallel(2, 3), nw.Concatenate(), input=4),
    nw.Adapted(nw.Linear(5), [nw.Linear(2), nw.Linear()], input=3),
    nw.Adapted(nw.Linear(5), [nw.Linear(2), nw.Linear()], 0.5, input=3),
]
NET = pytest.mark.parametrize("net", NETS, ids=repr)


@NET
def test_printed_and_read_again(net):
    assert eval(repr(net), vars(nw)) == net


@NET
def test_saved_and_loaded(net, tmp_path):
    full = nw.initialize(net)
    nw.save(full, tmp_path / "part.net")
    loaded = nw.load(tmp_path / "part.net")
    assert loaded == full
    assert type(loaded) is type(net)


@NET
def test_replacing_a_part_by_itself_changes_nothing(net):
    full = nw.initialize(net, seed=1)
    for path in full.paths:
        if path != "concatenate1":
            assert full.replace(path, full[path]) == full


def test_residual_adds():
    net = nw.initialize(NETS[0], seed=2)
    x = torch.randn(3)
    assert net.paths == ("body/linear1", "body/relu1", "body/linear2", "body", "add")
    torch.testing.assert_close(net(x), x + net["body"](x))


def test_residual_with_a_shortcut():
    net = nw.initialize(NETS[1], seed=2)
    x = torch.randn(3)
    torch.testing.assert_close(net(x), net["shortcut"](x) + net["body"](x))


@pytest.mark.parametrize("net", NETS[6:], ids=repr)
def test_what_an_adapter_gives_is_scaled_and_added(net):
    full = nw.initialize(net, seed=2)
    x = torch.randn(3)
    torch.testing.assert_close(full(x), full["base"](x) + net.scale * full["adapter"](x))
    tall = nw.set(nw.Chain(net), {"adapted1.scale": 3})
    assert tall.paths[3:6] == ("adapted1/adapter", "adapted1/scale", "adapted1/scaled")


@pytest.mark.parametrize(
    ("scale", "got"),
    [(float("nan"), "nan"), (float("inf"), "inf"), ("x", "'x'"), (True, "True"), (10**400, f"1{'0' * 58}…")],
)
def test_the_scale_of_an_adapter_is_a_finite_number(scale, got):
    assert message(lambda: nw.Adapted(nw.Linear(5), nw.Linear(), scale, input=3)) == (
        f"the scale of an adapter is a finite number\n  where:    Adapted\n  got:      {got}"
    )


def test_an_adapter_of_other_sizes_is_refused():
    assert message(lambda: nw.Adapted(nw.Linear(5), nw.Linear(4), input=3)) == (
        "add's inputs do not have the same sizes\n"
        "  where:    adapter -> add\n"
        "  expected: equal sizes, or 1, along every axis, counted from the last\n"
        "  got:      (5,) and (4,)   from base and adapter\n"
        "  mend:     nw.Linear() in place of base         (checked: 32 parameters)\n"
        "  or:       nw.Linear() in place of adapter      (checked: 40 parameters)\n"
        "  or:       nw.Linear(4) between base and add    (checked: 60 parameters)"
    )


def test_residual_becomes_a_graph_when_its_sum_is_replaced():
    net = nw.initialize(NETS[0]).replace("add", nw.Multiply())
    assert isinstance(net, nw.Graph)
    x = torch.randn(3)
    torch.testing.assert_close(net(x), x * net["body"](x))
    assert eval(repr(net), vars(nw)).paths == net.paths


def test_residual_keeps_its_kind_when_its_body_is_replaced():
    net = NETS[0].replace("body", nw.Linear())
    assert net == nw.Residual(nw.Linear(), input=3)
    assert isinstance(net, nw.Residual)


def test_residual_of_another_size():
    text = message(lambda: nw.Residual(nw.Linear(4), input=3))
    assert "inputs do not have the same sizes" in text
    assert "(3,) and (4,)" in text


def test_parallel_names_its_outputs():
    net = nw.initialize(NETS[3])
    assert net.output_names == ("mean", "spread")
    assert net.paths == ("mean", "spread/linear1", "spread/exp1", "spread")
    found = net(torch.randn(5))
    assert set(found) == {"mean", "spread"}
    assert nw.Parallel(3, 4).output_names == ("linear1", "linear2")
    assert nw.Chain(nw.Parallel(3, 4), nw.Concatenate(), input=2).plan.outputs == {"output": (7,)}
    assert message(nw.Parallel) == ("a parallel needs at least one part\n  mend:     nw.Parallel(mean=3, spread=3)")


def test_repeat_has_weights_for_each():
    net = nw.initialize(NETS[4])
    assert len(net.arrays) == 6
    assert not torch.equal(net.arrays["1/linear1/weight"], net.arrays["2/linear1/weight"])
    x = torch.randn(8)
    torch.testing.assert_close(net(x), net["3"](net["2"](net["1"](x))))


def test_repeat_of_a_part_with_arrays_begins_with_them():
    body = nw.initialize(nw.Linear(3).with_input(3))
    net = nw.Repeat(2, body)
    assert torch.equal(net.arrays["1/weight"], net.arrays["2/weight"])
    assert net.inputs["input"] == nw.Array(3)


def test_repeat_of_a_shared_part():
    net = nw.Repeat(4, nw.Shared("layer", nw.Linear(3)), input=3)
    assert sorted(nw.initialize(net).arrays) == ["@layer/bias", "@layer/weight"]


def test_repeat_becomes_a_chain_when_its_parts_differ():
    net = nw.initialize(NETS[4])
    changed = net.replace("2", nw.Chain(nw.Linear(8), nw.tanh))
    assert isinstance(changed, nw.Chain)
    assert changed.paths == ("1/linear1", "1/relu1", "1", "2/linear1", "2/tanh1", "2", "3/linear1", "3/relu1", "3")
    assert torch.equal(changed.arrays["3/linear1/weight"], net.arrays["3/linear1/weight"])
    assert "2/linear1/weight" not in changed.arrays
    assert eval(repr(changed), vars(nw)) == changed.with_arrays({}).rebuilt(
        changed.held.__class__(inputs=changed.held.inputs)
    )
    inner = net.replace("2/relu1", nw.tanh)
    assert isinstance(inner, nw.Chain)


def test_repeat_stays_when_a_copy_is_replaced_by_its_equal():
    net = nw.initialize(NETS[4])
    reset = net.replace("2", nw.Chain(nw.Linear(8), nw.relu))
    assert isinstance(reset, nw.Repeat)
    assert sorted(reset.arrays) == ["1/linear1/bias", "1/linear1/weight", "3/linear1/bias", "3/linear1/weight"]


def test_repeat_hands_further_inputs_to_every_copy():
    net = nw.initialize(
        nw.Repeat(2, nw.decoder_block(8, 2, memory=True), input={"input": ("n", 8), "memory": ("m", 8)})
    )
    assert net.input_names == ("input", "memory")
    x, memory = torch.randn(1, 5, 8), torch.randn(1, 3, 8)
    found = nw.apply(net, net.arrays, {"input": x, "memory": memory})
    first = nw.apply(net["1"], net["1"].arrays, {"input": x, "memory": memory})
    second = nw.apply(net["2"], net["2"].arrays, {"input": first, "memory": memory})
    torch.testing.assert_close(found, second)
    assert eval(repr(net), vars(nw)).paths == net.paths
    changed = net.replace("2/feed_forward", nw.Linear())
    assert isinstance(changed, nw.Graph) and changed.input_names == net.input_names


def test_repeat_of_a_part_with_two_inputs_learns_and_unfolds():
    part = nw.Graph(nw.GRU(4)(nw.Input("x") + nw.Linear(4)(nw.Input("more")))["output"])
    net = nw.Repeat(2, part, input={"x": ("n", 4), "more": ("n", 3)}, output=("n", 4))
    assert nw.check(net).holds
    step = nw.unfold(net)
    assert step.input_names[:2] == ("x", "more") and len(step.optional_names) == 2
    rows = [{"x": torch.randn(n, 4), "more": torch.randn(n, 3)} for n in (3, 5, 4, 2)]
    data = [{**row, "target": row["x"].cumsum(0)} for row in rows]
    run = nw.train(net, data, epochs=2, validation=0.25)
    assert run.net.input_names == ("x", "more")


def test_repeat_refuses():
    assert message(lambda: nw.Repeat(0, nw.relu)) == (
        "the number of copies is a whole number of at least 1\n  where:    Repeat\n  got:      0"
    )
    text = message(lambda: nw.Repeat(2, nw.Conv(4, 3), input=(4, 4, 1)))
    assert "2's kernel is larger than its input" in text


def test_slices_keep_arrays():
    net = nw.initialize(NETS[4])
    assert net["2/linear1"].arrays["weight"].equal(net.arrays["2/linear1/weight"])
    assert net[:2].paths == ("1/linear1", "1/relu1", "1", "2/linear1", "2/relu1", "2")
