"""Gradients by arrays, inputs and values inside: equal to torch's, in every form of what is derived."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

import netwright as nw
import random_nets
from inside.nets import classifier, folded, language, of_torch, rows
from messages import message

X = rows(6, 3, seed=1)


def score(y: Tensor) -> Tensor:
    return y[2]


def theirs(x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The gradients of the sum of the third scores before the softmax: by arrays, and by values."""
    module = of_torch(classifier())
    own = x.detach().clone().requires_grad_()
    hidden = module[0](own)
    act = module[1](hidden)
    whole = module[2](act)[..., 2].sum()
    names = ["input", "linear1", "tanh1"]
    values = dict(zip(names, torch.autograd.grad(whole, [own, hidden, act], retain_graph=True), strict=True))
    found = torch.autograd.grad(whole, [*module.parameters()])
    paths = ["linear1/weight", "linear1/bias", "linear2/weight", "linear2/bias"]
    return dict(zip(paths, found, strict=True)), values


def test_by_arrays_they_are_those_of_torch() -> None:
    arrays, _ = theirs(X)
    found = nw.gradients(classifier(), X, of={"linear2": score})
    assert list(found) == list(arrays)
    for path, gradient in found.items():
        torch.testing.assert_close(gradient, arrays[path])


def test_by_inputs_and_values_inside_each_example_has_its_own() -> None:
    _, values = theirs(X)
    found = nw.gradients(classifier(), X, of={"linear2": score}, wrt=["input", "linear1", "tanh1"])
    for path, gradient in found.items():
        torch.testing.assert_close(gradient, values[path])
        alone = nw.gradients(classifier(), X[4], of={"linear2": score}, wrt=path)
        torch.testing.assert_close(alone, values[path][4])


def test_of_the_output_of_a_class_and_of_several_values() -> None:
    net, module = classifier(), of_torch(classifier())
    x = X.clone().requires_grad_()
    probability = torch.autograd.grad(module(x)[:, 2].sum(), x)[0]
    torch.testing.assert_close(nw.gradients(net, X, of=score, wrt="input"), probability)
    both = nw.gradients(net, X, of={"output": score, "linear1": torch.sum}, wrt="input")
    other = nw.gradients(net, X, of="linear1", wrt="input")
    torch.testing.assert_close(both, probability + other)


