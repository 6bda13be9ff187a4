"""tokenizer_config.json must ask for what tokenizer.json does."""

import json
from pathlib import Path

import pytest

import netwright as nw
from netwright.errors import FileError
from netwright.models.pretrained.tokenizer import check_said

tokenizers = pytest.importorskip("tokenizers")


def codec(lower: bool = False, front: bool = False, space: bool = False) -> nw.Subwords:
    made = tokenizers.Tokenizer(tokenizers.models.BPE({"a": 0, "b": 1, "Ġ": 2, "Ġa": 3}, [("Ġ", "a")]))
    made.add_special_tokens(["<s>"])
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lower, handle_chinese_chars=False)
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=space)
    if front:
        made.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 4)])
    return nw.Subwords(made.to_str(), special=True)


def ask(folder: Path, said: dict, **does: bool) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps(said))
    check_said(folder, codec(**does))


@pytest.mark.parametrize(
    ("field", "does"), [("do_lower_case", "lower"), ("add_bos_token", "front"), ("add_prefix_space", "space")]
)
@pytest.mark.parametrize("value", [True, False])
def test_both_must_agree(field: str, does: str, value: bool, tmp_path: Path) -> None:
    said = {field: value, "bos_token": {"content": "<s>"}}
    ask(tmp_path, said, **{does: value})
    with pytest.raises(FileError) as caught:
        ask(tmp_path, said, **{does: not value})
    assert str(caught.value) == (
        f"no net follows from {field!r} in this configuration\n"
        f"  where:    {tmp_path / 'tokenizer_config.json'}\n"
        f"  expected: {not value}\n"
        f"  got:      {value}"
    )


def test_pieces_that_are_added(tmp_path: Path) -> None:
    ask(tmp_path, {"added_tokens_decoder": {"4": {"content": "<s>"}}, "model_max_length": 10**30, "chat_template": "x"})
    with pytest.raises(FileError) as caught:
        ask(tmp_path, {"added_tokens_decoder": {"5": {"content": "<new>"}}})
    assert str(caught.value) == (
        "a piece that is added is not one of tokenizer.json\n"
        f"  where:    {tmp_path / 'tokenizer_config.json'}\n"
        "  expected: 0 to 4\n"
        "  got:      '<new>'"
    )


def test_without_the_file(tmp_path: Path) -> None:
    check_said(tmp_path, codec())
