"""Generation: the same text whatever the batch, the net's own probabilities, the best beam, and always well formed."""

import itertools
import json
import math
import re

import pytest
import torch

import netwright as nw
from netwright.errors import DataError, NetError
from netwright.generate.generated import Piece

torch.set_num_threads(1)


def predicting(letters: str = "abc", seed: int = 0, end: bool = True, scale: float = 3.0) -> nw.Net:
    """A net with arrays so large that its texts differ."""
    net = nw.Chain(
        nw.Embedding(8), nw.Positions(200), nw.GRU(8), nw.Conv(8, (3,), padding="causal"), nw.tanh,
        nw.Linear(), nw.softmax,
        input=nw.Characters(letters, mark_start=True, mark_end=False), output=nw.Characters(letters, mark_end=True),
    )  # fmt: skip
    net = nw.initialize(net, seed=seed)
    net = net.with_arrays({path: scale * array for path, array in net.arrays.items() if path != "linear1/bias"})
    bias = torch.zeros(len(letters) + 1)
    bias[-1] = 0.0 if end else -1000.0
    return net.with_arrays({"linear1/bias": bias})


NET = predicting()
ENDLESS = predicting(end=False)
STARTS = ["", "a", "abcab", "cc", "bacabcabca"]
CHOICES = [nw.Greedy(), nw.Sample(seed=4), nw.Sample(temperature=2.0, top_k=2, seed=1)]


def logs_of(net: nw.Net, start: str, made: nw.Generated) -> list[float]:
    """The log-probabilities of what was made, by the whole net at once."""
    text = made.value
    p = net(text, nw.raw).double()
    vocabulary = net.inputs["input"].vocabulary
    targets = [vocabulary.index(c) for c in text[len(start) :]] + [len(vocabulary)] * (made.ended == "end")
    return [math.log(p[len(start) + i, target]) for i, target in enumerate(targets)]


@pytest.mark.parametrize("choose", CHOICES, ids=repr)
def test_the_batch_never_changes_the_text(choose):
    together = nw.generate(NET, STARTS, strategy=choose, max_elements=30)
    for place, start in enumerate(STARTS):
        others = [""] * place + [start] + ["ab" * 7]  # shorter and longer ones beside it
        found = nw.generate(NET, others, strategy=choose, max_elements=30)[place]
        assert (found.value, found.ended) == (together[place].value, together[place].ended)
        assert found.log_probabilities == pytest.approx(together[place].log_probabilities, abs=1e-5)
        assert found.value.startswith(start)
    alone = nw.generate(NET, STARTS[0], strategy=choose, max_elements=30)
    assert alone.value == together[0].value


def test_equal_starts_draw_different_texts():
    texts = [str(made) for made in nw.generate(NET, ["a"] * 6, strategy=nw.Sample(seed=2), max_elements=20)]
    assert len(set(texts)) > 1
    again = [str(made) for made in nw.generate(NET, ["a"] * 6, strategy=nw.Sample(seed=2), max_elements=20)]
    assert texts == again
    assert texts != [str(made) for made in nw.generate(NET, ["a"] * 6, strategy=nw.Sample(seed=3), max_elements=20)]


@pytest.mark.parametrize("choose", [*CHOICES, nw.Beam(3)], ids=repr)
@pytest.mark.parametrize("start", STARTS)
def test_log_probabilities_are_those_of_the_whole_net(start, choose):
    made = nw.generate(NET, start, strategy=choose, max_elements=12)
    expected = logs_of(NET, start, made)
    assert len(made.log_probabilities) == len(expected)
    assert made.log_probabilities == pytest.approx(expected, abs=1e-5)


def test_greedy_is_the_most_probable_at_each_step():
    text = ""
    for _ in range(10):
        best = int(NET(text, nw.raw)[-1].argmax())
        if best == 3:
            break
        text += "abc"[best]
    assert nw.generate(NET, max_elements=10).value == text