def test_many_examples_run_in_pieces_and_are_added() -> None:
    many = rows(600, 3)
    arrays, values = theirs(many)
    found = nw.gradients(classifier(), many, of={"linear2": score}, wrt=["*/weight", "input"])
    assert list(found) == ["linear1/weight", "linear2/weight", "input"]
    torch.testing.assert_close(found["linear1/weight"], arrays["linear1/weight"], atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(found["input"], values["input"])


def test_a_loss_is_the_mean_over_the_examples() -> None:
    net = nw.with_loss(classifier(), nw.CrossEntropy())
    labels = list("abcdab")
    found = nw.gradients(net, {"input": X, "target": labels})
    module = of_torch(classifier())
    loss = torch.nn.functional.cross_entropy(module[:3](X), torch.tensor(["abcd".index(t) for t in labels]))
    loss.backward()
    for gradient, parameter in zip(found.values(), module.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad)
    named = nw.gradients(net, {"input": X, "target": labels}, of="loss", wrt="net/linear1/bias")
    torch.testing.assert_close(named, found["net/linear1/bias"])


def test_several_losses_are_added() -> None:
    port = nw.Input("x", 3)
    two = nw.Graph({"a": nw.Linear(2)(port), "b": nw.Linear(1)(port)})
    net = nw.initialize(nw.with_loss(two, {"a": nw.MSE(), "b": nw.MSE()}))
    x = {"x": X, "a_target": torch.zeros(6, 2), "b_target": torch.zeros(6, 1)}
    each = [nw.gradients(net, x, of=name) for name in ("a_loss", "b_loss")]
    both = nw.gradients(net, x)
    assert both.keys() == each[0].keys() | each[1].keys()
    for path, gradient in both.items():
        torch.testing.assert_close(gradient, next(one[path] for one in each if path in one))


@settings(max_examples=25)
@given(random_nets.nets())
def test_of_random_nets_they_are_those_of_a_module_of_torch(net: nw.Net) -> None:
    x = rows(3, random_nets.WIDTH)
    module, own = nw.to_torch(net), x.clone().requires_grad_()
    whole = (module(own) * torch.arange(4.0)).sum()
    parameters = {path.replace(".", "/"): array for path, array in module.named_parameters()}
    wanted = torch.autograd.grad(whole, [own, *parameters.values()], allow_unused=True)

    def weighted(y: Tensor) -> Tensor:
        return (y * torch.arange(4.0)).sum()

    torch.testing.assert_close(nw.gradients(net, x, of=weighted, wrt="input"), wanted[0])
    if parameters:
        found = nw.gradients(net, x, of=weighted)
        for path, gradient in zip(parameters, wanted[1:], strict=True):
            torch.testing.assert_close(found[path], gradient)


@settings(max_examples=20)
@given(random_nets.nets())
def test_by_every_value_they_are_those_by_a_tensor_in_its_place(net: nw.Net) -> None:
    x = rows(random_nets.WIDTH)

    def weighted(y: Tensor) -> Tensor:
        return (y * torch.arange(4.0)).sum()

    paths = list(nw.activations(net, x))
    found = nw.gradients(net, x, of=weighted, wrt=paths)
    assert list(found) == paths
    for path, gradient in found.items():
        value = net(x, at=path).requires_grad_()
        (wanted,) = torch.autograd.grad(weighted(net(x, set={path: value})), value)
        torch.testing.assert_close(gradient, wanted)


def test_of_a_value_inside_a_map() -> None:
    net = folded()
    xs = [rows(3, 4, seed=1), rows(5, 4, seed=2)]
    found = nw.gradients(net, xs, of="map1/body/tanh1", wrt=["input", "map1/body/linear1/weight"])
    weight, bias = (net.arrays[f"map1/body/linear1/{name}"].requires_grad_() for name in ("weight", "bias"))
    own = [x.clone().requires_grad_() for x in xs]
    whole = torch.stack([(x @ weight.T + bias).tanh().sum() for x in own]).sum()
    *by_input, by_weight = torch.autograd.grad(whole, [*own, weight])
    torch.testing.assert_close(found["map1/body/linear1/weight"], by_weight)
    for mine, wanted in zip(found["input"], by_input, strict=True):
        torch.testing.assert_close(mine, wanted)


def test_of_a_part_with_several_outputs_those_that_matter_are_given() -> None:
    net = nw.initialize(nw.Chain(nw.LSTM(3), nw.Last(), nw.Linear(2), input=("n", 2)))
    assert list(nw.gradients(net, rows(4, 2), of="linear1", wrt="lstm1")) == ["lstm1.output"]


def test_inside_a_map_and_a_fold_the_form_is_that_of_the_values() -> None:
    net = folded()
    xs = [rows(n, 4, seed=n) for n in (3, 5, 2)]
    names = ["input", "map1/body/linear1", "map1", "fold1/body"]
    found = nw.gradients(net, xs, of="fold1.hidden", wrt=names)
    weight, bias = net.arrays["map1/body/linear1/weight"], net.arrays["map1/body/linear1/bias"]
    same = nw.gradients(net, xs, of="fold1.hidden", wrt=["map1/body", "map1/body/tanh1", "map1"])
    for one, other, whole in zip(*same.values(), strict=True):  # the value of a part is that of its last part
        torch.testing.assert_close(one, other)
        torch.testing.assert_close(one, whole)
    for i, x in enumerate(xs):
        linear = (x @ weight.T + bias).requires_grad_()
        state, states = torch.zeros(2), list[Tensor]()
        cell = [net.arrays[f"fold1/body/{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        for element in linear.tanh():
            state = torch.rnn_tanh_cell(element[None], state[None], *cell)[0]
            states.append(state)
        by_linear, *by_states = torch.autograd.grad(state.sum(), [linear, *states])
        torch.testing.assert_close(found["map1/body/linear1"][i], by_linear)
        torch.testing.assert_close(found["fold1/body"][i], torch.stack(by_states))
        torch.testing.assert_close(found["input"][i], by_linear @ weight)


def test_padding_has_no_part_in_a_sum() -> None:
    net = language()
    texts = ["abc", "hgfedcba"]
    whole = nw.gradients(net, texts, of={"head": lambda y: y[..., 0].sum()})
    each = [nw.gradients(net, text, of={"head": lambda y: y[..., 0].sum()}) for text in texts]
    for path, gradient in whole.items():
        torch.testing.assert_close(gradient, each[0][path] + each[1][path], atol=1e-4, rtol=1e-4)
    of_head = nw.gradients(net, texts, of="head", wrt="embedding1")
    assert [tuple(row.shape) for row in of_head] == [(3, 16), (8, 16)]


def test_a_net_in_float64_and_inference_mode() -> None:
    net = classifier().to(dtype=torch.float64)
    with torch.no_grad():
        assert nw.jacobian(net, X).dtype == torch.float64
        assert nw.check_gradient(net, X).holds
    with torch.inference_mode():
        assert nw.gradients(net, X, of=score, wrt="input").dtype == torch.float64


def test_what_the_value_does_not_depend_on_is_left_out_of_patterns() -> None:
    assert list(nw.gradients(classifier(), X, of="linear1")) == ["linear1/weight", "linear1/bias"]
    assert list(nw.gradients(classifier(), X, of="linear1", wrt="*/bias")) == ["linear1/bias"]


def test_arrays_that_are_measured_have_no_gradient() -> None:
    net = nw.initialize(nw.Chain(nw.BatchNorm(), input=3))
    running = next(path for path, spec in net.plan.arrays.items() if spec.weight.kind == "running")
    learned = [path for path, spec in net.plan.arrays.items() if spec.weight.kind == "learned"]
    assert list(nw.gradients(net, X)) == list(nw.gradients(net, X, wrt="batchnorm1/*")) == learned
    assert message(nw.gradients, net, X, wrt=running) == (
        f"{running} is measured on the batches of training and not learned, so it has no gradient\n"
        "  where:    gradients\n"
        f"  got:      {running!r}"
    )


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no dependence": (
        lambda: nw.gradients(classifier(), X, of="linear1", wrt="linear2/weight"),
        "linear1 does not depend on linear2/weight\n"
        "  where:    gradients\n"
        "  expected: one of input, linear1, linear1/weight, linear1/bias",
    ),
    "none of a pattern": (
        lambda: nw.gradients(classifier(), X, of="linear1", wrt="*2/*"),
        "linear1 does not depend on *2/*\n"
        "  where:    gradients\n"
        "  expected: one of input, linear1, linear1/weight, linear1/bias",
    ),
    "no arrays": (
        lambda: nw.gradients(nw.Chain(nw.relu, input=3), X),
        "output does not depend on any learned array\n  where:    gradients\n  expected: one of input, relu1",
    ),
    "indices": (
        lambda: nw.gradients(language(), "abc", of="head", wrt="input"),
        "input holds indices, and nothing changes little when an index changes\n"
        "  where:    gradients\n"
        "  got:      'input'\n"
        "  mend:     wrt='embedding1', the numbers that are made of them",
    ),
    "a sum that is 1": (
        lambda: nw.gradients(classifier(), X),
        "the values of output are probabilities whose sum is always 1, so it has no gradient\n"
        "  where:    gradients\n"
        "  expected: a function that says which of them is meant\n"
        "  mend:     of=lambda y: y[0]\n"
        "  or:       of={'linear2': lambda y: y[0]}, the score before it",
    ),
    "a sum that is 1 at each position": (
        lambda: nw.gradients(language(), "abc", of="softmax"),
        "the values of softmax are probabilities whose sum is always 1, so it has no gradient\n"
        "  where:    gradients\n"
        "  expected: a function that says which of them is meant\n"
        "  mend:     of={'softmax': lambda y: y[-1, 0]}\n"
        "  or:       of={'head': lambda y: y[-1, 0]}, the score before it",
    ),
    "no number": (
        lambda: nw.gradients(classifier(), X, of=lambda y: y),
        "the function does not make one number of a value\n"
        "  where:    output\n"
        "  expected: a tensor with one number, such as y[7] or y.sum()\n"
        "  got:      a tensor (4,)",
    ),
    "no gradient": (
        lambda: nw.gradients(classifier(), X, of=lambda y: y.argmax()),
        "no gradient comes from output to linear1/weight, linear1/bias, linear2/weight, linear2/bias\n"
        "  where:    gradients\n"
        "  expected: values that change little when these change little\n"
        "  got:      a part between them, or the function, gives values that have no derivative",
    ),
    "no name": (
        lambda: nw.gradients(classifier(), X, wrt="linear3", of=score),
        "nothing in this net is called 'linear3'\n"
        "  where:    gradients\n"
        "  expected: one of 9: input, linear1/weight, linear1/bias, linear2/weight, linear2/bias, linear1 and 3 more\n"
        "  mend:     did you mean 'linear2' or 'linear1'?",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_gradient_is_said(case: str) -> None:
    make, text = REFUSED[case]
    assert message(make) == text


def test_the_mends_work() -> None:
    assert nw.gradients(language(), "abc", of="head", wrt="embedding1").shape == (3, 16)
    assert nw.gradients(classifier(), X, of={"linear2": lambda y: y[0]}, wrt="input").shape == (6, 3)
    assert nw.gradients(language(), "abc", of={"softmax": lambda y: y[-1, 0]}, wrt="blocks/1").shape == (3, 16)


def test_the_net_is_not_changed() -> None:
    net = classifier()
    before = net.arrays
    nw.gradients(net, X, of=score)
    assert not any(array.requires_grad for array in net.held.arrays.values())
    assert all(torch.equal(array, before[path]) for path, array in net.arrays.items())
