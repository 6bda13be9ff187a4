"""Laws of editing on random nets: edits of different places join, every edit is planned anew, and arrays are shared."""

import contextlib
import pickle

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from changes.random_edits import KEEPING, LOCAL, edited, edits
from netwright.changes.renamed import uniform
from netwright.errors import NetwrightError
from netwright.net.compare import same_array
from random_nets import WIDTH, nets
from trials import trials


@st.composite
def halves(draw: st.DrawFn) -> tuple[nw.Net, nw.Net, nw.Net]:
    """A net of two parts, and for each part what random edits make of it."""
    base = nw.Chain(left=draw(nets()), right=draw(nets()), input=WIDTH)
    return base, *(draw(edits(base[name], verbs=LOCAL)) for name in ("left", "right"))


@given(halves())
@settings(deadline=None, max_examples=trials(150))
def test_edits_of_two_parts_are_joined_as_if_one_person_had_made_both(net: tuple[nw.Net, nw.Net, nw.Net]) -> None:
    base, left, right = net
    with contextlib.suppress(NetwrightError):  # a shared part must be edited at all its uses
        mine, theirs = base.replace("left", left), base.replace("right", right)
        both = mine.replace("right", right)
        if not any("@" in path for path in (*mine.arrays, *theirs.arrays)):
            assert nw.merge(base, mine, theirs) == nw.merge(base, theirs, mine) == both


@given(edited())
@settings(deadline=None, max_examples=trials(100))
def test_every_edit_is_planned_anew(pair: tuple[nw.Net, nw.Net]) -> None:
    before, after = pair
    made = nw.patch(before, nw.diff(before, after))
    fresh = pickle.loads(pickle.dumps(after))
    wanted = {(row.path, row.sizes, row.parameters) for row in nw.summary(fresh).rows}
    for net in (after, made):
        assert {(row.path, row.sizes, row.parameters) for row in nw.summary(net).rows} == wanted
        net.validate()


@given(edited())
@settings(deadline=None, max_examples=trials(100))
def test_arrays_that_no_edit_touched_are_the_same_memory(pair: tuple[nw.Net, nw.Net]) -> None:
    before, after = pair
    made = nw.patch(before, nw.diff(before, after))
    memory = {array.data_ptr() for net in pair for array in net.held.arrays.values()}
    assert all(array.data_ptr() in memory for array in made.held.arrays.values())
    for net in (after, made):
        for path, array in net.held.arrays.items():
            was = before.held.arrays.get(path)
            if was is not None and not uniform(array) and same_array(was, array):
                assert array.data_ptr() == was.data_ptr(), path


@given(nets(), st.data())
@settings(deadline=None, max_examples=trials(100))
def test_edits_that_keep_the_function_keep_it_one_after_another(net: nw.Net, data: st.DataObject) -> None:
    made = data.draw(edits(net, most=4, verbs=KEEPING))
    x = nw.batch(torch.randn(3, WIDTH, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(made(x, nw.raw), net(x, nw.raw), rtol=1e-4, atol=1e-5)


@given(nets(), st.data())
@settings(deadline=None, max_examples=trials(100))
def test_a_net_stays_as_it_is_whatever_is_made_of_it(net: nw.Net, data: st.DataObject) -> None:
    before = nw.digest(net)
    data.draw(edits(net))
    assert nw.digest(net) == before
