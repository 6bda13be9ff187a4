"""Perturbation has power: against zeros, large scores, and what is no number somewhere; and says where not."""

import itertools
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

import netwright as nw
from causality.causal_nets import INPUT, Masked, attention, zero_branch
from netwright.causality import probe as probing
from netwright.causality.probe import DRAWS, probe
from netwright.layers.position import Positions
from netwright.layers.recurrent.gru import GRU
from netwright.layers.sequence import Delay, DropFirst, Reverse


def shown(net: nw.Net, training: bool = False, far: int = 0, along: str = "n") -> set[int] | None:
    """The offsets that perturbation shows for the first output along its first axis."""
    slot = net.plan.wiring.outputs[0][1]
    found = probe(net, along, net.input_names[0], {slot: 0}, training, far)
    return None if found is None else {*found[slot]}


def chain(*parts: object) -> nw.Net:
    return nw.Chain(*parts, input=INPUT)


def test_offsets_are_those_of_the_parts() -> None:
    assert shown(chain(nw.tanh)) == {0}
    assert shown(chain(Delay(2))) == {-2}
    assert shown(chain(DropFirst())) == {1}
    assert shown(chain(nw.Conv(3, 3, padding="same", dilation=2))) == {-2, 0, 2}
    assert shown(chain(nw.Conv(3, 2, padding="causal"), nw.BatchNorm())) == {-1, 0}
    assert max(shown(chain(nw.BatchNorm()), training=True) or ()) > 1


def test_the_same_numbers_every_time() -> None:
    assert shown(chain(GRU(3))) == shown(chain(GRU(3)))


def test_arrays_are_drawn_anew() -> None:
    assert shown(zero_branch()) == {-1, 0, 1}
    net = chain(nw.Conv(3, 3, padding="same"))
    zeros = net.with_arrays({path: torch.zeros(spec.known) for path, spec in net.plan.arrays.items()})
    assert shown(zeros) == {-1, 0, 1}


def test_large_arrays_see_through_a_finite_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(shown(attention(Masked(-1e4))) or ()) > 0
    assert max(shown(attention(Masked(float("-inf")))) or ()) == 0
    monkeypatch.setattr(probing, "DRAWS", DRAWS[:2])
    assert max(shown(attention(Masked(-1e4))) or ()) == 0


def test_indices_change_to_others() -> None:
    net = nw.Chain(nw.Embedding(3), nw.Bidirectional(GRU(2)), input=nw.Array("n <2>"))
    assert max(shown(net) or ()) > 1
    assert shown(nw.Chain(Delay(), input=nw.Array("n <4>"))) == {-1}


def test_fixed_arrays_stay_and_running_ones_are_above_zero() -> None:
    assert shown(nw.Chain(nw.OneHot(), nw.Conv(2, 3, padding="same"), input=nw.Array("n <4>"))) == {-1, 0, 1}
    assert shown(chain(nw.BatchNorm(), nw.sqrt)) == {0}


def test_logarithms_are_given_numbers_above_zero() -> None:
    assert shown(chain(nw.log, DropFirst())) == {1}
    assert max(shown(chain(nw.log, nw.Bidirectional(GRU(3)))) or ()) > 0  # one that is none spoils all
    assert shown(chain(nw.Elementwise("logsigmoid"), nw.sqrt)) is None  # never a number


def test_lengths_leave_room_for_what_looks_far() -> None:
    net = chain(nw.Conv(3, 3, padding="same", dilation=200))
    assert shown(net) == {0}
    assert shown(net, far=200) == {-200, 0, 200}
    assert shown(chain(nw.Conv(3, 30))) == {*range(30)}
    assert shown(chain(Positions(5), nw.Conv(3, 3, padding="same"))) == {-1, 0, 1}


def test_what_says_nothing_of_how_far_it_looks() -> None:
    assert shown(chain(Reverse(), Delay(30), Reverse())) == {30}


def test_several_sizes_at_once() -> None:
    net = nw.Chain(nw.Conv(3, (3, 1), padding=(1, 0)), input=nw.Array("height width 2"))
    assert shown(net, along="height") == {-1, 0, 1}


