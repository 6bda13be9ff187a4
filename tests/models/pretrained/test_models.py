"""Pre-trained nets by name: the published figures of a sentence net, and what is said of a name that nobody has."""

import os

import pytest
import torch

import netwright as nw
from netwright.errors import FileError, NetError
from netwright.fetch import cache_folder

QUERY = "Which planet is known as the Red Planet?"
PUBLISHED = {
    "Venus is often called Earth's twin because of its similar size and proximity.": 0.46371,
    "Mars, known for its reddish appearance, is often referred to as the Red Planet.": 0.81205,
    "Jupiter, the largest planet in our solar system, has a prominent red spot.": 0.72828,
    "Saturn, famous for its rings, is sometimes mistaken for the Red Planet.": 0.75051,
}


@pytest.mark.slow  # 84 MB
def test_sentences_are_as_similar_as_published() -> None:
    net = nw.pretrained("all-minilm-l6-v2")
    query, *others = net([QUERY, *PUBLISHED])
    for other, published in zip(others, PUBLISHED.values(), strict=True):
        assert float(query @ other) == pytest.approx(published, abs=0.01)  # as the source's own tests have it
    torch.testing.assert_close(net(QUERY), query, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_vectors_are_those_of_the_reference() -> None:
    transformers = pytest.importorskip("transformers")
    net = nw.pretrained("all-minilm-l6-v2")
    folder = cache_folder() / "models" / "all-minilm-l6-v2"
    theirs = transformers.BertModel.from_pretrained(folder).eval()
    for text, found in zip(PUBLISHED, net([*PUBLISHED]), strict=True):
        tokens = net.inputs["input"].encode(text)
        with torch.no_grad():
            mean = theirs(tokens[None]).last_hidden_state[0].mean(0)
        torch.testing.assert_close(found, mean / mean.norm(), rtol=0, atol=1e-4)


@pytest.mark.slow
def test_it_is_an_ordinary_net(tmp_path) -> None:
    net = nw.pretrained("all-minilm-l6-v2")
    path = tmp_path / "sentences.net"
    nw.save(net, path)
    again = nw.load(path)
    assert again == net
    assert torch.equal(again(QUERY), net(QUERY))
    assert os.path.getsize(path) < 95_000_000
    assert nw.summary(net).parameters == 22_713_216


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(FileError) as caught:
        nw.pretrained("all-minilm-l6-v3")
    assert str(caught.value) == (
        "there is no model of this name, and no such folder: 'all-minilm-l6-v3'\n"
        "  where:    model\n"
        "  expected: 'all-minilm-l6-v2', 'smollm2-135m-instruct', "
        "'crepe-tiny', 'silero-vad', 'whisper-tiny.en', 'squeezenet', 'efficientnet-lite0', 'yolov3-tiny', "
        "'selfie-segmentation', a folder or a GGUF file\n"
        "  mend:     did you mean 'all-minilm-l6-v2'?"
    )


def test_what_is_no_name() -> None:
    with pytest.raises(NetError) as caught:
        nw.pretrained(None)  # pyright: ignore[reportArgumentType]
    assert str(caught.value) == (
        "a model is a name or a path\n"
        "  where:    model\n"
        "  expected: 'all-minilm-l6-v2', 'smollm2-135m-instruct', "
        "'crepe-tiny', 'silero-vad', 'whisper-tiny.en', 'squeezenet', 'efficientnet-lite0', 'yolov3-tiny', "
        "'selfie-segmentation', a folder or a GGUF file\n"
        "  got:      None"
    )
