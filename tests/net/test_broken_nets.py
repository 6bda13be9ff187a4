"""Forty broken nets: the place is right in all, and the first mend was checked to type-check in nearly all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch

import netwright as nw
from netwright.errors import NetwrightError


class Blocks(nw.Leaf):
    """A leaf that works on whole blocks of sixteen features, as hardware kernels do."""

    ports = "16*k -> 16*k"

    def forward(self, w: Any, x: Any) -> Any:
        return x


def kept(part: nw.Net, **shapes: tuple[int, ...]) -> nw.Net:
    """A part that holds arrays of these shapes, as one cut from a trained net does."""
    return part.with_arrays({name: torch.zeros(shape) for name, shape in shapes.items()})


@dataclass(frozen=True)
class Broken:
    """A net that cannot be, and what the error has to say about it."""

    make: Callable[[], nw.Net]
    where: str
    expected: str
    got: str
    corrected: Callable[[], nw.Net] | None = None  # the net that the first mend describes, where no edit can be tried


TEN = nw.Category(range(10))

NETS: dict[str, Broken] = {
    "decoder_of_another_width": Broken(
        lambda: nw.Chain(20, nw.relu, 12, nw.softmax, input=4, output=TEN),
        "softmax1 -> output",
        "(10,)   Category(range(10))",
        "(12,)   the 12 comes from linear2: Linear(12)",
    ),
    "missing_flatten": Broken(
        lambda: nw.Chain(
            nw.Conv(20, 5),
            nw.relu,
            nw.MaxPool(2),
            500,
            nw.relu,
            nw.Linear(),
            nw.softmax,
            input=nw.Image(28, 28, "gray"),
            output=TEN,
        ),
        "softmax1 -> output",
        "(10,)          Category(range(10))",
        "(12, 12, 10)   the grid (12, 12) comes from maxpool1; no part removes it",
    ),
    "missing_flatten_without_linear": Broken(
        lambda: nw.Chain(nw.Conv(8, 3), nw.relu, nw.Conv(10, 3), nw.softmax, input=(9, 9, 1), output=TEN),
        "softmax1 -> output",
        "(10,)        Category(range(10))",
        "(5, 5, 10)   the grid (5, 5) comes from conv2; no part removes it",
    ),
    "sequence_into_one_class": Broken(
        lambda: nw.Chain(8, nw.relu, nw.Linear(), nw.softmax, input=("n", 3), output=nw.Category(["a", "b"])),
        "softmax1 -> output",
        "(2,)     Category(['a', 'b'])",
        "(n, 2)   the axis of n comes from the input; no part removes it",
    ),
    "number_of_two_outputs": Broken(
        lambda: nw.Chain(8, nw.relu, 2, input=3, output=nw.Number(0, 1)),
        "linear2 -> output",
        "(1,)   Number(0.0, 1.0)",
        "(2,)   the 2 comes from linear2: Linear(2)",
    ),
    "array_of_another_width": Broken(
        lambda: nw.Chain(8, nw.relu, 6, input=3, output=5),
        "linear2 -> output",
        "(5,)   Array('5')",
        "(6,)   the 6 comes from linear2: Linear(6)",
    ),
    "grid_wanted_vector_given": Broken(
        lambda: nw.Chain(nw.Conv(3, 3, padding="same"), nw.Flatten(), 3, input=(5, 5, 1), output=(5, 5, 3)),
        "linear1 -> output",
        "(5, 5, 3)   Array('5 5 3')",
        "(3,)        from linear1",
    ),
    "each_of_another_width": Broken(
        lambda: nw.Chain(
            nw.Conv(3, 3, padding="same"), nw.softmax, input=(5, 5, 1), output=nw.Each(nw.Category(range(4)))
        ),
        "softmax1 -> output",
        "(5, 5, 4)   Each(Category(range(4)))",
        "(5, 5, 3)   the 3 comes from conv1: Conv(3, padding='same')",
    ),
    "positions_lost_before_the_decoder": Broken(
        lambda: nw.Chain(nw.Conv(4, 3), nw.relu, nw.Flatten(), 2, nw.softmax, input=(5, 5, 1), output=("n", "m", 4)),
        "softmax1 -> output",
        "(n, m, 4)   Array('n m 4')",
        "(2,)        from linear1",
    ),
    "gray_picture_without_channel": Broken(
        lambda: nw.Chain(nw.Conv(20, (5, 5)), nw.relu, input=(28, 28)),
        "input -> conv1",
        "2 position axes and an axis of channels",
        "1 position axis and an axis of channels   (28, 28) from the input",
    ),
    "kernel_larger_than_the_picture": Broken(
        lambda: nw.Chain(
            nw.Conv(20, 5),
            nw.relu,
            nw.MaxPool(2),
            nw.Conv(50, 5),
            nw.relu,
            nw.MaxPool(2),
            nw.Conv(50, 5),
            input=(28, 28, 1),
        ),
        "maxpool2 -> conv3",
        "at least 5 positions along every axis",
        "4 positions   (4, 4, 50) from maxpool2",
    ),
    "window_larger_than_the_picture": Broken(
        lambda: nw.Chain(nw.Conv(20, 5), nw.MaxPool(4), nw.MaxPool(8), input=(28, 28, 1)),
        "maxpool1 -> maxpool2",
        "at least 8 positions along every axis",
        "6 positions   (6, 6, 20) from maxpool1",
    ),
    "kernel_too_large_deep_in_a_nest": Broken(
        lambda: nw.Chain(
            stem=[nw.Conv(4, 3), nw.relu],
            body=nw.Chain(nw.MaxPool(4), inner=nw.Chain(nw.Conv(8, 9), nw.relu)),
            input=(20, 20, 3),
        ),
        "body/maxpool1 -> body/inner/conv1",
        "at least 9 positions along every axis",
        "4 positions   (4, 4, 4) from body/maxpool1",
    ),
    "convolution_after_flatten": Broken(
        lambda: nw.Chain(nw.Flatten(), nw.Conv(20, 5), input=(28, 28, 1)),
        "flatten1 -> conv1",
        "position axes and an axis of channels",
        "one axis, of channels   (784,) from flatten1",
    ),
    "pool_over_a_vector": Broken(
        lambda: nw.Chain(6, nw.MaxPool(2), nw.Linear(), nw.softmax, input=9, output=TEN),
        "linear1 -> maxpool1",
        "position axes and an axis of channels",
        "one axis, of channels   (6,) from linear1",
    ),
    "groups_of_the_input": Broken(
        lambda: nw.Chain(nw.Conv(6, 3), nw.Conv(8, 3, groups=4), input=(28, 28, 1)),
        "conv1 -> conv2",
        "a multiple of 4",
        "6 channels   (26, 26, 6) from conv1",
    ),
    "groups_of_the_output": Broken(
        lambda: nw.Chain(nw.Conv(8, 3), nw.Conv(6, 3, groups=4), input=(28, 28, 1)),
        "conv1 -> conv2",
        "a multiple of 4",
        "6 channels   Conv(6, groups=4)",
    ),
    "kept_array_after_another_width": Broken(
        lambda: nw.Chain(300, nw.relu, kept(nw.Linear(10), weight=(10, 500), bias=(10,)), input=20),
        "relu1 -> linear2",
        "(500,)   Linear(in) of the kept array linear2/weight (10, 500)",
        "(300,)   the 300 comes from linear1: Linear(300)",
    ),
    "kept_net_on_another_input": Broken(
        lambda: nw.Chain(trunk=nw.Chain(kept(nw.Linear(10), weight=(10, 500)), nw.relu), head=3, input=400),
        "input -> trunk/linear1",
        "(500,)   Linear(in) of the kept array trunk/linear1/weight (10, 500)",
        "(400,)   the 400 comes from the input: Array('400')",
    ),
    "kept_head_of_another_decoder": Broken(
        lambda: nw.Chain(
            4, nw.relu, kept(nw.Linear(), weight=(10, 4)), nw.softmax, input=3, output=nw.Category(range(12))
        ),
        "relu1 -> linear2",
        "(10,)   Linear(out) of the kept array linear2/weight (10, 4)",
        "(12,)   Linear(out) of linear2",
    ),
    "two_kept_parts": Broken(
        lambda: nw.Chain(kept(nw.Linear(), weight=(30, 20)), nw.relu, kept(nw.Linear(), weight=(5, 40)), input=20),
        "relu1 -> linear2",
        "(40,)   Linear(in) of the kept array linear2/weight (5, 40)",
        "(30,)   the 30 comes from linear1: Linear() with the kept array linear1/weight",
    ),
    "array_of_a_wrong_size": Broken(
        lambda: nw.Chain(3, nw.relu, input=4).with_arrays({"linear1/weight": torch.zeros(3, 5)}),
        "input -> linear1",
        "(5,)   Linear(in) of the kept array linear1/weight (3, 5)",
        "(4,)   the 4 comes from the input: Array('4')",
    ),
    "array_of_a_wrong_rank": Broken(
        lambda: nw.Chain(3, nw.relu, input=4).with_arrays({"linear1/weight": torch.zeros(12)}),
        "input -> linear1",
        "(3, 4)   out in of nw.Linear(3)",
        "(12,)   the kept array linear1/weight",
    ),
    "shared_parts_that_disagree": Broken(
        lambda: nw.Chain(nw.Shared("a", nw.Linear(4)), nw.relu, nw.Shared("a", nw.Linear(4)), input=3),
        "relu1 -> linear2",
        "(3,)   Linear(in) of another use of @a/weight (4, 3)",
        "(4,)   the 4 comes from linear1: Shared('a', Linear(4))",
    ),
    "repeat_of_a_shared_body": Broken(
        lambda: nw.Chain(nw.Repeat(3, nw.Shared("a", [nw.Linear(16), nw.relu])), input=8),
        "repeat1/1/relu1 -> repeat1/2/linear1",
        "(8,)    Linear(in) of another use of @a/linear1/weight (16, 8)",
        "(16,)   the 16 comes from repeat1/1/linear1: Linear(16)",
    ),
    "two_faults_at_once": Broken(
        lambda: nw.Chain(nw.Conv(8, 9), nw.relu, nw.Flatten(), 12, nw.softmax, input=(6, 6, 1), output=TEN),
        "input -> conv1",
        "at least 9 positions along every axis",
        "6 positions   (6, 6, 1) from the input",
    ),
    "indices_into_linear": Broken(
        lambda: nw.Chain(3, input=nw.Array("n <50>")),
        "input -> linear1",
        "numbers   Linear(3)",
        "indices below 50   (n,) from the input: Array('n <50>')",
    ),
    "indices_into_convolution": Broken(
        lambda: nw.Chain(nw.Conv(3, 3), nw.relu, input=nw.Array("n <50>")),
        "input -> conv1",
        "numbers   Conv(3)",
        "indices below 50   (n,) from the input: Array('n <50>')",
    ),
    "numbers_into_embedding": Broken(
        lambda: nw.Chain(nw.Embedding(8), 3, input="n"),
        "input -> embedding1",
        "indices   Embedding(8)",
        "numbers   (n,) from the input: Array('n')",
    ),
    "vector_into_embedding": Broken(
        lambda: nw.Chain(nw.relu, nw.Embedding(8), 3, input=4),
        "relu1 -> embedding1",
        "indices   Embedding(8)",
        "numbers   (4,) from relu1",
    ),
    "branches_of_an_add": Broken(
        lambda: nw.Graph(a=(nw.Linear(3), "input"), b=(nw.Linear(4), "input"), sum=(nw.Add(), "a", "b"), input=5),
        "b -> sum",
        "equal sizes, or 1, along every axis, counted from the last",
        "(3,) and (4,)   from a and b",
    ),
    "grids_of_an_add": Broken(
        lambda: nw.Graph(
            a=(nw.Conv(8, 3), "input"), b=(nw.Conv(8, 1), "input"), sum=(nw.Add(), "a", "b"), input=(9, 9, 2)
        ),
        "b -> sum",
        "equal sizes, or 1, along every axis, counted from the last",
        "(7, 7, 8) and (9, 9, 8)   from a and b",
    ),
    "grids_of_a_concatenate": Broken(
        lambda: nw.Graph(
            a=(nw.Conv(8, 3), "input"), b=(nw.Conv(8, 5), "input"), both=(nw.Concatenate(), "a", "b"), input=(9, 9, 2)
        ),
        "b -> both",
        "(7, 7, a2)   a -> both is (7, 7, 8)",
        "(5, 5, 8)    the 5 comes from b: Conv(8, 5)",
    ),
    "pool_beside_a_convolution": Broken(
        lambda: nw.Chain(nw.Parallel(a=nw.Conv(8, 3), b=nw.MaxPool(3)), nw.Concatenate(), input=(9, 9, 8)),
        "parallel1/b -> concatenate1",
        "(7, 7, a2)   parallel1/a -> concatenate1 is (7, 7, 8)",
        "(3, 3, 8)    the 3 comes from parallel1/b: MaxPool(3)",
    ),
    "ranks_of_a_concatenate": Broken(
        lambda: nw.Graph(
            a=(nw.Conv(8, 3), "input"), f=(nw.Flatten(), "input"), both=(nw.Concatenate(), "a", "f"), input=(9, 9, 2)
        ),
        "f -> both",
        "(7, 7, a2)   a -> both is (7, 7, 8)",
        "(162,)       from f",
    ),
    "residual_that_changes_width": Broken(
        lambda: nw.Chain(nw.Residual([nw.Linear(16), nw.relu]), input=8),
        "residual1/body/relu1 -> residual1/add",
        "equal sizes, or 1, along every axis, counted from the last",
        "(8,) and (16,)   from input and residual1/body/relu1",
    ),
    "residual_that_shortens": Broken(
        lambda: nw.Chain(nw.Residual([nw.Conv(8, 3), nw.relu]), input=(9, 9, 8)),
        "residual1/body/relu1 -> residual1/add",
        "equal sizes, or 1, along every axis, counted from the last",
        "(9, 9, 8) and (7, 7, 8)   from input and residual1/body/relu1",
    ),
    "ports_of_a_loss": Broken(
        lambda: nw.Graph(a=(nw.Linear(3), "x"), loss=(nw.MSE(), "a", "y"), input={"x": 4, "y": 5}),
        "y -> loss",
        "(3,)   a -> loss",
        "(5,)   the 5 comes from the input y: Array('5')",
    ),
    "lengths_of_two_names": Broken(
        lambda: nw.Graph(pick=(nw.where, "c", "a", "b"), input={"c": ("n", 3), "a": ("n", 3), "b": ("m", 3)}),
        "b -> pick",
        "(n, 3)   c -> pick",
        "(m, 3)   the m comes from the input b: Array('m 3')",
    ),
    "blocks_of_sixteen": Broken(
        lambda: nw.Chain(40, Blocks(), nw.relu, input=8),
        "linear1 -> blocks1",
        "(16*k,)   Blocks(), which takes 16*k",
        "(40,)     the 40 comes from linear1: Linear(40)",
    ),
    "length_in_a_weight": Broken(
        lambda: nw.Chain(nw.Flatten(), 3, input=("n", 3)),
        "input -> flatten1",
        "a number   Linear(in) of linear1",
        "3*n   from flatten1: Flatten()",
    ),
    "unconnected_port": Broken(
        lambda: nw.Graph(a=(nw.Linear(3), "input"), pick=(nw.where, "a"), input=5),
        "pick, port 'a'",
        "3 values: condition, a, b",
        "1",
        lambda: nw.Graph(a=(nw.Linear(3), "input"), pick=(nw.where, "a", "a", "a"), input=5),
    ),
    "cycle": Broken(
        lambda: nw.Graph(a=(nw.Linear(3), "b"), b=(nw.Linear(3), "a"), input=5),
        "a -> b -> a",
        "",
        "",
        lambda: nw.Graph(a=(nw.Linear(3), "input"), b=(nw.Linear(3), "a"), input=5),
    ),
    "name_twice": Broken(
        lambda: nw.Graph(x=(nw.Linear(3), "x"), input={"x": 5}),
        "x",
        "",
        "",
        lambda: nw.Graph(y=(nw.Linear(3), "x"), input={"x": 5}),
    ),
    "name_taken": Broken(
        lambda: nw.Chain(3, nw.relu, input=5).rename("relu1", "linear1"),
        "linear1",
        "none of linear1, relu1, input",
        "",
        lambda: nw.Chain(3, nw.relu, input=5).rename("relu1", "act"),
    ),
    "unknown_name": Broken(
        lambda: nw.Graph(conv=(nw.Linear(3), "input"), b=(nw.Linear(3), "con"), input=5),
        "b",
        "a node or an input: input, conv, b",
        "",
        lambda: nw.Graph(conv=(nw.Linear(3), "input"), b=(nw.Linear(3), "conv"), input=5),
    ),
}

MENDS = 36  # of the broken nets, at least, have a first mend that type-checks


def error_of(name: str) -> NetwrightError:
    with pytest.raises(NetwrightError) as caught:
        NETS[name].make()
    return caught.value


def mended(name: str) -> nw.Net | None:
    """The net after the first mend, built anew where the error has it, or as its text says."""
    broken, error = NETS[name], error_of(name)
    net = broken.corrected() if broken.corrected else getattr(error, "mended", None)
    if net is None or not error.mend or net.plan.solution.mismatches:
        return None
    return net


@pytest.mark.parametrize("name", NETS)
def test_the_place_and_both_sides(name: str) -> None:
    error, broken = error_of(name), NETS[name]
    assert (error.where, error.expected, error.got) == (broken.where, broken.expected, broken.got)


def test_there_are_forty_and_the_first_mend_type_checks() -> None:
    assert len(NETS) >= 40
    assert len([name for name in NETS if mended(name) is not None]) >= len(NETS) - 40 + MENDS


@pytest.mark.parametrize("name", [name for name in NETS if not NETS[name].corrected])
def test_a_mended_net_runs_and_gives_the_sizes_it_says(name: str) -> None:
    net = mended(name)
    assert net is not None
    shapes = {port: tuple(s if isinstance(s, int) else 12 for s in shape) for port, shape in net.plan.inputs.items()}
    below = {port: net.plan.below(("", port)) for port in shapes}
    example = {
        port: torch.zeros(2, *shape, dtype=torch.float32 if below[port] is None else torch.int64)
        for port, shape in shapes.items()
    }
    arrays = nw.initialize(net, seed=0).held.arrays
    outputs = nw.apply(net, arrays, example if len(example) > 1 else next(iter(example.values())))
    for port, shape in net.plan.outputs.items():
        array = outputs[port] if isinstance(outputs, dict) else outputs
        assert all(one == size for one, size in zip(array.shape[1:], shape, strict=True) if isinstance(size, int))


WHOLE: dict[str, str] = {
    "decoder_of_another_width": """\
