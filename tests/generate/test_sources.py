"""Sequences about something: what does not move is computed once, and what is said is what the whole net says."""

from collections.abc import Callable

import pytest
import torch

import netwright as nw
from netwright.errors import DataError, NetError
from netwright.generate.predictor import Predictor
from netwright.net.run.call import Changes

torch.set_num_threads(1)
SOURCES = ["abc", "b", "cabba", "aa"]


def ports() -> tuple[nw.Net, nw.Net]:
    source = nw.Input("source", nw.Characters("abc"))
    return source, nw.Input("said", nw.Characters("abc", length="m", mark_start=True))


def recurrent() -> nw.Net:
    source, said = ports()
    state = nw.GRU(8)(nw.Embedding(8)(source))["hidden"]
    read = nw.GRU(8)(nw.Embedding(8)(said), hidden=state)["output"]
    return nw.Graph(nw.softmax(nw.Linear()(read)))


def transformer() -> nw.Net:
    source, said = ports()
    memory = nw.encoder_block(8, 2)(nw.SinePositions()(nw.Embedding(8)(source)))
    read = nw.SinePositions()(nw.Embedding(8)(said))
    for _ in range(2):
        read = nw.decoder_block(8, 2, memory=True)(read, memory)
    return nw.Graph(nw.softmax(nw.Linear()(read)))


def attending() -> nw.Net:
    """A recurrent decoder that looks at the source with its state, at every step."""
    source, said = ports()
    memory = nw.GRU(8)(nw.Embedding(8)(source))["output"]
    read = nw.GRU(8)(nw.Embedding(8)(said))["output"]
    return nw.Graph(nw.softmax(nw.Linear()(nw.Concatenate()(read, nw.cross_attention(8, 2)(read, memory)))))


def folding() -> nw.Net:
    """A decoder whose every step begins with a look at the source, by the state before it."""
    source, said = ports()
    memory = nw.GRU(8)(nw.Embedding(8)(source))["output"]
    core = nw.Graph(
        query=(nw.Reshape(1, 8), "state"),
        look=(nw.cross_attention(8, 2), "query", "memory"),
        seen=(nw.Reshape(8), "look"),
        join=(nw.Concatenate(), "input", "seen"),
        state_=(nw.GRUCell(8), "join", "state"),
        outputs={"state": "state_"},
        input={"input": None, "state": None, "memory": None},
    )
    read = nw.Fold(core, whole=["memory"])(nw.Embedding(8)(said), memory=memory)["output"]
    return nw.Graph(nw.softmax(nw.Linear()(read)))


NETS: dict[str, Callable[[], nw.Net]] = {
    "recurrent": recurrent, "transformer": transformer, "attending": attending, "folding": folding,
}  # fmt: skip
KEYS = {
    "recurrent": [],
    "transformer": ["graph1/cross/key", "graph2/cross/value"],
    "attending": ["graph1/key", "graph1/value"],
    "folding": ["fold1/body/look/key", "fold1/body/look/value"],
}


def made(name: str) -> nw.Net:
    net = NETS[name]().with_output(nw.Characters("abc", length="m", mark_end=True))
    return nw.initialize(net, seed=4)


def by_hand(net: nw.Net, source: str, most: int, changes: Changes | None = None) -> str:
    """The whole net again for every element."""
    said = ""
    for _ in range(most):
        last = net({"source": source, "said": said}, nw.raw, set=changes)[-1]
        if int(last.argmax()) == 3:
            return said
        said += "abc"[int(last.argmax())]
    return said


@pytest.mark.parametrize("name", NETS)
def test_it_says_what_the_whole_net_says(name: str) -> None:
    net = made(name)
    alone = [nw.generate(net, source, max_elements=6) for source in SOURCES]
    together = nw.generate(net, SOURCES, max_elements=6)
    for source, one, other in zip(SOURCES, alone, together, strict=True):
        assert one.value == other.value == by_hand(net, source, 6)
        assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-5)


@pytest.mark.parametrize("name", NETS)
def test_values_of_sources_and_of_steps_can_be_changed(name: str) -> None:
    net = made(name)
    inside = {"folding": "fold1/body/state_", "recurrent": "linear1"}.get(name, "embedding2")
    changes = {"embedding1": lambda x: 3 * x.flip(-1), inside: lambda x: 2 * x}  # pyright: ignore[reportUnknownLambdaType]
    found = nw.generate(net, SOURCES, max_elements=6, set=changes)
    assert [one.value for one in found] == [by_hand(net, source, 6, changes) for source in SOURCES]


@pytest.mark.parametrize("name", NETS)
def test_a_beam_knows_what_the_whole_net_thinks_of_its_answer(name: str) -> None:
    net = made(name)
    for source, found in zip(SOURCES, nw.generate(net, SOURCES, strategy=nw.Beam(3), max_elements=5), strict=True):
        logs = net({"source": source, "said": found.value}, nw.raw).log()
        elements = [*map("abc".index, found.value), 3][: len(found.log_probabilities)]
        expected = [float(logs[place, element]) for place, element in enumerate(elements)]
        assert found.log_probabilities == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", NETS)
def test_the_source_is_read_once(name: str) -> None:
    stepper = Predictor(made(name))
    stepper.prompts_of(SOURCES)
    once = [i.path for i in stepper._stepping._once.program.instructions]
    each = [i.path for i in stepper._stepping._each.program.instructions]
    assert "embedding1" in once
    assert "embedding2" in each
    assert not {*once} & {*each}
    assert {*KEYS[name]} <= {*once}


def test_a_start_by_port() -> None:
    net = made("recurrent")
    whole = nw.generate(net, {"source": "abc", "said": "ca"}, max_elements=3).value
    assert whole.startswith("ca")
    assert "".join(map(str, nw.stream(net, "abc", max_elements=5))) == nw.generate(net, "abc", max_elements=5).value


def test_what_is_missing_is_said() -> None:
    with pytest.raises(DataError) as caught:
        nw.generate(made("recurrent"), [{"source": "abc"}, {"sauce": "abc"}])
    assert str(caught.value) == (
        "each sequence needs a value for every source of the net\n"
        "  where:    prompt 1\n"
        "  expected: {'source': …}\n"
        "  got:      'sauce'"
    )
    with pytest.raises(DataError) as caught:
        nw.generate(made("recurrent"), ["abc", "axb"])
    assert str(caught.value).splitlines()[:2] == [
        "character 'x' is not in the vocabulary",
        "  where:    input 'source', row 1, character 1, in 'axb'",
    ]
    with pytest.raises(NetError, match="only a net that reads a sequence"):
        nw.generate(made("recurrent").with_output(nw.Array("m 4")), "abc")


@pytest.mark.parametrize("name", NETS)
def test_a_trained_net_generates_at_once(name: str) -> None:
    pairs = [(text, text[::-1]) for text in SOURCES] * 16
    run = nw.train(NETS[name](), pairs, objective=nw.NextElement(), epochs=60, learning_rate=0.01, progress=False)
    assert [g.value for g in nw.generate(run.net, SOURCES)] == [text[::-1] for text in SOURCES]
