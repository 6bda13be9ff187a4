"""The moving average of weights is torch's; it is validated, given back, and kept with the run."""

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import netwright as nw
from messages import message
from netwright.training.average import Average
from netwright.training.events import Callback, Status
from run_tools import XS, YS, trained


def test_it_is_torch_s() -> None:
    draw = torch.Generator().manual_seed(0)
    model = torch.nn.Linear(3, 2)
    other = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    weights = torch.nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    average = Average(weights, {}, 0.9)
    assert average.mean is None
    for _ in range(20):
        weights.add_(torch.randn(8, generator=draw))
        torch.nn.utils.vector_to_parameters(weights.clone(), model.parameters())
        average.update()
        other.update_parameters(model)
        theirs = torch.nn.utils.parameters_to_vector(other.module.parameters()).detach()
        torch.testing.assert_close(average.mean, theirs)


def test_running_arrays_are_averaged_as_torch_s_buffers_are() -> None:
    model = torch.nn.BatchNorm1d(2)
    other = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.8), use_buffers=True)
    running = {"mean": model.running_mean, "variance": model.running_var}
    average = Average(torch.nn.utils.parameters_to_vector(model.parameters()).detach(), running, 0.8)
    draw = torch.Generator().manual_seed(0)
    for _ in range(9):
        model(torch.randn(5, 2, generator=draw))
        average.update()
        other.update_parameters(model)
        torch.testing.assert_close(average.running_means["mean"], other.module.running_mean)
        torch.testing.assert_close(average.running_means["variance"], other.module.running_var)
    now = model.running_mean.clone()
    with average.in_place():
        torch.testing.assert_close(model.running_mean, other.module.running_mean)
    assert torch.equal(model.running_mean, now)


def test_the_net_of_a_run_has_averaged_running_arrays() -> None:
    net = nw.Chain(8, nw.BatchNorm(), nw.relu, nw.Linear(), input=nw.Vector(4), output=nw.Number())
    present: list[torch.Tensor] = []

    class Holds(Callback):
        def on_step(self, status: Status) -> None:
            present.append(status.net().arrays["batchnorm1/mean"])

    options = {"epochs": 2, "batch_size": 9, "progress": False}
    nw.train(net, (XS, YS), callbacks=[Holds()], **options)
    run = nw.train(net, (XS, YS), ema=0.7, **options)
    mean = present[0]
    for array in present[1:]:
        mean = 0.7 * mean + 0.3 * array
    torch.testing.assert_close(run.last.arrays["batchnorm1/mean"], mean)


def test_it_is_in_place_for_a_while() -> None:
    weights = torch.ones(2)
    average = Average(weights, {}, 0.5)
    with average.in_place():
        assert weights.tolist() == [1, 1]  # there is none before the first step
    average.update()
    weights.fill_(3)
    average.update()
    with pytest.raises(KeyError), average.in_place():
        assert weights.tolist() == [2, 2]
        raise KeyError
    assert weights.tolist() == [3, 3]


class Stops(Callback):
    def on_step(self, status: Status) -> None:
        if status.step == 7:
            status.stop()


def test_a_run_validates_and_gives_back_the_average() -> None:
    options = {"learning_rate": 0.01, "epochs": 6, "seed": 2}
    runs = [trained(None, callbacks=[Stops()], **options, **more) for more in ({}, {"ema": 0.5})]
    assert runs[0].losses == runs[1].losses  # the steps themselves are the same
    assert runs[0].last != runs[1].last
    whole = trained(None, ema=0.8, **options)
    assert "ema: 0.8 (given)" in map(str, whole.choices)
    plain = trained(None, **options)
    assert whole.losses == plain.losses
    assert [e.validation["loss"] for e in whole.epochs] != [e.validation["loss"] for e in plain.epochs]


def test_the_nets_of_a_run_hold_the_means_of_all_steps() -> None:
    held = []

    class Holds(Callback):
        def on_step(self, status: Status) -> None:
            held.append(trained(None, epochs=2, callbacks=[StopsAt(status.step)]).last.arrays)

    class StopsAt(Callback):
        def __init__(self, step: int) -> None:
            self.step = step

        def on_step(self, status: Status) -> None:
            if status.step == self.step:
                status.stop()

    run = trained(None, epochs=2, ema=0.7, callbacks=[Holds()])
    for path, array in run.last.arrays.items():
        mean = held[0][path].clone()
        for arrays in held[1:]:
            mean = 0.7 * mean + 0.3 * arrays[path]
        torch.testing.assert_close(array, mean)


def test_a_run_with_an_average_and_batch_norm_goes_on(tmp_path) -> None:
    net = nw.Chain(8, nw.BatchNorm(), nw.relu, nw.Linear(), input=nw.Vector(4), output=nw.Number())
    options = {"epochs": 4, "batch_size": 9, "validation": 0.1, "ema": 0.9, "progress": False}
    whole = nw.train(net, (XS, YS), **options)
    nw.train(net, (XS, YS), folder=tmp_path / "a", callbacks=[Stops()], **options)
    again = nw.train(net, (XS, YS), folder=nw.fork(tmp_path / "a", epoch=1), **options)
    assert again.net == whole.net
    assert again.last == whole.last


def test_a_run_with_an_average_goes_on(tmp_path) -> None:
    whole = trained(None, epochs=4, ema=0.9)
    trained(tmp_path / "a", epochs=4, ema=0.9, callbacks=[Stops()])
    forked = trained(nw.fork(tmp_path / "a", epoch=1), epochs=4, ema=0.9)
    assert forked.net == whole.net and forked.last == whole.last
    without = trained(nw.fork(tmp_path / "a", epoch=1, ema=None), epochs=4)
    assert without.last == trained(None, epochs=4).last


@pytest.mark.parametrize("decay", [1, 1.5])
def test_a_decay_that_forgets_nothing_is_refused(decay: float) -> None:
    net = nw.Chain(nw.Linear(), input=nw.Vector(4), output=nw.Number())
    assert message(lambda: nw.train(net, (XS, YS), ema=decay)) == (
        f"ema is a number above 0 and below 1\n  where:    ema\n  got:      {decay}"
    )