the decoder expects 10 values, but the net gives 12
  where:    softmax1 -> output
  expected: (10,)   Category(range(10))
  got:      (12,)   the 12 comes from linear2: Linear(12)
  mend:     nw.Linear() in place of linear2      (checked: 310 parameters)
  or:       output=nw.Category(range(12))        (checked: 352 parameters)
  or:       nw.Linear(10) before softmax1        (checked: 482 parameters)""",
    "missing_flatten": """\
the decoder expects one vector, but the net gives a grid of vectors
  where:    softmax1 -> output
  expected: (10,)          Category(range(10))
  got:      (12, 12, 10)   the grid (12, 12) comes from maxpool1; no part removes it
  mend:     nw.Flatten() before linear1          (checked: 1,446,030 parameters)
  or:       nw.GlobalAvgPool() before linear1    (checked: 16,030 parameters)
  or:       output=nw.Each(nw.Category(range(10))), a class for every position""",
    "missing_flatten_without_linear": """\
the decoder expects one vector, but the net gives a grid of vectors
  where:    softmax1 -> output
  expected: (10,)        Category(range(10))
  got:      (5, 5, 10)   the grid (5, 5) comes from conv2; no part removes it
  mend:     nw.Flatten() and nw.Linear(10) before softmax1 (checked: 3,320 parameters)
  or:       nw.GlobalAvgPool() before softmax1   (checked: 810 parameters)
  or:       output=nw.Each(nw.Category(range(10))), a class for every position""",
    "sequence_into_one_class": """\
