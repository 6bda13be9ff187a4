"""The validation part depends on the seed alone and never takes everything."""

import doctest
import importlib
from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.data.held_out import latest, of_each_class, random_parts, single_classes, stream_parts, whole_groups
from netwright.errors import DataError

module = importlib.import_module("netwright.data.held_out")


@given(n=st.integers(2, 300), validation=st.floats(0.001, 0.999), seed=st.integers(0, 2**70))
def test_every_example_is_on_one_side(n: int, validation: float, seed: int) -> None:
    train, held = random_parts(n, validation, seed)
    assert sorted([*train.tolist(), *held.tolist()]) == list(range(n))
    assert 1 <= len(held) < n
    assert abs(len(held) - n * validation) <= 1
    assert train.tolist() == sorted(train.tolist())
    assert held.tolist() == sorted(held.tolist())


@pytest.mark.parametrize("validation", [1, 0.1, 0.5, 49])
def test_the_parts_of_a_stream_are_those_of_the_same_examples_in_memory(validation: float | int) -> None:
    for part, alike in zip(stream_parts(50, validation, 3), random_parts(50, validation, 3), strict=True):
        assert [place for place in range(50) if place in part] == alike.tolist()
        assert [part[i] for i in range(len(part))] == alike.tolist()


@pytest.mark.parametrize("count", [1, 7, 48, 95])
def test_the_parts_of_a_long_stream_are_drawn_a_run_of_places_at_a_time(monkeypatch, count: int) -> None:
    monkeypatch.setattr(module, "DRAWN", 10)
    module._held_out.cache_clear()
    training, held = (([i for i in range(120) if i in part], part) for part in stream_parts(96, count, 0))
    assert sorted(training[0] + held[0]) == list(range(120))
    assert (len(held[0]), len(held[1]), len(training[1])) == (count, count, 96 - count)
    assert training[0][-24:] == list(range(96, 120))  # a longer pass trains on what is beyond
    for places, part in (training, held):
        assert [part[i] for i in range(len(part))] == places[: len(part)]
        tens = [sum(i // 10 == ten for i in held[0]) for ten in range(9)]
        assert max(tens) - min(tens) <= 1
    with pytest.raises(IndexError):
        held[1][count]
    module._held_out.cache_clear()


def test_a_count_is_exact() -> None:
    train, held = random_parts(60_000, 5000, seed=3)
    assert (len(train), len(held)) == (55_000, 5000)
    assert train.dtype == held.dtype == torch.int64


def test_the_choice_is_the_seeds_and_nobody_elses() -> None:
    torch.manual_seed(1)
    first = random_parts(20, 5, seed=0)[1].tolist()
    torch.manual_seed(2)
    assert random_parts(20, 5, seed=0)[1].tolist() == first
    assert random_parts(20, 5, seed=1)[1].tolist() != first
    assert first == [4, 5, 7, 11, 12]  # the same in every process


@pytest.mark.parametrize(
    ("n", "validation", "text"),
    [
        (
            0,
            0.1,
            "there is no data to split\n  where:    validation\n  mend:     give at least two examples",
        ),
        (
            1,
            0.1,
            "one example cannot both train and validate\n"
            "  where:    validation\n"
            "  got:      1 example, validation=0.1\n"
            "  mend:     give more examples\n"
            "  or:       validation=None, or examples of its own",
        ),
        (
            5000,
            5000,
            "the validation part would leave nothing to train on\n"
            "  where:    validation\n"
            "  expected: at most 4,999 of 5,000 examples\n"
            "  got:      5,000\n"
            "  mend:     validation=500\n"
            "  or:       validation=0.1",
        ),
        *(
            (
                10,
                wrong,
                "validation is neither a fraction nor a count\n"
                "  where:    validation\n"
                "  expected: a float between 0 and 1, or an int from 1 to 9\n"
                f"  got:      {wrong!r}\n"
                "  mend:     validation=0.1",
            )
            for wrong in (0, 0.0, 1.0, -3, 5.0, True, float("nan"))
        ),
    ],
)
def test_what_cannot_be_split(n: int, validation: float, text: str) -> None:
    with pytest.raises(DataError) as caught:
        random_parts(n, validation, seed=0)
    assert str(caught.value) == text


@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=12),
    validation=st.floats(0.01, 0.99),
    seed=st.integers(0, 99),
)
def test_groups_stay_whole_and_the_size_is_the_nearest_that_groups_give(
    sizes: list[int], validation: float, seed: int
) -> None:
    groups = [f"group {i}" for i, size in enumerate(sizes) for _ in range(size)]
    train, held = whole_groups(groups, validation, seed)
    assert not {groups[i] for i in train.tolist()} & {groups[i] for i in held.tolist()}
    assert sorted([*train.tolist(), *held.tolist()]) == list(range(len(groups)))
    wanted = len(random_parts(len(groups), validation, 0)[1])
    sums = {sum(some) for k in range(1, len(sizes)) for some in combinations(sizes, k)}
    assert abs(len(held) - wanted) == min(abs(total - wanted) for total in sums)


