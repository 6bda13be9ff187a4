"""A text as the pieces of a tokenizer: one that is given as a tokenizer.json, or one that is learned."""

import itertools
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import KW_ONLY, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np
import torch
from torch import Tensor

from netwright.around import around
from netwright.codecs.codec import by_row
from netwright.codecs.numeric import LONGEST
from netwright.codecs.text.elements import Elements, utf8
from netwright.codecs.text.growth import refusal
from netwright.errors import DataError, FileError, NetError, missing_extra, shortened
from netwright.regular import text_of
from netwright.sizes.free import FREE, Free

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ALPHABET = 256  # the bytes, of which every text consists
SPARSEST = 100  # indices for each piece at most: a wrong file must not ask for all memory
WHY = 200  # characters of a message of the package
PIECES = 8_000  # a vocabulary that suits a few megabytes of text


class Subwords(Elements):
    """A text as the pieces of a tokenizer of the package `tokenizers`: frequent words whole, rare ones in parts.

    The tokenizer is one that is given, or byte-level byte-pair encoding learned from the training data, which knows
    every text and gives it back exactly. The truncation and padding of a given tokenizer are not used; `max_length`
    truncates. The pieces that it puts around a text are used only with `special`; else the codec's marks are used.
    Unknown characters are treated as the tokenizer was made to treat them.

    Shapes:
        `encode` gives `n <v>`; `decode` takes `n v`: the pieces of the tokenizer, then the edge.

    Fields:
        tokenizer: a tokenizer.json: its path (a `Path`), which is read at once, or its text, which the codec keeps.
            By default learned.
        pieces: how many pieces are learned, the 256 bytes included; fewer if the training data has no more.
        special: whether a given tokenizer puts its own special pieces around a text, as BERT's are; `text_of` leaves
            them out.
        padded: how many indices the codec has for a given tokenizer, if a net has more than the tokenizer has pieces;
            by default as many as pieces.
        ending: the indices of pieces of a given tokenizer with which a text ends: nothing is generated behind them.
        mark_start, mark_end: a mark in front of the text, or behind it: True for one extra element, the edge, or
            the name of a piece of a given tokenizer, as published nets have marks.
        max_length: how many elements are kept, edges included, of a longer text; by default all.
        length: the name of the size that varies.

    Raises:
        NetError: a text that is not a tokenizer.json; a tokenizer that makes a text far longer or cuts it at random;
            fewer than 256 pieces; `padded` or `ending` that do not fit the tokenizer.
        FileError: a path that cannot be read.
        DataError: an empty text, if there is no edge; half a character (a surrogate); a text at which the tokenizer
            fails.
        MissingExtraError: `tokenizers` is not installed.

    Example:
        >>> codec = Subwords(pieces=260).fit(["low lower lowest", "low low"])
        >>> codec.size, len(codec.encode("lower"))
        (260, 3)
        >>> codec.text_of(codec.encode("lower"))
        'lower'

    Source:
        Sennrich, Haddow and Birch (2016), "Neural machine translation of rare words with subword units".
    """

    learns: ClassVar[str] = "tokenizer"

    tokenizer: str | Path | Free = FREE
    _: KW_ONLY
    pieces: int = PIECES
    special: bool = False
    padded: int | None = None
    ending: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.pieces) is int and self.pieces < ALPHABET:
            raise NetError(what="every byte is a piece", expected=f"pieces of {ALPHABET} or more", got=f"{self.pieces}")
        if isinstance(self.tokenizer, Path):
            try:
                object.__setattr__(self, "tokenizer", text_of(self.tokenizer))
            except FileError:
                raise
            except (OSError, UnicodeDecodeError) as error:
                raise FileError(
                    what="this tokenizer cannot be read", where=str(self.tokenizer), got=f"{error}"
                ) from None
        if isinstance(self.tokenizer, str):
            _ = self._ids  # so that a wrong text is refused at once
        self._check_given()

    def _check_given(self) -> None:
        """Check `padded`, `ending` and the names of marks, which refer to the pieces of a given tokenizer."""
        if isinstance(self.tokenizer, str):
            _ = self._named_marks  # so that a mark which is no piece is refused at once
        for name in ("padded", "ending", "mark_start", "mark_end"):
            value = getattr(self, name)
            if value and value is not True and not isinstance(self.tokenizer, str):
                raise NetError(what=f"{name} is for a tokenizer that is given", got=f"{name}={value!r}")
        if type(self.padded) is int:
            least = max(self._ids.values()) + 1
            if not least <= self.padded <= SPARSEST * least:
                raise NetError(
                    what="padded has a size that does not fit the tokenizer",
                    expected=f"padded of {least} to {SPARSEST * least}",
                    got=f"{self.padded}",
                )
        if type(self.ending) is tuple and any(type(i) is int and not 0 <= i < len(self._names) for i in self.ending):
            raise NetError(
                what="there is no piece of this index to end a text",
                expected=f"0 to {len(self._names) - 1}",
                got=shortened(str(self.ending), LONGEST),
            )

    @property
    def ends(self) -> frozenset[int]:
        return super().ends | {*self.ending}

    @property
    def unknown_index(self) -> int | None:
        """The index of the tokenizer's own unknown piece; None where it has none."""
        model = self._plain["model"]
        name = model.get("unk_token")
        return self._ids.get(name) if name is not None else model.get("unk_id")

    def fit(self, raws: Sequence[Any]) -> Self:
        if self.fitted:
            return self
        tokenizers = _package()
        texts = [*by_row(raws, self._checked)]
        learned = tokenizers.Tokenizer(tokenizers.models.BPE())
        learned.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        learned.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=self.pieces,
            initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        learned.train_from_iterator(texts, trainer)
        return replace(self, tokenizer=learned.to_str())

    @property
    def _count(self) -> int | None:
        return None if self.tokenizer is FREE else len(self._names)

    @property
    def _elements(self) -> Sequence[str]:
        return self._names

    @cached_property
    def _names(self) -> list[str]:
        """The pieces by their indices, of which a tokenizer may leave some out."""
        names = {index: piece for piece, index in self._ids.items()}
        return [names.get(index, f"<no piece {index}>") for index in range(self.padded or max(names) + 1)]

    def _indices(self, raw: Any) -> Sequence[int]:
        text, tokenizer = self._checked(raw), self._tokenizer
        with _foreign("cut this text"):
            return tokenizer.encode(text, add_special_tokens=self.special).ids

    def _spans(self, raw: Any) -> list[tuple[int, int]]:
        text, tokenizer = self._checked(raw), self._tokenizer
        with _foreign("cut this text"):
            return tokenizer.encode(text, add_special_tokens=self.special).offsets

    def _joined(self, indices: list[int]) -> str:
        tokenizer = self._tokenizer
        with _foreign("join these pieces"):
            return tokenizer.decode(indices, skip_special_tokens=self.special)

    def _flat(self, raws: Sequence[Any]) -> tuple[Tensor, Tensor]:
        texts, tokenizer = [self._checked(raw) for raw in raws], self._tokenizer
        with _foreign("cut these texts"):
            found = [one.ids for one in tokenizer.encode_batch_fast(texts, add_special_tokens=self.special)]
        counts = [len(ids) for ids in found]
        indices = np.fromiter(itertools.chain.from_iterable(found), np.int64, sum(counts))
        return torch.from_numpy(indices), torch.tensor(counts, dtype=torch.int64, device="cpu")

    def _checked(self, raw: Any) -> str:
        text = self._text(raw)
        utf8(text)
        return text

    @cached_property
    def _plain(self) -> Mapping[str, Any]:
        """The tokenizer as plain data."""
        try:
            plain = json.loads(self._known("tokenizer"))
            _tokens(plain)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise self._no_tokenizer() from None
        if why := refusal(plain):
            raise NetError(what="this tokenizer is not run", got=why)
        return plain

    @cached_property
    def _ids(self) -> Mapping[str, int]:
        """From a piece to its index."""
        return _tokens(self._plain)

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        tokenizers, text = _package(), self._known("tokenizer")
        _ = self._plain  # raises an error if the tokenizer must not be run
        try:
            with _foreign("read this tokenizer"):
                found = tokenizers.Tokenizer.from_str(text)
        except DataError as error:
            raise self._no_tokenizer(error.got) from None
        found.no_truncation()
        found.no_padding()
        return found

    def _no_tokenizer(self, why: str = "") -> NetError:
        text = str(self.tokenizer)
        return NetError(
            what="this text is no tokenizer.json" if not why else "the package tokenizers cannot read this tokenizer",
            expected="" if why else 'a JSON object with "model": {"vocab": …}',
            got=why or shortened(repr(text), LONGEST),
            mend=f"Subwords(Path({text!r})), if this is its path" if text.endswith(".json") else (),
        )


def _tokens(plain: Any) -> dict[str, int]:
    """From a piece to its index, special pieces included."""
    vocabulary = plain["model"]["vocab"]
    if isinstance(vocabulary, list):  # a unigram model: pieces with their scores
        vocabulary = {piece: index for index, (piece, _) in enumerate(cast(list[Any], vocabulary))}
    found = {**vocabulary, **{token["content"]: token["id"] for token in plain.get("added_tokens") or ()}}
    if not all(type(index) is int and 0 <= index < SPARSEST * len(found) for index in found.values()) or not found:
        raise ValueError
    return found


@around
def _foreign(deed: str) -> Generator[None]:
    """Turn any error of the package into one of ours: a plain `Exception`, or a panic, which is not an `Exception`."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise DataError(what=f"the package tokenizers cannot {deed}", got=shortened(str(error), WHY)) from None


def _package() -> Any:
    """The package, which is loaded when it is needed."""
    try:
        import tokenizers
    except ImportError:
        missing_extra("tokenizers", "text", "a text in subwords")
    return tokenizers
