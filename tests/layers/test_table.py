"""Every layer, row by row: sizes as solved, values and gradients as torch, alone as in a batch, printed, compiled."""

import pickle

import pytest
import torch
from torch import Tensor

import netwright as nw
from layers.table import ROWS, Row
from netwright.net.apply import whole_program
from netwright.net.leaf import LeafNode
from netwright.net.node import PARTS
from netwright.net.run.context import RunContext
from netwright.net.run.execute import Bound
from netwright.net.run.noise import Noise
from netwright.sizes import notation

torch.set_num_threads(1)

BATCH = 3
ELSEWHERE = {
    "Function",
    "Module",
    "Normal",
    "Uniform",
}  # they hold code of somebody else, or draw, and have tests of it
STATES = "netwright.layers.recurrent."  # leaves that carry something on: tests/layers/recurrent has them
ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def net_of(row: Row) -> nw.Net:
    symbols = [nw.Input(f"x{i}", sizes) for i, sizes in enumerate(row.inputs)]
    return nw.Graph({"y": row.layer(*symbols)})


def path_of(net: nw.Net) -> str:
    (path,) = net.paths
    return path


def drawn(row: Row, net: nw.Net, dtype: torch.dtype = torch.float64) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Inputs for a batch, and the layer's arrays by name: no zeros and ones that would hide a fault."""
    generator = torch.Generator().manual_seed(7)
    inputs: list[Tensor] = []
    for sizes in row.inputs:
        port = notation.port(sizes)
        shape = (BATCH, *(axis.times for axis in port.axes))
        if port.below:
            inputs.append(torch.randint(port.below.times, shape, generator=generator))
        elif row.positive:
            x = torch.rand(shape, generator=generator, dtype=torch.float64) * 0.9 + 0.05
            inputs.append(x.to(dtype))
        else:
            inputs.append(torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype))
    arrays: dict[str, Tensor] = {}
    for path, spec in net.plan.arrays.items():
        array = torch.randn(spec.known, generator=generator, dtype=torch.float64)
        name = path.rpartition("/")[2]
        arrays[name] = (array.abs() + 0.5 if name == "variance" else array).to(dtype)
    return inputs, arrays


def bound_of(net: nw.Net, arrays: dict[str, Tensor]) -> Bound:
    path = path_of(net)
    built = whole_program(net)
    return built.bind({f"{path}/{name}": array for name, array in arrays.items()})


def run_context(count: int = BATCH, start: int = 0, training: bool = False) -> RunContext:
    noise = Noise(seed=3, step=0, examples=torch.arange(start, start + count))
    return RunContext(training=training, noise=noise, batch=count)


def run(bound: Bound, inputs: list[Tensor], given: RunContext) -> Tensor:
    (y,) = bound({f"x{i}": x for i, x in enumerate(inputs)}, given)
    return y


