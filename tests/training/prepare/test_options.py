"""Options: every keyword of `train` that says how to train is one of them."""

import inspect
from dataclasses import fields

import netwright as nw
from netwright.training.prepare.options import Options


def test_options_are_the_keywords_of_train() -> None:
    keywords = [name for name, p in inspect.signature(nw.train).parameters.items() if p.kind is p.KEYWORD_ONLY]
    assert {field.name for field in fields(Options)} == set(keywords) - {"callbacks", "folder", "progress"}
