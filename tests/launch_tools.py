"""Starts a script in several processes, with torchrun or as it does but without its own process, and waits for all."""

import os
import socket
import subprocess
import sys
from pathlib import Path

PATIENCE = 300  # seconds: the processes may share one slow processor


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def launched(count: int, script: Path, *arguments: str) -> list[tuple[int, str]]:
    """The exit code of every process, and what it wrote."""
    usual = {
        **os.environ, "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    started = [
        subprocess.Popen(
            [sys.executable, str(script), *arguments], env={**usual, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for rank in range(count)
    ]  # fmt: skip
    outputs = [process.communicate(timeout=PATIENCE)[0] for process in started]
    return [(process.returncode, text) for process, text in zip(started, outputs, strict=True)]


def by_torchrun(script: Path, *arguments: str, restarts: int = 0) -> "subprocess.Popen[str]":
    """The process of torchrun, which starts the script in two processes."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", str(restarts),
        "--master-port", str(free_port()), str(script), *arguments,
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """The exit code of torchrun, and what was written."""
    text = process.communicate(timeout=PATIENCE)[0]
    return process.returncode, text
