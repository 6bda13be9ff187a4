"""What is called harmless: each name once in a table, and what their own packages write is read or listed."""

import pytest

from netwright.models.pretrained import harmless


@pytest.mark.parametrize(
    "table", ["CONFIG", "BERT", "GPT2", "LLAMA", "VIT", "GENERATION", "TOKENIZER", "PIXELS", "GGUF"]
)
def test_every_name_has_one_reason(table: str) -> None:
    reasons = getattr(harmless, table)
    every = [name for group in reasons.values() for name in group]
    assert len(every) == len({*every}) == len(harmless.harmless_names(reasons))


def test_names_of_several_tables() -> None:
    assert {"dtype", "attention_dropout"} <= harmless.harmless_names(harmless.CONFIG, harmless.LLAMA)
    assert "hidden_size" not in harmless.harmless_names(harmless.CONFIG, harmless.BERT)
