"""The mark of what is not given is one object, prints as its name, and is no number."""

import copy
import pickle

from netwright.sizes.free import FREE, Free


def test_it_is_one_object_through_copies_and_pickles() -> None:
    assert copy.deepcopy(FREE) is FREE
    assert pickle.loads(pickle.dumps(FREE)) is FREE
    assert list(Free) == [FREE]


def test_it_prints_as_its_name() -> None:
    assert repr(FREE) == "FREE"
    assert eval(repr(FREE)) is FREE
