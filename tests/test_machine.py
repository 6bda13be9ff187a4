"""What the machine can do is asked of the system, with a safe answer where it does not say."""

import random
import subprocess
import sys
import warnings
from pathlib import Path
from platform import libc_ver

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


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has control groups")
@pytest.mark.parametrize(
    ("own", "folder", "names"),
    [
        ("0::/job\n", "job", ("memory.max", "memory.current", "inactive_file")),
        ("0::/job/inner\n", "job", ("memory.max", "memory.current", "inactive_file")),
        ("0::/\n", "", ("memory.max", "memory.current", "inactive_file")),
        (
            "5:cpu:/a\n4:memory,misc:/job\n0::/\n", "memory/job",
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ),
    ],
)  # fmt: skip
def test_the_limit_of_a_container_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, folder: str, names: tuple[str, str, str]
) -> None:
    group = tmp_path / "groups" / folder
    group.mkdir(parents=True)
    (tmp_path / "own").write_text(own, encoding="ascii")
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
    whole = machine.free_memory(torch.device("cpu"))
    limit, used, files = names
    (group / used).write_text("900000\n", encoding="ascii")
    (group / "memory.stat").write_text(f"anon 1\n{files} 100000\n", encoding="ascii")
    (group / limit).write_text("1000000\n", encoding="ascii")
    assert machine.free_memory(torch.device("cpu")) == 200000
    (group / limit).write_text("max\n", encoding="ascii")
    assert machine.free_memory(torch.device("cpu")) > whole // 2


def test_what_other_packages_draw_and_set_is_put_back() -> None:
    state, filters, ends = random.getstate(), list(warnings.filters), (sys.exit, sys.excepthook)
    with pytest.raises(ValueError, match="mine"), machine.unchanged():
        random.random()
        sys.exit, sys.excepthook = print, print
        warnings.simplefilter("ignore")
        raise ValueError("mine")
    assert random.getstate() == state
    assert warnings.filters == filters
    assert (sys.exit, sys.excepthook) == ends


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


@pytest.mark.skipif(sys.platform != "linux" or libc_ver()[0] != "glibc", reason="only glibc keeps freed memory so long")
def test_freed_memory_is_given_back() -> None:
    """Every other one of many values is freed, and the C library keeps the gaps."""
    code = (
        "import numpy as np\n"
        "from memory import anonymous\n"
        "from netwright.machine import give_back_freed_memory\n"
        "values = [np.ones(8_000) for _ in range(2_000)]\n"
        "del values[::2]\n"
        "before = anonymous()\n"
        "give_back_freed_memory()\n"
        "print(before - anonymous())\n"
    )
    here = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=here)
    assert int(done.stdout) > 30e6