class Fails(nw.Leaf):
    """Code that takes only even lengths, or none at all."""

    ever: bool
    ports = "n ... -> n ..."
    ignores_padding = True

    def forward(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        if x.shape[1] % 2 or not self.ever:
            raise ValueError("an odd length")
        return x.flip(1)


def test_code_that_fails_at_some_lengths_and_at_all() -> None:
    assert max(shown(chain(Fails(True))) or ()) > 0
    assert shown(chain(Fails(False))) is None


def noisy(x: Tensor) -> Tensor:
    return x + torch.randn_like(x)


def gated(x: Tensor) -> Tensor:
    return x * (torch.rand(()) < 0.5)


def test_what_is_drawn_from_torch_is_the_same_every_time() -> None:
    found: list[set[int] | None] = []
    for seed in range(4):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            found.append(shown(chain(nw.Function(gated, "... -> ..."))))
    assert found == [found[0]] * 4


def test_noise_is_no_change() -> None:
    state = torch.get_rng_state()
    assert shown(chain(nw.Function(noisy, "... -> ..."))) == {0}
    assert torch.equal(state, torch.get_rng_state())
    assert shown(chain(nw.Dropout(0.5)), training=True) == {0}


def test_sizes_that_are_not_known_yet() -> None:
    assert shown(chain(nw.Bidirectional(GRU()))) is None


def peeking(every: int, at: int) -> nw.Net:
    """A net that looks one element ahead at every so many positions, and nowhere else."""

    def peek(x: Tensor, *, lengths: Mapping[str, Tensor]) -> Tensor:
        places = torch.arange(x.shape[1])
        ahead = (places % every == at) & (places + 1 < x.shape[1])  # (n,)
        return torch.where(ahead[None, :, None], x.roll(-1, 1), x)  # (b, n, 2)

    return chain(nw.Function(peek, "n d -> n d"))


@pytest.mark.parametrize("training", [False, True])
def test_every_place_is_searched(training: bool) -> None:
    for every in range(5, 20):
        assert shown(peeking(every, every - 1), training) == {0, 1}
    assert shown(peeking(16, 9), training) == {0, 1}
    assert shown(peeking(100, 38), training) == {0, 1}


@pytest.mark.parametrize("stride", [2, 7, 9, 13])
def test_a_stride_looks_ahead_wherever_its_places_lie(stride: int) -> None:
    assert {(stride - 1) * i for i in (1, 2)} <= (shown(chain(nw.Conv(1, (1,), stride=stride))) or set())


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_noise_hides_no_place_in_every_draw(share: float) -> None:
    net = chain(nw.Dropout(share), nw.Conv(3, (1,), stride=5, padding=2))
    assert max(shown(net, training=True) or ()) > 0


def test_an_input_of_very_many_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "MOST", 9)
    assert shown(chain(DropFirst())) == {1}
    places = probing._places(100).tolist()
    assert len({*places}) == 9
    assert len({b - a for a, b in itertools.pairwise(places)}) > 2  # out of step with anything regular
    assert probing._places(10).tolist() == [*range(1, 10)]


def centre(x: Tensor) -> Tensor:
    return x - x.mean(0)


def test_examples_of_a_batch_may_see_each_other_at_one_position() -> None:
    centred = nw.Function(centre, "... -> ...")
    assert shown(chain(centred), training=True) == {0}


def late_peek(x: torch.Tensor, *, lengths: object) -> torch.Tensor:
    """Element 45 is the one after it."""
    n = x.shape[1]
    at = (torch.arange(n) == 45) & (torch.arange(n) + 1 < n)
    return torch.where(at[None, :, None], x.roll(-1, 1), x)


def test_code_that_looks_ahead_late_is_found() -> None:
    net = nw.Chain(nw.Embedding(8), nw.Function(late_peek, "n d -> n d"), nw.Linear(), input=nw.Array("n <5>"))
    assert not nw.causality(net).causal
