"""What a picture of a container shows: which parts stand for themselves, which for their parts, which for many."""

import netwright as nw
from netwright.show.draw.contents import contents, has_learned


def found(net: nw.Net, path: str = "") -> list[tuple[str, str]]:
    part = net[path] if path else net
    return [(one.key, one.name) for one in contents(part, net.plan, path, whole=not path).parts]


def test_a_body_and_parts_that_are_not_connected_have_no_frame() -> None:
    net = nw.Chain(
        nw.Residual([nw.Linear(4), nw.relu], shortcut=[nw.Linear(4), nw.tanh]),
        nw.Parallel(left=[nw.Linear(2), nw.relu], right=3),
        nw.Concatenate(),
        nw.Chain(nw.tanh),
        input=4,
    )
    assert found(net) == [
        ("residual1", "residual1"),
        ("parallel1/left", "left"),
        ("parallel1/right", "right"),
        ("concatenate1", "concatenate1"),
        ("chain1/tanh1", "tanh1"),
    ]
    assert [key for key, _ in found(net, "residual1")] == ["shortcut", "body/linear1", "body/relu1", "add"]


def test_equal_containers_in_a_row_are_drawn_once() -> None:
    block = nw.Chain(nw.Linear(4), nw.relu)
    net = nw.Chain(nw.Repeat(5, block), block, block, nw.tanh, block, block, block, input=4)
    assert [name for _, name in found(net)] == ["repeat1/1 … 5", "chain1", "chain2", "tanh1", "chain3 … chain5"]
    parts = contents(net, net.plan, "", whole=True)
    assert parts.parts[0].alike == tuple(f"repeat1/{i}" for i in range(1, 6))
    assert parts.parts[1].reads == (("input", ("repeat1/1", "output")),)
    assert parts.outputs == (("output", ("chain3", "output")),)


def test_containers_with_other_sizes_or_other_readers_are_drawn_each() -> None:
    block = nw.Chain(nw.Linear(), nw.relu)
    wide = nw.Chain(*(nw.Chain(nw.Linear(n), nw.relu) for n in (2, 3, 4)), input=4)
    assert len(found(wide)) == 3
    inner = nw.Input("input", 4)
    one = nw.Chain(nw.Linear(4), nw.relu)
    first = one(inner)
    second = one(first)
    third = one(second)
    net = nw.Graph(nw.Add()(third, second))
    assert len(found(net)) == 4
    assert block.paths


def test_every_container_that_reads_the_same_memory_is_one_of_many() -> None:
    source, target = nw.Input("source", ("n", 8)), nw.Input("target", ("m", 8))
    for _ in range(3):
        target = nw.decoder_block(8, 2, memory=True)(target, source)
    (part,) = contents(net := nw.Graph(target), net.plan, "", whole=True).parts
    assert len(part.alike) == 3
    assert dict(part.reads) == {"input": ("", "target"), "memory": ("", "source")}


def test_a_net_that_is_one_part() -> None:
    assert found(nw.Linear(3)) == [("Linear", "Linear")]
    net = nw.Map(nw.Linear(3))
    assert found(net) == [("Map", "Map")]
    inner = contents(net, net.plan, "", whole=False)
    assert [part.key for part in inner.parts] == ["body"] and inner.outputs == (("output", ("body", "output")),)


def test_what_learns() -> None:
    assert has_learned(nw.Chain(nw.relu, nw.Chain(nw.Linear(3)))) and not has_learned(nw.Chain(nw.relu, nw.Flatten()))
