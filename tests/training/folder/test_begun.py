"""A run whose front is frozen trains on the values of the front, in each way in which a run begins."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import netwright as nw

XS = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
LABELS = ["yes" if x.sum() > 0 else "no" for x in XS]
BODY = nw.Chain(nw.Linear(8), nw.BatchNorm(), nw.tanh)
NET = nw.Chain(body=BODY, head=[nw.Linear(4), nw.relu, nw.Linear(), nw.softmax], input=3)
NET = nw.initialize(NET.with_output(nw.Category(["no", "yes"])), seed=0)
NET = NET.with_arrays({**NET.arrays, "body/batchnorm1/mean": torch.full((8,), 0.5)})
FROZEN = {"body/*": 0}


class Rows(torch.utils.data.Dataset[Any]):
    """The same examples, which might be drawn anew."""

    def __len__(self) -> int:
        return len(XS)

    def __getitem__(self, i: int) -> tuple[Tensor, str]:
        return XS[i], LABELS[i]


def trained(data: Any = (XS, LABELS), net: nw.Net = NET, **more: Any) -> nw.Run:
    given = {"epochs": 3, "batch_size": 20, "threads": 1, "learning_rate": FROZEN, "progress": False}
    return nw.train(net, data, **{**given, **more})


def has_front(run: nw.Run) -> bool:
    return "frozen front" in {choice.name for choice in run.choices}


def test_train_computes_the_front_once_and_gives_the_whole_net() -> None:
    run = trained()
    assert str(run.choice("frozen front")) == (
        "frozen front: the first 1 parts (no step changes it, so its values for all examples are computed once)"
    )
    assert nw.diff(NET, run.net).of("changed") == tuple(path for path in NET.arrays if path.startswith("head"))
    each = trained(Rows())
    assert not has_front(each)
    torch.testing.assert_close(torch.tensor(run.losses), torch.tensor(each.losses), rtol=1e-5, atol=1e-6)


def test_the_run_is_that_of_the_head_on_what_the_body_gives() -> None:
    run = trained()
    body, head = NET[:1], NET[1:]
    rate = run.choice("learning rate").setting[0]
    by_hand = trained((body(XS), LABELS), head, learning_rate=rate, choices=run.choices)
    torch.testing.assert_close(torch.tensor(run.losses), torch.tensor(by_hand.losses), rtol=1e-5, atol=1e-6)


def test_a_folder_and_a_replay_give_the_same_bits(tmp_path: Path) -> None:
    run = trained(validation=10)
    assert nw.replay(run, (XS, LABELS), progress=False).equal

    class Stop(nw.Callback):
        def on_step(self, status: nw.Status) -> None:
            if status.step == 4:
                raise KeyboardInterrupt

    first = trained(validation=10, folder=tmp_path / "run", callbacks=[Stop()])
    assert first.ended == "interrupted"
    second = trained(validation=10, folder=tmp_path / "run")
    assert second.losses == run.losses and second.net == run.net
    assert [choice.name for choice in second.choices].count("frozen front") == 1


def test_examples_count_as_they_do_without_the_front() -> None:
    weights = [3.0 if label == "yes" else 1.0 for label in LABELS]
    by_class, by_example = trained(class_weights={"yes": 3}), trained(weights=weights)
    assert has_front(by_class) and by_class.losses == by_example.losses
    each = trained(Rows(), weights=weights)
    assert not has_front(each)
    torch.testing.assert_close(torch.tensor(by_class.losses), torch.tensor(each.losses), rtol=1e-5, atol=1e-6)


def test_files_are_read_once_however_many_processes_read_them(tmp_path: Path) -> None:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (12, 6, 6), dtype=np.uint8)
    for i, picture in enumerate(pixels):
        place = tmp_path / ("a" if i % 2 else "b") / f"{i}.png"
        place.parent.mkdir(exist_ok=True)
        Image.fromarray(picture).save(place)
    net = nw.Chain(nw.Flatten(), nw.Linear(4), nw.tanh, nw.Linear(), nw.softmax, input=nw.Image(6, 6, "gray"))
    net = nw.initialize(net.with_output(nw.Category(["a", "b"])), seed=0)
    given = {"learning_rate": {"linear1/*": 0}, "batch_size": 4}
    run = trained(nw.image_folder(tmp_path), net, **given)
    assert has_front(run)
    assert trained((list(pixels), ["b", "a"] * 6), net, **given).net != net


def test_an_objective_of_its_own_has_none() -> None:
    letters = nw.Characters("ab ")
    net = nw.Chain(nw.Embedding(4), nw.GRU(4), nw.Linear(), nw.softmax, input=letters)
    texts = ["ab ab", "ba ba", "aa bb"] * 4
    run = trained(texts, net, objective=nw.NextElement(), learning_rate={"embedding1/*": 0})
    assert not has_front(run)
