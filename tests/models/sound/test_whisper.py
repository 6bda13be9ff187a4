"""Whisper: every array has its place, and the texts and numbers are those of transformers with the same weights."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import netwright as nw
from netwright.errors import FileError
from netwright.fetch import Package, cache_folder, fetch
from netwright.models.sound.ct2 import ct2_arrays
from netwright.models.sound.whisper import WhisperSizes, read_whisper, whisper_net, whisper_table

LIBRIVOX = "librivox/sense_and_sensibility_01_austen_64kb-{}.wav"
SPOKEN = {
    LIBRIVOX.format("0870"): "and mister john dashwood had then leisure to consider how much there might be prudently "
    "in his power to do for them",
    LIBRIVOX.format("0880"): "he was not an ill disposed young man",
    LIBRIVOX.format("0890"): "unless to be rather cold hearted and rather selfish is to be ill disposed",
    LIBRIVOX.format("0920"): "had he married a more a amiable woman he might have been made still more respectable "
    "than he was",
    LIBRIVOX.format("0930"): "he might even have been made amiable himself",
}
CARDS = [f"cards/00{number}.wav" for number in range(1, 6)]
DIGESTS = [
    "b0557cf95c974d930577e58e46b7f068c432a6e3afcc286563d88922b2a5315c",
    "fbec491ef00ee734a67f0ee318e98c51c157b479e1629ff4f4426861ecac0414",
    "5793ffbdee55fb8bfd284943a6866864c832d9d4accf2661cabd39915c84ee10",
    "40882414ef4cc51f3ff7a63bad0c8c87e7f595ffeb8209fbf756c8ebc5c28a59",
    "954adbf0b56ac8a148cbe77b39ca18d76b5f2a1e1f405565bd786ce3e68a68b7",
    "899951e768666f27c8f8b1d4090b96fe7909cae9cec01bec0a5d5d1b8a8d566e",
    "a3f9eae6fdb69a1231989e39a14d62388a6f52fb59666c76d95005318fadafec",
    "00d283e46bc257ae479e4aa86593cadb541656eba1d19fc8abeece37f6a5a18b",
    "4c44a8177f5b128b99f078cdeb918119933155574231f1833e8840d1af09c521",
    "090f18f5f76cf8b2b43cd9e6b07823f4685a4742d9a36cd98b174a6586c18cf9",
]
NAMES = {
    "self_attention/layer_norm": "self_attn_layer_norm",
    "attention/layer_norm": "encoder_attn_layer_norm",
    "ffn/layer_norm": "final_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
    "self_attention/linear_1": "self_attn.out_proj",
    "attention/linear_0": "encoder_attn.q_proj",
    "attention/linear_2": "encoder_attn.out_proj",
}
"""What transformers calls the parts of a block; keys and values are cut apart below."""
SMALL = WhisperSizes(width=16, heads=2, blocks=2, pieces=60, positions=32)


def small() -> Any:
    return whisper_net(nw.Array("n <60>"), SMALL)


def test_every_array_has_its_place() -> None:
    assert whisper_table(SMALL).keys() == small().plan.arrays.keys()
    assert small().plan.outputs["output"][-1] == 60


def test_the_text_sees_nothing_that_follows() -> None:
    assert nw.causality(small())


def test_files_that_are_no_whisper(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text('{"added_tokens": []}')
    with pytest.raises(FileError) as caught:
        read_whisper(tmp_path)
    assert str(caught.value) == (
        f"this is no tokenizer of a Whisper\n  where:    {tmp_path / 'tokenizer.json'}\n"
        "  expected: texts between <|startoftranscript|> and <|endoftext|>"
    )


@pytest.fixture(scope="module")
def clips() -> dict[str, Path]:
    """Ten recordings of the package pocketsphinx-testdata, BSD-2."""
    mirror = Package("apt", "pocketsphinx-testdata", "", "usr/share/pocketsphinx/test/data/")
    names = [*SPOKEN, *CARDS]
    try:
        folder = fetch("sounds/pocketsphinx", (mirror,), dict(zip(names, DIGESTS, strict=True)))
    except FileError as error:
        pytest.skip(str(error))
    return {name: folder / name for name in names}


def theirs(arrays: Any) -> Any:
    """The net of transformers with the same weights."""
    transformers = pytest.importorskip("transformers")
    config = transformers.WhisperConfig(
        vocab_size=51864, d_model=384, encoder_layers=4, decoder_layers=4, encoder_attention_heads=6,
        decoder_attention_heads=6, encoder_ffn_dim=1536, decoder_ffn_dim=1536, suppress_tokens=None,
        begin_suppress_tokens=None, pad_token_id=50256, bos_token_id=50256, eos_token_id=50256,
        decoder_start_token_id=50257,
    )  # fmt: skip
    net = transformers.WhisperForConditionalGeneration(config).eval()
    state: dict[str, torch.Tensor] = {}

    def put(name: str, part: str) -> None:
        kinds = {"gamma": "weight", "beta": "bias"}
        for array, value in arrays.items():
            if array.rpartition("/")[0] == part:
                last = array.rpartition("/")[2]
                state[f"model.{name}.{kinds.get(last, last)}"] = value

    for side in ("encoder", "decoder"):
        put(f"{side}.layer_norm", f"{side}/layer_norm")
        state[f"model.{side}.embed_positions.weight"] = arrays[f"{side}/position_encodings/encodings"]
        for i in range(4):
            for ours, other in NAMES.items():
                put(f"{side}.layers.{i}.{other}", f"{side}/layer_{i}/{ours}")
            joined = [("self_attention/linear_0", "self_attn", "qkv"), ("attention/linear_1", "encoder_attn", "kv")]
            for ours, other, letters in joined[: 2 if side == "decoder" else 1]:
                for kind in ("weight", "bias"):
                    pieces = arrays[f"{side}/layer_{i}/{ours}/{kind}"].split(384)
                    for letter, piece in zip(letters, pieces, strict=True):
                        if letter != "k" or kind == "weight":
                            state[f"model.{side}.layers.{i}.{other}.{letter}_proj.{kind}"] = piece
    for number in (1, 2):
        put(f"encoder.conv{number}", f"encoder/conv{number}")
    state["model.decoder.embed_tokens.weight"] = state["proj_out.weight"] = arrays["decoder/embeddings/weight"]
    net.load_state_dict(state)
    return net


def greedy(net: Any, features: torch.Tensor) -> tuple[list[int], torch.Tensor]:
    """The pieces that the reference makes one by one, and the logits of each."""
    pieces, logits = [50257, 50362], []
    with torch.no_grad():
        memory = net.model.encoder(features).last_hidden_state
        while pieces[-1] != 50256 and len(pieces) < 100:
            output = net(encoder_outputs=(memory,), decoder_input_ids=torch.tensor([pieces])).logits[0, -1]
            logits.append(output)
            pieces.append(int(output.argmax()))
    return pieces, torch.stack(logits)


@pytest.mark.slow  # 71 MB
def test_texts_and_numbers_are_those_of_transformers(clips: dict[str, Path]) -> None:
    transformers = pytest.importorskip("transformers")
    soundfile = pytest.importorskip("soundfile")
    net = nw.pretrained("whisper-tiny.en")
    reference = theirs(ct2_arrays(cache_folder() / "models" / "whisper-tiny.en" / "model.bin"))
    features = transformers.WhisperFeatureExtractor()
    tokens = net.inputs["text"]
    for clip in clips.values():
        wave, rate = soundfile.read(clip, dtype="float32")
        mel = features(wave, sampling_rate=rate, return_tensors="pt").input_features
        pieces, logits = greedy(reference, mel)
        made = nw.generate(net, str(clip))
        text = tokens.text_of(pieces)
        assert made.value == text
        assert len(made.log_probabilities) == len(logits)
        assert np.allclose(made.log_probabilities, logits.log_softmax(-1).amax(-1), atol=1e-4)
        assert tokens.encode(text).tolist() == pieces[:-1]
        ours = net({"sound": str(clip), "text": text}, at="head")
        torch.testing.assert_close(ours[1:], logits, rtol=0, atol=1e-4)


def edits(left: list[str], right: list[str]) -> int:
    """The fewest words to change, insert and delete."""
    costs = list(range(len(right) + 1))
    for row, word in enumerate(left, 1):
        last, costs[0] = costs[0], row
        for place, other in enumerate(right, 1):
            last, costs[place] = costs[place], min(costs[place] + 1, costs[place - 1] + 1, last + (word != other))
    return costs[-1]


@pytest.mark.slow
def test_at_most_three_words_of_five_sentences_are_wrong(clips: dict[str, Path]) -> None:
    net = nw.pretrained("whisper-tiny.en")
    made = nw.generate(net, [str(clips[name]) for name in SPOKEN])
    answers = [re.sub(r"[^a-z ]", "", str(one).lower().replace("-", " ").replace("mr.", "mister")) for one in made]
    wrong = sum(edits(a.split(), b.split()) for a, b in zip(answers, SPOKEN.values(), strict=True))
    assert wrong <= 3


@pytest.mark.slow
def test_the_net_is_saved(tmp_path: Path, clips: dict[str, Path]) -> None:
    net = nw.pretrained("whisper-tiny.en")
    nw.save(net, tmp_path / "whisper.net")
    clip = str(clips[CARDS[0]])
    assert nw.generate(nw.load(tmp_path / "whisper.net"), clip) == nw.generate(net, clip)