the decoder expects one vector, but the net gives a row of vectors
  where:    softmax1 -> output
  expected: (2,)     Category(['a', 'b'])
  got:      (n, 2)   the axis of n comes from the input; no part removes it
  mend:     nw.GlobalAvgPool() before linear1    (checked: 50 parameters)
  or:       output=nw.Each(nw.Category(['a', 'b'])), a class for every position""",
    "number_of_two_outputs": """\
the decoder expects 1 value, but the net gives 2
  where:    linear2 -> output
  expected: (1,)   Number(0.0, 1.0)
  got:      (2,)   the 2 comes from linear2: Linear(2)
  mend:     nw.Linear() in place of linear2      (checked: 41 parameters)
  or:       output=2                             (checked: 50 parameters)
  or:       nw.Linear(1) at the end              (checked: 53 parameters)""",
    "grid_wanted_vector_given": """\
the decoder expects a grid of vectors, but the net gives one vector
  where:    linear1 -> output
  expected: (5, 5, 3)   Array('5 5 3')
  got:      (3,)        from linear1
  mend:     leave flatten1 out                   (checked: 42 parameters)
  or:       output=3                             (checked: 258 parameters)""",
    "gray_picture_without_channel": """\
conv1's kernel has 2 axes, its input 1 position axis
  where:    input -> conv1
  expected: 2 position axes and an axis of channels
  got:      1 position axis and an axis of channels   (28, 28) from the input
  mend:     input=(28, 28, 1)                    (checked: 520 parameters)
  or:       nw.Reshape(28, 28, 1) before conv1   (checked: 520 parameters)
  or:       nw.Conv(20, (5,)) in place of conv1  (checked: 2,820 parameters)""",
    "kernel_too_large_deep_in_a_nest": """\