@pytest.mark.parametrize("choose", CHOICES, ids=repr)
def test_a_stream_is_what_is_generated(choose):
    for net in (NET, ENDLESS):
        for start in ("", "ab"):
            made = nw.generate(net, start, strategy=choose, max_elements=15)
            pieces = list(nw.stream(net, start, strategy=choose, max_elements=15))
            assert all(isinstance(piece, Piece) for piece in pieces)
            assert start + "".join(map(str, pieces)) == made.value
            said = [log for piece in pieces for log in piece.log_probabilities]
            assert said == list(made.log_probabilities[: len(said)])
            assert len(made.log_probabilities) - len(said) == (made.ended == "end")


def test_half_characters_wait_for_their_other_half():
    texts = ["äöü€"] * 64
    net = nw.Chain(nw.Embedding(16), nw.GRU(32), nw.Linear(), nw.softmax, input=nw.Bytes())
    trained = nw.train(net, texts, objective=nw.NextElement(), epochs=30, progress=False, seed=0).net
    pieces = [str(piece) for piece in nw.stream(trained, "ä", max_elements=20)]
    assert pieces == ["ö", "ü", "€"]


def test_most_and_stop():
    made = nw.generate(ENDLESS, "ab", max_elements=7)
    assert (len(made.value), made.ended, len(made.log_probabilities)) == (9, "max_elements", 7)
    whole = nw.generate(ENDLESS, max_elements=60).value
    for stop in (whole[4:6], whole[3:40]):  # a long one too
        made = nw.generate(ENDLESS, max_elements=60, stop=stop)
        assert made.ended == "stop"
        assert made.value == whole[: whole.index(stop) + len(stop)]
    both = nw.generate(ENDLESS, max_elements=60, stop=["nowhere", whole[4:6]])
    assert both == nw.generate(ENDLESS, max_elements=60, stop=whole[4:6])


def every(net: nw.Net, most: int) -> dict[str, float]:
    """The log-probability of every text that ends, the end counted, within so many elements."""
    found = {}
    for length in range(most):
        for letters in itertools.product("ab", repeat=length):
            text = "".join(letters)
            p = net(text, nw.raw).double()
            targets = [*("ab".index(c) for c in text), 2]
            found[text] = sum(math.log(p[i, t]) for i, t in enumerate(targets))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_beam_as_wide_as_all_is_exhaustive(seed, penalty):
    net, most = predicting("ab", seed=seed, scale=2.0), 4
    found = every(net, most)
    best = max(found, key=lambda text: found[text] / (len(text) + 1) ** penalty)
    made = nw.generate(net, strategy=nw.Beam(3**most, penalty), max_elements=most)
    assert (made.value, made.ended) == (best, "end")
    assert sum(made.log_probabilities) == pytest.approx(found[best], abs=1e-5)


def test_beams_of_a_batch_are_those_alone():
    together = nw.generate(NET, STARTS, strategy=nw.Beam(3), max_elements=8)
    assert [made.value for made in together] == [
        nw.generate(NET, start, strategy=nw.Beam(3), max_elements=8).value for start in STARTS
    ]
    assert nw.generate(NET, "ab", strategy=nw.Beam(1), max_elements=1).value[:2] == "ab"
    unended = nw.generate(ENDLESS, "ab", strategy=nw.Beam(2), max_elements=5)
    assert (unended.ended, len(unended.value), len(unended.log_probabilities)) == ("max_elements", 7, 5)


def trees(text: str) -> bool:
    """Whether a text is one tree in prefix notation of +xy, -x, x."""
    open_ = 1
    for c in text:
        if open_ == 0:
            return False
        open_ += {"+": 1, "-": 0, "x": -1}[c]
    return open_ == 0


def balanced(text: str) -> bool:
    while "()" in text or "[]" in text:
        text = text.replace("()", "").replace("[]", "")
    return not text