@pytest.fixture(autouse=True)
def double():
    """A constant comes in torch's default type, so that is the type of the test."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def test_every_layer_has_a_row():
    ours = {name: cls for name, cls in PARTS.items() if cls.__module__.startswith("netwright.layers.")}
    ours = {name: cls for name, cls in ours.items() if not cls.__module__.startswith(STATES)}
    leaves = {name for name, cls in ours.items() if issubclass(cls, LeafNode)} - ELSEWHERE
    assert leaves == {
        type(row.layer).__name__ for row in ROWS if type(row.layer).__module__.startswith("netwright.layers.")
    }


@ROW
def test_sizes_are_those_of_the_run(row):
    net = net_of(row)
    inputs, arrays = drawn(row, net)
    y = run(bound_of(net, arrays), inputs, run_context())
    assert net.plan.outputs == {"y": tuple(y.shape[1:])}
    assert len(y) == BATCH


@ROW
def test_values_and_gradients_are_those_of_torch(row):
    net = net_of(row)
    inputs, arrays = drawn(row, net)
    weights = row.layer.weights()
    tensors = [*inputs, *(array for name, array in arrays.items() if weights[name].kind == "learned")]
    learned = [x.requires_grad_() for x in tensors if x.is_floating_point()]
    y = run(bound_of(net, arrays), inputs, run_context())
    expected = row.reference(arrays, *inputs)
    assert y.shape == expected.shape
    torch.testing.assert_close(y, expected, rtol=1e-10, atol=1e-10)
    if not expected.requires_grad:
        assert not y.requires_grad
        return
    along = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    ours = torch.autograd.grad((y * along).sum(), learned, allow_unused=True)
    theirs = torch.autograd.grad((expected * along).sum(), learned, allow_unused=True)
    for our, their in zip(ours, theirs, strict=True):
        assert (our is None) == (their is None)
        if our is not None and their is not None:
            torch.testing.assert_close(our, their, rtol=1e-10, atol=1e-10)


@ROW
@pytest.mark.parametrize("training", [False, True])
def test_alone_is_as_in_a_batch(row, training):
    if training and isinstance(row.layer, nw.BatchNorm):
        pytest.skip("batch norm in training sees the batch, by definition")
    net = net_of(row)
    inputs, arrays = drawn(row, net)
    bound = bound_of(net, arrays)
    together = run(bound, inputs, run_context(training=training))
    alone = [run(bound, [x[i : i + 1] for x in inputs], run_context(1, i, training)) for i in range(BATCH)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-10, atol=1e-10)


@ROW
def test_half_precision(row):
    net = net_of(row)
    inputs, arrays = drawn(row, net, torch.bfloat16)
    y = run(bound_of(net, arrays), inputs, run_context())
    wide = [x.double() if x.is_floating_point() else x for x in inputs]
    expected = row.reference({name: array.double() for name, array in arrays.items()}, *wide)
    assert y.isfinite().all()
    torch.testing.assert_close(y.double(), expected.double(), rtol=0.05, atol=0.1 * expected.abs().max().item())


@ROW
def test_printed_and_read_again(row):
    again = eval(repr(row.layer), {**PARTS, **vars(nw), "netwright": nw})
    assert again == row.layer
    assert hash(again) == hash(row.layer)
    assert nw.digest(again) == nw.digest(row.layer)
    assert pickle.loads(pickle.dumps(row.layer)) == row.layer


def test_rows_differ():
    layers = {nw.digest(row.layer): row.layer for row in ROWS}
    assert len(layers) == len({repr(row.layer) for row in ROWS})
    for layer in layers.values():
        assert sum(layer == other for other in layers.values()) == 1


@ROW
def test_saved_and_loaded(row, tmp_path):
    net = net_of(row)
    nw.save(net, tmp_path / "layer.net")
    assert nw.load(tmp_path / "layer.net") == net


@ROW
def test_compiles_in_one_graph(row):
    net = net_of(row)
    inputs, arrays = drawn(row, net)
    bound = bound_of(net, arrays)
    # the noise is keyed by a checksum of the path, which a compiler cannot enter
    given = run_context(training=not isinstance(row.layer, nw.Dropout | nw.AlphaDropout))
    expected = run(bound, inputs, given)

    def step(*x: Tensor) -> Tensor:
        return run(bound, list(x), given)

    torch._dynamo.reset()
    # CTC reads its lengths as numbers, where a compiler ends one graph and begins another
    compiled = torch.compile(step, fullgraph=not isinstance(row.layer, nw.CTCLoss), backend="eager")
    torch.testing.assert_close(compiled(*inputs), expected, rtol=1e-10, atol=1e-10)


@ROW
def test_no_examples_give_none(row):
    net = nw.initialize(net_of(row)).to(dtype=torch.float64)
    inputs, _ = drawn(row, net)
    whole = dict(zip(net.input_names, inputs, strict=True))
    if whole:
        results = [nw.apply(net, {}, {name: x[:count] for name, x in whole.items()}) for count in (2, 0)]
        two, none = (y if isinstance(y, dict) else {"output": y} for y in results)
        assert {name: y.shape for name, y in none.items()} == {name: (0, *y.shape[1:]) for name, y in two.items()}