body/inner/conv1's kernel is larger than its input
  where:    body/maxpool1 -> body/inner/conv1
  expected: at least 9 positions along every axis
  got:      4 positions   (4, 4, 4) from body/maxpool1
  mend:     nw.Conv(8, 9, padding='same') in place of body/inner/conv1 (checked: 2,712 parameters)
  or:       nw.Conv(8) in place of body/inner/conv1 (checked: 408 parameters)
  or:       leave body/maxpool1 out              (checked: 2,712 parameters)""",
    "kept_array_after_another_width": """\
linear2/weight does not fit any more
  where:    relu1 -> linear2
  expected: (500,)   Linear(in) of the kept array linear2/weight (10, 500)
  got:      (300,)   the 300 comes from linear1: Linear(300)
  mend:     nw.Linear() in place of linear1      (checked: 15,510 parameters)
  or:       nw.Linear(10) in place of linear2, with new arrays
  or:       nw.Linear(500) before linear2        (checked: 161,810 parameters)""",
    "two_kept_parts": """\
linear2/weight does not fit any more
  where:    relu1 -> linear2
  expected: (40,)   Linear(in) of the kept array linear2/weight (5, 40)
  got:      (30,)   the 30 comes from linear1: Linear() with the kept array linear1/weight
  mend:     nw.Linear() in place of linear1, with new arrays
  or:       nw.Linear() in place of linear2, with new arrays
  or:       nw.Linear(40) before linear2         (checked: 2,075 parameters)""",
    "shared_parts_that_disagree": """\