GRAMMARS = {
    "regex": ("ab1", nw.Regex("(a|b)+(1a)*"), re.compile("(a|b)+(1a)*").fullmatch),
    "brackets": ("()[]", nw.Brackets("()[]"), balanced),
    "arity": ("+-x", nw.Arity({"+": 2, "-": 1, "x": 0}), trees),
}


@pytest.mark.parametrize("choose", [nw.Greedy(), nw.Sample(temperature=100.0, seed=5), nw.Beam(3)], ids=repr)
@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("name", GRAMMARS)
def test_what_comes_out_is_well_formed(name, end, choose):
    letters, grammar, fits = GRAMMARS[name]
    net = predicting(letters, seed=1, end=end)
    for most in (3, 6, 11):
        for made in nw.generate(net, [""] * 6, strategy=choose, max_elements=most, grammar=grammar):
            assert fits(made.value), made
            assert len(made.value) <= most


@pytest.mark.parametrize("choose", [nw.Greedy(), nw.Sample(temperature=100.0, seed=5), nw.Beam(3)], ids=repr)
def test_without_an_end_element_a_full_grammar_ends(choose):
    net = predicting()
    net = nw.initialize(net.with_output(nw.Characters("abcd")).with_input(nw.Characters("abcd")), seed=2)
    for start in ("a", "ab", "abc"):
        made = nw.generate(net, start, strategy=choose, max_elements=9, grammar=nw.Regex("abc"))
        assert (made.value, made.ended, len(made.log_probabilities)) == ("abc", "max_elements", 3 - len(start))
    assert list(nw.stream(net, "abc", grammar=nw.Regex("abc"))) == []


def test_a_start_is_part_of_what_the_grammar_reads():
    made = nw.generate(
        NET, ["ab", "abab"], max_elements=8, grammar=nw.Regex("(ab)+c"), strategy=nw.Sample(temperature=50.0)
    )
    assert all(re.fullmatch("(ab)+c", one.value) for one in made)
    with pytest.raises(DataError) as caught:
        nw.generate(NET, ["ab", "ba"], grammar=nw.Regex("(ab)+c"))
    assert str(caught.value) == (
        "the grammar does not allow this prompt\n"
        "  where:    prompt 1, element 0\n"
        "  expected: an element that Regex(pattern='(ab)+c') allows here\n"
        "  got:      'ba'"
    )
    with pytest.raises(DataError) as caught:
        nw.generate(NET, "aba", grammar=nw.Regex("(ab)+c"), max_elements=1)
    assert str(caught.value) == (
        "the grammar cannot end after this prompt within so few elements\n"
        "  where:    prompt 0\n"
        "  expected: room for at least 2 elements more\n"
        "  got:      max_elements=1\n"
        "  mend:     max_elements=2"
    )


def test_a_net_that_takes_no_more_says_how_many_can_be_made():
    for choose in (nw.Greedy(), nw.Beam(2)):
        with pytest.raises(DataError) as caught:
            nw.generate(ENDLESS, ["a" * 190, "a"][: 1 + (choose == nw.Greedy())], strategy=choose)
        assert str(caught.value) == (
            "a sequence has more elements than there are positions\n"
            "  where:    Positions, element 11 that is made\n"
            "  expected: at most 200 elements\n"
            "  got:      201 elements\n"
            "  mend:     max_elements=10\n"
            "  or:       nw.Positions(201), trained anew\n"
            "  or:       nw.SinePositions(), which has no end"
        )
        assert len(nw.generate(ENDLESS, "a" * 190, strategy=choose, max_elements=10).value) == 200


def test_unknown_elements_are_never_said():
    net = nw.Chain(
        nw.Embedding(4), nw.GRU(4), nw.Linear(), nw.softmax,
        input=nw.Characters("ab", mark_start=True, unknown=True),
        output=nw.Characters("ab", mark_end=True, unknown=True),
    )  # fmt: skip
    net = nw.initialize(net, seed=0).with_arrays({"linear1/bias": [0.0, 0.0, 50.0, -50.0]})
    for choose in (nw.Greedy(), nw.Sample(), nw.Beam(2)):
        made = nw.generate(net, "aé", strategy=choose, max_elements=5)
        assert set(made.value[2:]) <= {"a", "b"} and len(made.value) == 7


