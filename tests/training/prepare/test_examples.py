"""The examples of a run: what is held out is trained on nowhere else, and codecs learn from the rest alone."""

import pytest
from tests.training.prepare.tools import options

import netwright as nw
from netwright.errors import DataError
from netwright.training.prepare.examples import examples_of, predicted_input, split_data
from netwright.training.prepare.next_element import NextElement

NET = nw.Chain(nw.Linear(), input=nw.Number(), output=nw.Number())


def test_codecs_learn_from_what_is_trained_on() -> None:
    numbers = [float(i) for i in range(20)]
    examples = examples_of(NET, (numbers, numbers), options(validation=5))
    assert examples.held_out is not None
    held = set(examples.held_out.columns["input"])
    seen = [x for x in numbers if x not in held]
    assert (len(examples.training), len(held)) == (15, 5)
    assert sorted(examples.training.columns["input"]) == seen
    mean = examples.net.held.inputs["input"].mean
    assert abs(mean - sum(seen) / 15) < 1e-6


def test_an_objective_makes_its_own_targets() -> None:
    net = nw.Chain(nw.Embedding(4), nw.GRU(3), nw.Linear(), nw.softmax)
    examples = examples_of(net, ["ab", "ba"], options(objective=NextElement()))
    assert sorted(examples.training.columns) == ["input", "target"]
    assert examples.held_out is None
    assert predicted_input(examples.net, examples.training, NextElement()) == ("input", 1)


def test_a_net_that_compares_numbers_predicts_no_input() -> None:
    examples = examples_of(NET, ([1.0, 2.0], [2.0, 5.0]), options())
    assert predicted_input(examples.net, examples.training, None) is None


def test_errors_say_which_data_their_row_is_of() -> None:
    numbers, other = [1.0, 2.0, 3.0], [1.0, float("nan"), 3.0]
    with pytest.raises(DataError) as error:
        nw.train(NET, (numbers, numbers), validation=(numbers, other), epochs=1, progress=False)
    assert error.value.where == "validation data, port 'target', row 1"
    with pytest.raises(DataError) as error:
        nw.train(NET, (numbers, numbers), validation=[(1.0, 1.0), (2.0,)], epochs=1, progress=False)
    assert error.value.where == "validation data, row 1"
    with pytest.raises(DataError) as error:
        nw.train(NET, (numbers, other), epochs=1, progress=False)
    assert error.value.where == "port 'target', row 1"


class Unnamed(nw.Leaf):
    """A loss of one's own whose output has no name."""

    ports = "input: s, target: s -> ()"

    def forward(self, w, x, target):
        return (x - target).square().sum(1)  # (b,)


def test_a_loss_at_the_end_of_a_net_has_to_be_called_so() -> None:
    net = nw.Graph(Unnamed()(nw.Chain(1)(nw.Input("input", 2)), nw.Input("target", 1)))
    data = ([[1.0, 2.0]] * 4, [[1.0]] * 4)
    with pytest.raises(DataError) as error:
        nw.train(net, data, epochs=1, progress=False)
    assert str(error.value) == (
        "a tuple of two columns fits a net with one input and one target\n"
        "  where:    data\n"
        "  expected: a dict with the ports 'input', 'target', 'output_target'\n"
        "  got:      a tuple of 2\n"
        '  mend:     the name loss for the output, such as ports = "… -> loss: ()", '
        "if the net ends in a loss of its own\n"
        "  or:       {'input': …, 'target': …, 'output_target': …}"
    )
    named = nw.Graph({"loss": Unnamed()(nw.Chain(1)(nw.Input("input", 2)), nw.Input("target", 1))})
    assert len(nw.train(named, data, epochs=1, progress=False).epochs) == 1


def test_an_object_that_says_its_place_does_not_train_and_validate_at_once(tmp_path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"input": 1, "target": 2}\n{"input": 2, "target": 4}\n')
    data = nw.jsonl(tmp_path / "rows.jsonl")
    with pytest.raises(DataError) as caught:
        examples_of(NET, data, options(validation=data))
    assert str(caught.value) == (
        "training and validation read the same object, which is at one place only\n"
        "  where:    validation\n"
        "  got:      JsonLines\n"
        "  mend:     make the object a second time, for validation"
    )
    other = nw.jsonl(tmp_path / "rows.jsonl")
    assert examples_of(NET, data, options(validation=other)).held_out is not None


def test_data_are_split_once_for_several_runs() -> None:
    numbers = [float(i) for i in range(20)]
    shared = split_data(NET, (numbers, numbers), [options(validation=5)])
    assert shared is not None
    alone, again = (
        examples_of(NET, (numbers, numbers), options(validation=5)),
        examples_of(NET, shared, options()),
    )
    assert again.training is shared.training and again.held_out is shared.held_out
    assert again.net == alone.net
    assert list(again.training.columns["input"]) == list(alone.training.columns["input"])


