"""What all nets share: ports and their codecs, arrays taken in and given out, types and devices."""

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import NetError, PathError, SizeError


def test_codecs_of_ports() -> None:
    net = nw.Chain(3, nw.softmax).with_input(2).with_output(nw.Category(["a", "b", "c"]))
    assert net.inputs == {"input": nw.Array("2")}
    assert net == nw.Chain(3, nw.softmax, input=2, output=nw.Category(["a", "b", "c"]))
    assert net.with_input(None).inputs == {"input": None}
    assert net.with_input({"input": (2,)}) == net
    assert nw.Linear(3).with_input(2).plan.arrays["weight"].known == (3, 2)


def test_a_part_at_the_end_brings_its_codec() -> None:
    inner = nw.Chain(3, nw.softmax, input=2, output=nw.Category(["a", "b", "c"]))
    outer = nw.Chain(inner)
    assert (outer.inputs, outer.outputs) == ({"input": nw.Array("2")}, {"output": nw.Category(["a", "b", "c"])})
    assert outer["chain1"] == inner
    assert outer["chain1/softmax1"].outputs == {"output": nw.Category(["a", "b", "c"])}
    assert nw.Chain(inner, nw.relu).outputs == {"output": None}


def test_arrays_by_paths_or_torchs_names() -> None:
    net = nw.Chain(nw.Linear(2), input=1)
    by_path = net.with_arrays({"linear1/weight": [[1.0], [2.0]], "linear1/bias": np.zeros(2)})
    by_name = net.with_arrays({"linear1.weight": torch.tensor([[1.0], [2.0]]), "linear1.bias": torch.zeros(2)})
    assert by_path == by_name
    assert by_path.arrays["linear1/bias"].dtype == torch.float32
    with pytest.raises(SizeError):
        net.with_arrays({"linear1/weight": torch.zeros(3, 1)})
    double = by_path.to(dtype=torch.float64)
    assert {array.dtype for array in double.arrays.values()} == {torch.float64}
    assert double.with_arrays({"linear1/bias": [0.5, 0.1]}).arrays["linear1/bias"].dtype == torch.float64


def test_arrays_are_facts_about_sizes() -> None:
    net = nw.Chain(nw.Linear(), nw.relu, nw.Linear(2)).with_arrays({"linear2/weight": torch.zeros(2, 7)})
    assert net.with_input(3).plan.arrays["linear1/weight"].known == (7, 3)


def test_a_shared_part_keeps_what_it_holds() -> None:
    trained = nw.initialize(nw.Chain(2, input=2))["linear1"]
    part = nw.Shared("same", trained)
    assert sorted(part.arrays) == ["@same/bias", "@same/weight"]
    assert nw.Chain(part, part).held.arrays["@same/weight"] is trained.held.arrays["weight"]
    assert part((1.0, 2.0)).equal(trained((1.0, 2.0)))


def test_refusals() -> None:
    pair = nw.Graph(sum=(nw.Add(), "a", "b"), input={"a": 2, "b": 2})
    with pytest.raises(NetError) as caught:
        pair.with_input(3)
    assert str(caught.value) == (
        "a net with 2 ports needs a codec for each\n  expected: {'a': …, 'b': …}\n  got:      3"
    )
    with pytest.raises(PathError) as caught_path:
        pair.with_input({"c": 3})
    assert str(caught_path.value) == "this net has no port 'c'\n  expected: a, b"
    with pytest.raises(NetError) as caught:
        nw.Shared("a b", nw.relu)
    assert str(caught.value) == (
        "a part's name has letters, digits and underscores only\n  where:    a shared name\n  got:      'a b'"
    )


def test_a_net_gives_its_parts() -> None:
    net = nw.initialize(nw.Chain(4, nw.relu, 2, input=3))
    assert list(net) == [net["linear1"], net["relu1"], net["linear2"]]
    assert list(nw.relu) == []


def test_a_leaf_says_its_ports_and_its_arithmetic() -> None:
    class Unfinished(nw.Leaf):
        pass

    with pytest.raises(nw.NetError) as caught:
        nw.Chain(Unfinished(), input=3)
    assert str(caught.value) == (
        "Unfinished does not say its ports\n"
        '  mend:     ports = "... in -> ... out", the sizes of its inputs and outputs, in the class'
    )

    class Idle(nw.Leaf):
        ports = "... -> ..."

    with pytest.raises(nw.NetError, match="Idle does not say its forward"):
        Idle()(nw.batch([1.0]))


def test_what_a_property_lacks_is_named() -> None:
    class Careless(nw.Leaf):
        @property
        def ports(self) -> str:
            return self.rank  # type: ignore[attr-defined]

    with pytest.raises(AttributeError, match="rank"):
        Careless().ports  # noqa: B018


def test_a_call_computes_in_the_types_of_the_net_under_autocast() -> None:
    net = nw.initialize(nw.Chain(nw.Linear(64), nw.Linear(8), input=16))
    x = torch.linspace(-1, 1, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = net(x)
    assert under.dtype == torch.float32
    assert torch.equal(under, net(x))