@pytest.mark.parametrize("choose", [nw.Greedy(), nw.Sample(seed=2), nw.Beam(2)], ids=repr)
def test_a_start_mark_of_its_own_begins_a_sequence_and_is_never_made(choose):
    net = nw.Chain(
        nw.Embedding(4), nw.GRU(4), nw.Linear(), nw.softmax,
        input=nw.Characters("^$ab", mark_start="^"), output=nw.Characters("^$ab", mark_end="$"),
    )  # fmt: skip
    net = nw.initialize(net, seed=0)
    likely = net.with_arrays({"linear1/bias": [50.0, -50.0, 0.0, 0.0]})  # the start mark, then a and b, never the end
    for prompt in ("", "ab"):
        made = nw.generate(likely, prompt, strategy=choose, max_elements=5)
        assert set(made.value) <= {"a", "b"} and len(made.value) == len(prompt) + 5 and made.ended == "max_elements"
    ending = net.with_arrays({"linear1/bias": [0.0, 50.0, 0.0, 0.0]})
    assert nw.generate(ending, "ab", strategy=choose).ended == "end"
    held = nw.generate(likely, "a", strategy=choose, max_elements=5, grammar=nw.Regex(".b+"))
    assert re.fullmatch("ab+", held.value)


def test_a_net_with_marks_of_its_own_is_the_same_from_a_file(tmp_path):
    net = nw.Chain(
        nw.Embedding(8), nw.GRU(8), nw.Linear(), nw.softmax, input=nw.Characters(mark_start="^", mark_end="$")
    )
    trained = nw.train(net, ["abab", "ab"] * 8, objective=nw.NextElement(), epochs=1, progress=False).net
    nw.save(trained, tmp_path / "marks.net")
    again = nw.load(tmp_path / "marks.net")
    assert again == trained
    assert nw.generate(again, "ab", max_elements=6) == nw.generate(trained, "ab", max_elements=6)


def test_tokens_give_tuples():
    net = nw.Chain(
        nw.Embedding(4), nw.GRU(4), nw.Linear(), nw.softmax,
        input=nw.Tokens(["x", "y"], mark_start=True), output=nw.Tokens(["x", "y"], mark_end=True),
    )  # fmt: skip
    net = nw.initialize(net, seed=0).with_arrays({"linear1/bias": [0.0, 0.0, -50.0]})
    made = nw.generate(net, ("x", "y"), max_elements=3)
    assert made.value[:2] == ("x", "y") and len(made.value) == 5
    assert sum((tuple(piece.value) for piece in nw.stream(net, ("x", "y"), max_elements=3)), ("x", "y")) == made.value
    assert len(nw.generate(net, max_elements=3).value) == 3


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (
            lambda: nw.generate(NET, max_elements=0),
            "at least one element is made\n  expected: max_elements of 1 or more\n  got:      0",
        ),
        (
            lambda: nw.generate(NET, []),
            "there are no prompts\n  got:      []\n  mend:     '' for an empty prompt",
        ),
        (lambda: nw.generate(NET, stop=""), "a stop is a text\n  where:    stop\n  got:      ''"),
        (
            lambda: nw.generate(NET, strategy="greedy"),
            "strategy= says how the next element is chosen\n"
            "  expected: nw.Greedy(), nw.Sample(temperature=0.8) or nw.Beam(4)\n  got:      'greedy'",
        ),
        (
            lambda: nw.generate(NET, strategy=nw.Beam(2), stop="a"),
            "a beam cannot use stop texts: it compares whole sequences\n  where:    generate\n"
            "  got:      Beam(width=2, length_penalty=1.0) and stop='a'\n"
            "  mend:     nw.Greedy() or nw.Sample(…), or a net with an end element",
        ),
        (
            lambda: nw.stream(NET, strategy=nw.Beam(2)),
            "a beam knows its sequence only at the end\n  where:    stream\n"
            "  got:      Beam(width=2, length_penalty=1.0)\n  mend:     nw.generate(…)",
        ),
    ],
)
def test_questions_that_cannot_be_answered(ask, text):
    with pytest.raises((DataError, NetError)) as caught:
        ask()
    assert str(caught.value) == text


