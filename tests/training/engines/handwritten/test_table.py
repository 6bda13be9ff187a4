"""The tables of kernels: patterns of leaves, the longer ones first; any chain of them learns as by autograd."""

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import netwright as nw
from engine_pairs import assert_same_gradient, batch_of, engines
from netwright.training.engines.handwritten.engine import Written
from netwright.training.engines.handwritten.table import JOINS, KERNELS, RAMP, RELU, fits_pattern


def test_longer_patterns_come_first() -> None:
    for table in (KERNELS, JOINS):
        patterns = [pattern for pattern, _ in table]
        for i, pattern in enumerate(patterns):
            assert not any(later[: len(pattern)] == pattern for later in patterns[i + 1 :]), pattern


def test_what_matches() -> None:
    assert fits_pattern(nw.relu, RELU)
    assert fits_pattern(nw.relu6, RAMP)
    assert not fits_pattern(nw.relu6, RELU)
    assert not fits_pattern(nw.Linear(3), RAMP)


KERNEL = st.sampled_from([1, 2, 3, (3, 1), (2, 4)])
STEP = st.sampled_from([1, 1, 2, (2, 1)])
CHANNELS = st.sampled_from([1, 2, 5, 40, 130])
PARTS = st.one_of(
    st.builds(
        nw.Conv, CHANNELS, KERNEL, stride=STEP, padding=st.sampled_from([0, 1, 2, "same"]),
        dilation=st.sampled_from([1, 1, 2]), bias=st.booleans(),
    ),
    st.builds(
        nw.ConvTranspose, CHANNELS, KERNEL, stride=STEP, padding=st.sampled_from([0, 1, "same"]), bias=st.booleans()
    ),
    st.sampled_from([nw.BatchNorm(), nw.MaxPool(2), nw.Dropout(0.3), nw.relu, nw.relu6, nw.tanh]),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(
    st.lists(PARTS, min_size=1, max_size=7),
    st.tuples(st.sampled_from([3, 5, 8]), st.sampled_from([4, 6, 7]), st.sampled_from([1, 3, 16])),
    st.sampled_from([2, 5]),
    st.sampled_from(["each place", "each place, some unknown", "each picture"]),
    st.booleans(),
    st.integers(0, 2**31),
)
def test_any_chain_learns_as_by_autograd(parts, sizes, batch, answer, weighted, seed) -> None:
    places = answer != "each picture"
    tail = [nw.Conv(3, 1), nw.softmax] if places else [nw.Flatten(), nw.Linear(4), nw.softmax]
    loss = nw.CrossEntropy(smoothing=0.1, partial=answer == "each place, some unknown")
    try:
        net = nw.Chain(*parts, *tail, input=sizes)
        one, other = engines(net, loss)
    except (nw.SizeError, nw.NetError):  # a window that is larger than what it reads
        assume(False)
        return
    if not isinstance(other, Written):
        return
    torch.manual_seed(seed)
    shape = (batch, *net.plan.outputs["output"][:-1])
    for _ in range(2):  # the second step overwrites what the first left
        x, target = torch.randn(batch, *sizes), torch.randint(-1 if loss.partial else 0, 3, shape)
        assert_same_gradient(one, other, batch_of(x, target, torch.rand(batch) + 0.1 if weighted else None), 5e-4)