def test_many_groups_come_near_the_wanted_size(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [i // 7 for i in range(7000)]
    exact = whole_groups(groups, 0.3, seed=0)
    monkeypatch.setattr(module, "BITS", 5000)
    near = whole_groups(groups, 0.3, seed=0)
    assert len(exact[1]) == len(near[1]) == 2100
    assert exact[1].tolist() == near[1].tolist()  # the groups that come first in the random order


def test_which_groups_validate_depends_on_the_seed() -> None:
    groups = [i // 2 for i in range(40)]
    found = {tuple(whole_groups(groups, 8, seed)[1].tolist()) for seed in range(20)}
    assert len(found) > 15
    assert {i for rows in found for i in rows} == set(range(40))
    assert whole_groups(groups, 8, 3)[1].tolist() == whole_groups(groups, 8, 3)[1].tolist()


@given(classes=st.lists(st.sampled_from("aaaabbc"), min_size=2, max_size=60), validation=st.floats(0.05, 0.5))
def test_every_class_has_its_share_to_one_example(classes: list[str], validation: float) -> None:
    if max(map(classes.count, "abc")) < 2:
        return
    train, held = of_each_class(classes, validation, seed=0)
    assert sorted([*train.tolist(), *held.tolist()]) == list(range(len(classes)))
    share = len(random_parts(len(classes), validation, 0)[1]) / len(classes)
    for name in set(classes):
        count, whole = sum(classes[i] == name for i in held.tolist()), classes.count(name)
        assert abs(count - share * whole) < 1
        assert count < whole


def test_a_class_of_one_example_trains() -> None:
    classes = ["a"] * 5 + ["b"] + ["a"] * 5 + ["c"]
    for seed in range(10):
        assert not {5, 11} & set(of_each_class(classes, 0.5, seed)[1].tolist())
    assert single_classes(classes) == ["b", "c"]
    assert len(of_each_class(classes, 0.5, 0)[1]) == 5


def test_the_latest_validate_and_equal_times_stay_together() -> None:
    train, held = latest([3, 1, 4, 1, 5, 9, 2, 6, 5, 3], 0.3)
    assert held.tolist() == [5, 7]  # 9 and 6; a third would divide the two 5
    assert train.tolist() == [0, 1, 2, 3, 4, 6, 8, 9]
    assert latest(["2020-02", "2020-01", "2021-01"], 1)[1].tolist() == [2]
    assert latest([1, 2, 2, 2], 1)[1].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: whole_groups(["p", "p", "p"], 0.1, 0),
            "all examples are in one group, so no group is left to validate\n"
            "  where:    by\n"
            "  got:      3 examples of the group 'p'\n"
            "  mend:     by=… with at least two groups\n"
            "  or:       validation examples of your own",
        ),
        (
            lambda: of_each_class([1.5, 2.5, 3.5], 0.1, 0),
            "no class has two examples, so no class can both train and validate\n"
            "  where:    stratify\n"
            "  got:      3 examples of 3 classes\n"
            "  mend:     stratify=lambda row: …, which gives fewer classes, such as ranges of numbers",
        ),
        (
            lambda: latest([7, 7], 0.1),
            "all examples have the same time, so none is later than the others\n"
            "  where:    time\n"
            "  got:      2 examples of the time 7",
        ),
        (
            lambda: latest([1, None, 2], 0.1),
            "an example has no time\n  where:    time, row 1\n  got:      None",
        ),
        (
            lambda: latest([1, "b", 2], 0.1),
            "the times cannot be compared\n"
            "  where:    time\n"
            "  expected: numbers, dates or texts, all of one kind\n"
            "  got:      '<' not supported between instances of 'str' and 'int'",
        ),
    ],
)
def test_what_has_no_such_parts(call: Callable[[], object], text: str) -> None:
    with pytest.raises(DataError) as caught:
        call()
    assert str(caught.value) == text


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(module).failed == 0