def test_a_net_that_gives_nan():
    broken = NET.with_arrays({"linear1/bias": [math.nan] * 4})
    with pytest.raises(NetError) as caught:
        nw.generate(broken, ["a", "b"])
    assert str(caught.value).splitlines()[0] == "no next element can be chosen"
    assert json.dumps(str(nw.generate(NET, max_elements=2)))  # a text, as it prints


@pytest.mark.parametrize("choose", [nw.Greedy(), nw.Sample(seed=3), nw.Beam(3)])
def test_pieces_of_a_tokenizer_end_a_text(choose):
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.BPE({"a": 0, "b": 1, "!": 2, "?": 3}, []))
    made.decoder = tokenizers.decoders.Fuse()
    codec = nw.Subwords(made.to_str(), ending=(2, 3))
    net = nw.Chain(nw.Embedding(8), nw.GRU(8), nw.Linear(), nw.softmax, input=codec, output=codec)
    for seed in range(4):
        net = nw.initialize(net.bare().with_input(codec).with_output(codec), seed=seed)
        bare = nw.generate(net, "a", max_elements=30, strategy=choose)
        assert bare.ended == ("end" if len(bare.log_probabilities) < 30 else bare.ended)
        assert not {"!", "?"} & {*bare.value}
        held = nw.generate(net, "a", max_elements=30, strategy=choose, grammar=nw.Regex("(ab)+"))
        assert held.ended == "end"
        assert re.fullmatch("(ab)+", held.value)


CHANGED = ["embedding1", "positions1", "gru1.output", "conv1"]


@pytest.mark.parametrize("path", CHANGED)
def test_values_that_are_changed_are_changed_at_each_element_as_in_a_call(path):
    def turned(x):
        return x.flip(-1) * 1.5

    made = nw.generate(ENDLESS, "ab", max_elements=12, set={path: turned})
    text = "ab"
    for _ in range(12):
        text += "abc"[int(ENDLESS(text, nw.raw, set={path: turned})[-1, :3].argmax())]
    assert made.value == text
    assert "".join(map(str, nw.stream(ENDLESS, "ab", max_elements=12, set={path: turned}))) == text[2:]
    several = nw.generate(ENDLESS, ["ab", "cab"], max_elements=12, set={path: turned}, strategy=nw.Beam(1))
    assert several[0].value == text


def test_an_array_takes_the_place_of_a_value_at_each_element():
    made = nw.generate(ENDLESS, "ab", max_elements=5, set={"tanh1": torch.zeros(8)})
    favourite = "abc"[int(ENDLESS.arrays["linear1/bias"][:3].argmax())]
    assert made.value == "ab" + 5 * favourite
    assert nw.generate(ENDLESS, "ab", max_elements=5) == nw.generate(ENDLESS, "ab", max_elements=5, set={})


def test_a_place_that_is_not_there_is_refused():
    with pytest.raises(nw.PathError) as caught:
        nw.generate(ENDLESS, "ab", set={"gru2": torch.zeros(8)})
    assert str(caught.value).startswith("no part of this net has the path 'gru2'\n")
    with pytest.raises(nw.NetError) as wrong:
        nw.generate(ENDLESS, "ab", set=["gru1"])
    assert str(wrong.value).startswith("set= takes a mapping from paths to functions or arrays\n")
