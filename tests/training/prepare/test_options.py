"""Options: every keyword of `train` that says how to train is one of them."""

import inspect
from dataclasses import fields

import pytest

import netwright as nw
from netwright.training.prepare.options import CHECKS, Options, options_of


def test_options_are_the_keywords_of_train() -> None:
    keywords = [name for name, p in inspect.signature(nw.train).parameters.items() if p.kind is p.KEYWORD_ONLY]
    assert {field.name for field in fields(Options)} == set(keywords) - {"callbacks", "folder", "progress"}


def test_every_option_has_its_check() -> None:
    assert {field.name for field in fields(Options)} == CHECKS.keys()


def test_what_is_left_out_is_as_train_has_it_by_default() -> None:
    keywords = inspect.signature(nw.train).parameters
    assert {name: getattr(options_of({}), name) for name in CHECKS} == {
        name: [] if name == "choices" else keywords[name].default for name in CHECKS
    }


def test_a_wrong_value_is_refused() -> None:
    assert options_of({"epochs": 3}).epochs == 3
    with pytest.raises(nw.TrainingError, match="epochs is a whole number of at least 1"):
        options_of({"epochs": 0})