def test_next_elements_are_made_once_too() -> None:
    net = nw.Chain(nw.Embedding(4), nw.GRU(3), nw.Linear(), nw.softmax)
    shared = split_data(net, ["ab", "ba", "aa"], [options(validation=1, objective=NextElement())])
    assert shared is not None
    first, second = (examples_of(net, shared, options(objective=NextElement())) for _ in range(2))
    assert first.training is second.training and first.held_out is second.held_out


def test_a_stream_is_read_by_each_run() -> None:
    assert split_data(NET, lambda: iter([(1.0, 2.0), (2.0, 3.0)]), [options()]) is None


def two_answers() -> nw.Net:
    x = nw.Input("x", 3)
    kind = nw.Chain(nw.Linear(2), nw.softmax)(x)
    return nw.Graph(
        {"size": nw.Linear(1)(x), "kind": kind}, output={"size": nw.Number(), "kind": nw.Category(["a", "b"])}
    )


SIDES = {"x": [[i / 9, 1.0, -i / 9] for i in range(10)], "kind_target": ["a", "b"] * 5}
BOTH = {**SIDES, "size_target": [float(i) for i in range(10)]}


@pytest.mark.parametrize("data", [SIDES, BOTH, [dict(zip(BOTH, row, strict=True)) for row in zip(*BOTH.values())]])  # noqa: B905
def test_a_loss_of_one_output_needs_the_targets_of_no_other(data: object) -> None:
    net, loss = two_answers(), {"kind": nw.CrossEntropy()}
    found = examples_of(net, data, options(loss=loss, validation=2))
    assert sorted(found.training.columns) == ["kind_target", "x"]
    run = nw.train(net, data, loss=loss, validation=2, measurements=["kind accuracy", first], epochs=1, progress=False)
    assert run.epochs[-1].validation.keys() == {"loss", "kind accuracy", "first"}


def first(answers: dict[str, list[str]], targets: dict[str, list[str]]) -> bool:
    """A measurement that sees the outputs with targets alone."""
    assert answers.keys() == targets.keys() == {"kind"}
    return answers["kind"][0] == targets["kind"][0]


def test_one_input_and_the_targets_of_one_output_are_two_columns() -> None:
    run = nw.train(
        two_answers(), (SIDES["x"], SIDES["kind_target"]), loss={"kind": nw.CrossEntropy()}, epochs=1, progress=False
    )
    assert list(run.net.held.outputs["kind"].names) == ["a", "b"]


def test_a_column_that_belongs_to_no_output_is_still_refused() -> None:
    with pytest.raises(DataError) as caught:
        nw.train(two_answers(), {**BOTH, "sort_target": [0] * 10}, loss={"kind": nw.CrossEntropy()}, progress=False)
    assert str(caught.value) == (
        "the net has no port 'sort_target'\n"
        "  where:    data\n"
        "  expected: the ports 'x', 'kind_target'\n"
        "  mend:     did you mean 'kind_target'?"
    )


def test_runs_with_losses_of_different_outputs_read_their_own_targets() -> None:
    losses = [{"kind": nw.CrossEntropy()}, {"size": nw.MSE()}, {"size": nw.MSE(), "kind": nw.CrossEntropy()}]
    net = two_answers()
    assert split_data(net, BOTH, [options(loss=loss) for loss in losses]) is None
    assert split_data(net, BOTH, [options(loss=losses[0])] * 2) is not None
    for loss in losses:
        assert len(examples_of(net, BOTH, options(loss=loss)).training.columns) == 1 + len(loss)


@pytest.mark.parametrize(("count", "part", "of"), [(5, "validation", "5 examples"), (19, "training", "1 example")])
def test_a_part_of_which_no_example_counts_is_refused(count: int, part: str, of: str) -> None:
    numbers = [float(i) for i in range(20)]
    held = set(examples_of(NET, (numbers, numbers), options(validation=count)).held_out.columns["input"])
    weights = [float((x in held) == (part == "training")) for x in numbers]
    with pytest.raises(DataError) as caught:
        examples_of(NET, (numbers, numbers), options(validation=count, weights=weights))
    assert str(caught.value) == (
        f"every weight of the {part} part is 0, so no example of it counts\n  where:    weights\n"
        f"  got:      {of} of the weight 0\n  mend:     validation=…, examples of your own\n"
        "  or:       leave the examples of weight 0 out of the data"
    )
