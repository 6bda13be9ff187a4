"""Variants: fields, parts and settings that a sweep changes; every wrong one is refused before the first step."""

from typing import Any

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import NetwrightError
from netwright.sweep.variants import VARIED, variant, variants_of

NET = nw.Chain(
    nw.Linear(5), nw.relu, nw.Dropout(0.1), nw.Linear(), nw.softmax, input=4, output=nw.Category(["a", "b", "c"])
)


def test_all_combinations_in_order() -> None:
    found = variants_of(NET, {"linear1.out": [5, 7], "dropout1.rate": [0.2, 0.5], "learning_rate": [0.01]})
    assert [dict(one.changes) for one in found] == [
        {"linear1.out": out, "dropout1.rate": rate, "learning_rate": 0.01} for out in (5, 7) for rate in (0.2, 0.5)
    ]
    assert [(one.net["linear1"].bare(), one.net["dropout1"]) for one in found] == [
        (nw.Linear(out), nw.Dropout(rate)) for out in (5, 7) for rate in (0.2, 0.5)
    ]
    assert [one.settings for one in found] == [{"learning_rate": 0.01}] * 4


@pytest.mark.parametrize("values", [np.array([5, 7]), torch.tensor([5, 7]), (5, 7), range(5, 8, 2)])
def test_values_of_any_kind_of_list(values: Any) -> None:
    assert [dict(one.changes) for one in variants_of(NET, {"linear1.out": values})] == [
        {"linear1.out": 5},
        {"linear1.out": 7},
    ]


def test_values_that_are_arrays_are_compared_as_wholes() -> None:
    class Scaled(nw.Leaf):
        factors: Any
        ports = "... a -> ... a"

        def forward(self, w: Any, x: torch.Tensor) -> torch.Tensor:
            return x * torch.as_tensor(self.factors, dtype=x.dtype)

    net = nw.Chain(Scaled(np.ones(4)), *NET, input=4, output=NET.outputs["output"])
    found = variants_of(net, {"scaled1.factors": [np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 3, 5])]})
    assert len(found) == 2


def test_a_list_of_changes_for_searches_of_ones_own() -> None:
    found = variants_of(NET, [{"linear1.out": 7}, {"relu1": nw.gelu, "clip": None}])
    assert found[0].net["linear1"].bare() == nw.Linear(7)
    assert found[1].net["relu1"] == nw.gelu
    assert found[1].settings == {"clip": None}


def test_arrays_that_still_fit_are_kept() -> None:
    net = nw.initialize(NET)
    rate, wider = (variant(net, change).net for change in ({"dropout1.rate": 0.9}, {"linear1.out": 7}))
    assert {*rate.arrays} == {*net.arrays}
    assert all(torch.equal(array, net.arrays[path]) for path, array in rate.arrays.items())
    assert {*wider.arrays} == {"linear2/bias"}
    bias = variant(net, {"linear1.bias": False}).net
    assert {*net.arrays} - {*bias.arrays} == {"linear1/bias"}


def test_fields_of_parts_within_parts_and_of_containers() -> None:
    net = nw.Chain(body=nw.Repeat(2, [nw.Linear(6), nw.relu]), head=nw.Linear(3), input=6)
    assert variant(net, {"body.count": 4}).net["body"].count == 4
    assert variant(net, {"body/1/relu1": nw.gelu}).net["body/1/relu1"] == nw.gelu


def test_a_pattern_means_the_fields_of_all_parts_that_it_matches() -> None:
    net = nw.Chain(nw.Dropout(0.1), nw.Residual([nw.Linear(4), nw.Dropout(0.2)]), input=4)
    found = variant(net, {"*dropout*.rate": 0.5}).net
    assert [part.rate for part in nw.select(found, nw.Dropout).parts] == [0.5, 0.5]  # pyright: ignore


def test_a_shared_part_keeps_its_name() -> None:
    layer = nw.Shared("layer", nw.Linear(4))
    net = nw.Chain(layer, nw.relu, layer, input=4)
    changed = variant(net, {"linear1.bias": False, "linear2.bias": False})
    assert changed.net["linear1"].held.shared == "layer"


def test_settings_that_may_differ_are_those_with_which_the_validation_means_the_same() -> None:
    said = {
        "accumulate", "batch_size", "class_weights", "clip", "clip_value", "ema", "learning_rate", "mixup", "optimizer",
        "penalties", "precision", "schedule",
    }  # fmt: skip
    assert {*VARIED} == said
    assert all(name in (nw.sweep.__doc__ or "") for name in said)


