"""Examples of different length in calls: padded, named, and given back with sizes of their own."""

import pytest
import torch

import netwright as nw
from netwright.codecs.ragged import Ragged
from netwright.errors import DataError, SizeError
from netwright.net.run.context import RunContext
from netwright.net.run.examples import Examples, real_positions


def net() -> nw.Net:
    return nw.initialize(nw.Chain(nw.Linear(2), nw.tanh, input=("n", 3)))


def test_many_of_different_length_come_back_as_they_were() -> None:
    rows = [torch.randn(n, 3) for n in (4, 1, 7)]
    together = net()(rows)
    for row, found in zip(rows, together, strict=True):
        torch.testing.assert_close(found, net()(row))


def test_more_than_a_chunk_keeps_its_order() -> None:
    torch.manual_seed(0)
    sizes = torch.randint(1, 9, (600,)).tolist()
    rows = [torch.full((n, 3), float(i)) for i, n in enumerate(sizes)]
    found = nw.initialize(nw.Chain(nw.Mean(0), input=("n", 3)))(rows)
    assert torch.equal(found, torch.arange(600.0).unsqueeze(1).expand(-1, 3))


def test_of_one_length_they_are_one_tensor() -> None:
    assert net()([torch.randn(4, 3)] * 2).shape == (2, 4, 2)


def test_names_along_which_nothing_is_padded_are_left_out() -> None:
    plan = net().plan
    even = Ragged.of([torch.zeros(2, 3), torch.zeros(2, 3)], depth=1)
    assert Examples(plan, {"input": even}).batch(torch.arange(2)).lengths == {}
    uneven = Ragged.of([torch.zeros(2, 3), torch.zeros(1, 3)], depth=1)
    assert Examples(plan, {"input": uneven}).batch(torch.arange(2)).lengths["n"].tolist() == [2, 1]


def test_two_ports_with_one_size_agree() -> None:
    x, y = nw.Input("x", ("n", 3)), nw.Input("y", ("n", 3))
    both = nw.initialize(nw.Graph(nw.Add()(x, y)))
    first, second = [torch.zeros(4, 3), torch.zeros(2, 3)], [torch.zeros(4, 3), torch.zeros(3, 3)]
    with pytest.raises(DataError) as caught:
        both({"x": first, "y": second})
    assert str(caught.value) == (
        "an example is not as long at port 'y' as the net needs\n"
        "  where:    row 1\n"
        "  expected: 2, which is n, with n = 2 at port 'x'\n"
        "  got:      3 at port 'y'"
    )


def test_too_short_for_a_window() -> None:
    conv = nw.initialize(nw.Chain(nw.Conv(2, (4,)), input=("n", 3)))
    with pytest.raises(DataError) as caught:
        conv([torch.zeros(9, 3), torch.zeros(3, 3)])
    assert str(caught.value) == (
        "an example is too short for this net\n"
        "  where:    row 1, conv1\n"
        "  expected: at least 1 position in (n - 3, 2)\n"
        "  got:      n = 3"
    )


def test_documents_of_sentences() -> None:
    documents = nw.initialize(nw.Map([nw.Linear(2), nw.Mean(0)], input=nw.Array("n m[n] 3")))
    first = [[[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]
    second = [[[4.0, 5.0, 6.0]]]
    found = documents([first, second])
    assert [tuple(row.shape) for row in found] == [(2, 2), (1, 2)]
    torch.testing.assert_close(found[1], documents([second])[0])


SENTENCES = nw.Array("n m[n] 1")


def sentences(*lengths: int) -> list[torch.Tensor]:
    return [torch.arange(float(m)).unsqueeze(1) for m in lengths]


def test_an_answer_within_an_axis_has_no_padding() -> None:
    net = nw.Chain(nw.Elementwise("neg"), input=SENTENCES)
    uneven, even = net([sentences(1, 3), sentences(2, 2, 2)])
    assert [part.flatten().tolist() for part in uneven] == [[-0.0], [-0.0, -1.0, -2.0]]
    assert even.shape == (3, 2, 1)  # of one length they are one tensor
    (alone,) = net([sentences(1, 3)])
    assert all(torch.equal(one, other) for one, other in zip(alone, uneven, strict=True))
    (at,) = net([sentences(1, 3)], at="neg1")
    assert [tuple(part.shape) for part in at] == [(1, 1), (3, 1)]
    assert net([sentences(2, 2)] * 2).shape == (2, 2, 2, 1)


def test_axes_behind_those_that_vary_within_one_another() -> None:
    turned = nw.Chain(nw.Map(nw.Transpose(1, 0)), input=SENTENCES)([sentences(1, 3)])[0]
    assert [tuple(part.shape) for part in turned] == [(1, 1), (1, 3)]
    first = nw.Chain(nw.Map(nw.Max(0)), input=SENTENCES)([sentences(1, 3), sentences(2)])
    assert [row.flatten().tolist() for row in first] == [[0.0, 2.0], [1.0]]


def test_labels_within_an_axis_are_as_many_as_there_are() -> None:
    labels = nw.Each(nw.Category(["a", "b"]))
    net = nw.initialize(nw.Chain(nw.Linear(2), nw.softmax, input=SENTENCES, output=labels))
    for reading in ((), (nw.Sample(seed=3),)):
        assert [[len(part) for part in row] for row in net([sentences(1, 3), sentences(2)], *reading)] == [[1, 3], [2]]


def test_an_axis_does_not_come_before_the_one_it_varies_in() -> None:
    with pytest.raises(SizeError) as caught:
        nw.Chain(nw.Transpose(1, 0, 2), nw.Map(nw.Linear(2)), input=SENTENCES)
    assert str(caught.value).startswith(
        "transpose1 mixes along m, which differs from element to element of n\n"
        "  where:    input -> transpose1\n"
        "  expected: one example at a time: nw.Map(…) over n\n"
        "  got:      (n, m, 1) from the input"
    )


def test_the_real_positions_of_a_padded_value() -> None:
    plan = nw.Chain(nw.relu, input=nw.Array("n m[n] 2")).plan
    n, m = plan.inputs["input"][:2]
    lengths = {"n": torch.tensor([1, 2]), "m": torch.tensor([[1, 1], [3, 2]])}
    context = RunContext(lengths=lengths)
    found = real_positions(plan, (n, m, 2), torch.zeros(2, 2, 3, 2), context)
    assert found is not None and found[..., 0].int().tolist() == [[[1, 0, 0], [0, 0, 0]], [[1, 1, 1], [1, 1, 0]]]
    behind = real_positions(plan, (2, n, m), torch.zeros(2, 2, 2, 3), context)
    assert behind is not None and torch.equal(behind[:, 0], found[..., 0])
    alone = real_positions(plan, (m,), torch.zeros(2, 3), context)  # without n the longest counts
    assert alone is not None and alone.int().tolist() == [[1, 0, 0], [1, 1, 1]]
    assert real_positions(plan, (2,), torch.zeros(2, 2), context) is None
