"""What the machine can do is asked of the system, with a safe answer where it does not say."""

import random
import subprocess
import sys
import warnings

import pytest
import torch

from netwright import machine


def test_the_processor_is_always_there(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert machine.best_device() == torch.device("cpu")


def test_float32_where_nothing_says_that_bf16_gains(monkeypatch) -> None:
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert not machine.has_bf16(torch.device("cpu"))
    assert not machine.has_bf16(torch.device("mps"))


@pytest.mark.parametrize("allowed", [True, False])
def test_the_library_that_computes_has_the_last_word_on_bf16(monkeypatch, allowed) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: allowed)
    assert machine.has_bf16(torch.device("cpu")) == machine.onednn_has_bf16() == allowed


def test_free_memory_is_plausible() -> None:
    assert 1 << 20 < machine.free_memory(torch.device("cpu")) < 1 << 50


def test_what_other_packages_draw_and_set_is_put_back() -> None:
    state, filters = random.getstate(), list(warnings.filters)
    with pytest.raises(ValueError, match="mine"), machine.unchanged():
        random.random()
        warnings.simplefilter("ignore")
        raise ValueError("mine")
    assert random.getstate() == state
    assert warnings.filters == filters


def test_what_torch_imports_late_leaves_the_process_as_it_was() -> None:
    code = (
        "import random, warnings, netwright as nw\n"
        "from netwright import machine\n"
        "state, filters = random.getstate(), list(warnings.filters)\n"
        "machine.ready_for_directions()\n"
        "import sympy\n"
        "assert (random.getstate(), warnings.filters) == (state, filters)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_first_optimizer_of_torch_leaves_the_filters_of_warnings():
    """Its class lets torch import sympy."""
    code = (
        "import warnings, torch, netwright as nw\n"
        "filters = list(warnings.filters)\n"
        "net, data = nw.Chain(1, input=1), ([[1.0]] * 4, [[1.0]] * 4)\n"
        "nw.train(net, data, optimizer=torch.optim.Adam, epochs=1, progress=False)\n"
        "assert warnings.filters == filters\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