the uses of @a/weight disagree in size
  where:    relu1 -> linear2
  expected: (3,)   Linear(in) of another use of @a/weight (4, 3)
  got:      (4,)   the 4 comes from linear1: Shared('a', Linear(4))
  mend:     nw.Linear(4) in place of linear2, with arrays of its own
  or:       nw.Linear(3) before linear2          (checked: 31 parameters)""",
    "two_faults_at_once": """\
2 faults
1. conv1's kernel is larger than its input
     where:    input -> conv1
     expected: at least 9 positions along every axis
     got:      6 positions   (6, 6, 1) from the input
     mend:     nw.Conv(8, 9, padding='same') in place of conv1 (checked: 3,546 parameters)
     or:       nw.Conv(8) in place of conv1         (checked: 1,370 parameters)
2. the decoder expects 10 values, but the net gives 12
     where:    softmax1 -> output
     expected: (10,)   Category(range(10))
     got:      (12,)   the 12 comes from linear1: Linear(12)
     mend:     nw.Linear() in place of linear1      (checked: 3,546 parameters)
     or:       output=nw.Category(range(12))        (checked: 4,124 parameters)
     or:       nw.Linear(10) before softmax1        (checked: 4,254 parameters)""",
    "indices_into_linear": """\
linear1 expects numbers, but the input gives indices below 50
  where:    input -> linear1
  expected: numbers   Linear(3)
  got:      indices below 50   (n,) from the input: Array('n <50>')
  mend:     nw.Embedding(16) before linear1      (checked: 851 parameters)
  or:       nw.OneHot() before linear1           (checked: 153 parameters)
  or:       input=('n', 1)                       (checked: 6 parameters)""",
    "numbers_into_embedding": """\