REFUSED: list[tuple[Any, str]] = [
    (
        {"liner1.out": [5]},
        "no part of this Chain has the name 'liner1'\n  where:    liner1.out=5\n"
        "  expected: one of linear1, relu1, dropout1, linear2, softmax1\n"
        "  mend:     did you mean 'linear1'?",
    ),
    (
        {"linear1.outs": [5]},
        "Linear has no field 'outs' that can be changed\n  where:    linear1.outs=5, linear1\n"
        "  expected: one of out, bias\n  mend:     did you mean 'out'?",
    ),
    (
        {"linear1.out": ["wide"]},
        "out of Linear cannot be this\n  where:    linear1.out='wide', Linear\n"
        "  expected: a whole number or FREE\n  got:      'wide', of type str",
    ),
    (
        {"dropout1.rate": [1.5]},
        "a rate is a share of the values, from 0 up to, not with, 1\n  where:    dropout1.rate=1.5, Dropout\n"
        "  got:      1.5",
    ),
    (
        {"learning_rte": [0.1]},
        "the net has no part 'learning_rte', and it is no setting that a sweep varies\n"
        "  where:    learning_rte=0.1\n"
        '  expected: the path of a part, a field such as "linear1.out", or one of ' + ", ".join(VARIED) + "\n"
        "  mend:     did you mean 'learning_rate'?",
    ),
    (
        {"epochs": [3]},
        "epochs is the same for all trials of a sweep\n  where:    epochs=3\n"
        f"  expected: a field of a part, or one of {', '.join(VARIED)}\n  mend:     nw.sweep(…, epochs=…)",
    ),
    (
        {"learning_rate": [-1.0]},
        "learning_rate is a finite number above 0\n  where:    learning_rate=-1.0, learning_rate\n  got:      -1.0",
    ),
    (
        {"optimizer": ["adm"]},
        None,
    ),
    (
        {"linear1.out": 5},
        "the values of a sweep are a list\n  where:    linear1.out\n"
        "  expected: at least one value, such as [50, 100]\n  got:      5\n  mend:     'linear1.out': [5]",
    ),
    (
        {"linear1.out": []},
        "the values of a sweep are a list\n  where:    linear1.out\n"
        "  expected: at least one value, such as [50, 100]\n  got:      []",
    ),
    (
        {"linear1.out": {5, 6}},
        "the values of a sweep are a list\n  where:    linear1.out\n"
        "  expected: at least one value, such as [50, 100]\n  got:      {5, 6}\n  mend:     'linear1.out': list(…)",
    ),
    (
        {"linear1.out": np.array(5)},
        "the values of a sweep are a list\n  where:    linear1.out\n"
        "  expected: at least one value, such as [50, 100]\n  got:      array(5)",
    ),
    (
        {"linear1.out": np.ones((2, 2), dtype=int)},
        "a value of a sweep stands there twice\n  where:    linear1.out\n  got:      [1, 1]",
    ),
    ({"linear1.out": [5, 5]}, "a value of a sweep stands there twice\n  where:    linear1.out\n  got:      5"),
    *(
        (
            given,
            "a sweep takes a mapping from fields or settings to their values, or a list of changes\n"
            "  where:    changes\n"
            '  expected: {"linear1.out": [50, 100]}, or [{"linear1.out": 50}, {"linear1.out": 100}]\n'
            f"  got:      {got}",
        )
        for given, got in [({}, "{}"), ([], "[]"), ("linear1.out", "'linear1.out'"), ([{}], "{}"), ([5], "5")]
    ),
]


@pytest.mark.parametrize(("changes", "text"), REFUSED)
def test_what_is_not_there_is_refused(changes: Any, text: str | None) -> None:
    with pytest.raises(NetwrightError) as error:
        variants_of(NET, changes)
    if text is None:
        assert "did you mean 'adam'" in str(error.value)
    else:
        assert str(error.value) == text


def test_a_net_that_cannot_be_is_refused_with_the_change() -> None:
    net = nw.Chain(body=nw.Residual(nw.Linear(4)), head=nw.Linear(2), input=4)
    with pytest.raises(nw.SizeError) as error:
        variants_of(net, {"body/body.out": [4, 5]})
    assert error.value.where.startswith("body/body.out=5, ")