embedding1 expects indices, but the input gives numbers
  where:    input -> embedding1
  expected: indices   Embedding(8)
  got:      numbers   (n,) from the input: Array('n')
  mend:     input=nw.Array('n <50>'), for indices below 50""",
    "grids_of_a_concatenate": """\
the inputs of both disagree in size
  where:    b -> both
  expected: (7, 7, a2)   a -> both is (7, 7, 8)
  got:      (5, 5, 8)    the 5 comes from b: Conv(8, 5)
  mend:     padding="same" in a and b            (checked: 560 parameters)""",
    "residual_that_changes_width": """\
residual1/add's inputs do not have the same sizes
  where:    residual1/body/relu1 -> residual1/add
  expected: equal sizes, or 1, along every axis, counted from the last
  got:      (8,) and (16,)   from input and residual1/body/relu1
  mend:     nw.Linear() in place of residual1/body/linear1 (checked: 72 parameters)
  or:       nw.Linear(16) between input and residual1/add (checked: 288 parameters)
  or:       nw.Linear(8) between residual1/body/relu1 and residual1/add (checked: 280 parameters)""",
    "ports_of_a_loss": """\
the inputs of loss disagree in size
  where:    y -> loss
  expected: (3,)   a -> loss
  got:      (5,)   the 5 comes from the input y: Array('5')
  mend:     input 'y': 3                         (checked: 15 parameters)
  or:       nw.Linear() in place of a            (checked: 25 parameters)
  or:       nw.Linear(5) between a and loss      (checked: 35 parameters)""",
    "blocks_of_sixteen": """\
blocks1 expects 16*k values, but linear1 gives 40
  where:    linear1 -> blocks1
  expected: (16*k,)   Blocks(), which takes 16*k
  got:      (40,)     the 40 comes from linear1: Linear(40)
  mend:     nw.Linear(48) in place of linear1    (checked: 432 parameters)
  or:       nw.Linear(48) before blocks1         (checked: 2,328 parameters)""",
    "length_in_a_weight": """\
linear1/weight would have another size for every length
  where:    input -> flatten1
  expected: a number   Linear(in) of linear1
  got:      3*n   from flatten1: Flatten()
  mend:     nw.GlobalAvgPool() in place of flatten1 (checked: 12 parameters)
  or:       leave flatten1 out                   (checked: 12 parameters)
  or:       input=(16, 3), for examples of one length""",
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_whole_text(name: str) -> None:
    assert str(error_of(name)) == WHOLE[name]
