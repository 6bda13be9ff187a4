"""Writes a net as one file: structure, arrays, encoders, decoders and history; the whole file or nothing."""

import os
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from netwright.errors import DataError, FileError
from netwright.file.array_file import ArrayFile, plain_array
from netwright.file.format import NAME, file_path
from netwright.file.history import described_history
from netwright.file.structure import check_uses, described_value, planned_uses
from netwright.net.compare import digest
from netwright.net.node import expect_net
from netwright.net.part import Net
from netwright.net.plan.container import leaf_uses
from netwright.net.plan.plan import plan_of
from netwright.net.run.call import bound_program
from netwright.seeds import drawing_from

EXAMPLE = "example {number} {side} {port}"  # the name of its array; a path has no blanks


def save(net: Net, path: str | os.PathLike[str], *, examples: Sequence[Any] = ()) -> None:
    """Write a net into one file: its structure, arrays, encoders and decoders. No pickle, no code.

    The file is written whole beside its place and then put there: an older file stays until the new one is on the
    disk, and stays as it was if anything fails; the new one takes over its permissions. Nets that are written alike and
    hold equal arrays, with equal histories, give equal bytes. The file is a safetensors file too: other tools can read
    the arrays.

    Fields:
        path: the file; by custom it ends in `.net`.
        examples: raw inputs whose outputs are kept in the file, so that `nw.load(path, check=True)` can see that
            the net still gives them; none by default, since they may be private.

    Raises: FileError when the disk is full, the folder cannot be written, or the net holds what a file cannot: a
        lambda, or more parts than `nw.load` takes. DataError and MissingArraysError when the examples do not run.

    Example:
        >>> import netwright as nw, tempfile, pathlib
        >>> net = nw.Chain(3, nw.relu, nw.Linear(2), input=4)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     nw.save(net, pathlib.Path(folder, "small.net"))
        ...     nw.load(pathlib.Path(folder, "small.net")) == net
        True
    """
    expect_net(net, "save")
    target = Path(os.path.realpath(file_path(path)))
    try:
        tensors = {name: plain_array(name, array) for name, array in net.held.arrays.items()}
        content = {
            "version": netwright_version(),
            "digest": digest(net),
            "net": described_value(net, "net"),
            "inputs": _codecs(net.held.inputs, "input"),
            "outputs": _codecs(net.held.outputs, "output"),
            "examples": len(examples),
        }
        if net.held.history:
            content["history"] = described_history(net.held.history)
        tensors |= _examples(net, examples)
        made = ArrayFile.of(content, tensors)
        check_uses(max(leaf_uses(net), planned_uses(content["net"])), "net", made.size)
    except FileError as error:
        raise error.within(os.fspath(path)) from None
    made.write(target, "the net", path)


def run_raw(net: Net, encoded: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The output arrays of one encoded example."""
    plan = plan_of(net)
    bound = bound_program(net, plan, [slot for _, slot in plan.wiring.outputs])
    device = next((array.device for array in net.held.arrays.values()), torch.device("cpu"))
    codecs = net.held.inputs
    with torch.no_grad(), drawing_from(0):  # code that draws by itself gives the same again
        inputs = {name: codecs[name].prepare(stored.unsqueeze(0).to(device)) for name, stored in encoded.items()}
        outputs = bound(inputs)
    return {name: value[0].cpu() for (name, _), value in zip(plan.wiring.outputs, outputs, strict=True)}


def _examples(net: Net, examples: Sequence[Any]) -> dict[str, Tensor]:
    """The encoded inputs and the outputs of every example, under their names in the file."""
    without_encoder = [name for name in net.input_names if name not in net.held.inputs]
    if examples and without_encoder:
        raise DataError(
            what="examples are kept as the net's encoders encode them, and an input has none",
            where=f"input {without_encoder[0]!r}",
            mend="net.with_input(…) says what the input is",
        )
    found: dict[str, Tensor] = {}
    for number, example in enumerate(examples):
        raw = dict.fromkeys(net.input_names, example) if len(net.input_names) == 1 else example
        if not isinstance(raw, Mapping) or set(raw) != set(net.input_names):
            raise DataError(
                what=f"this net has {len(net.input_names)} inputs, and each needs a value",
                where=f"example {number}",
                expected="{" + ", ".join(f"{name!r}: …" for name in net.input_names) + "}",
            )
        encoded = {name: net.held.inputs[name].encode(raw[name]) for name in net.input_names}
        sides = {"input": encoded, "output": run_raw(net, encoded)}
        for side, values in sides.items():
            for port, value in values.items():
                name = EXAMPLE.format(number=number, side=side, port=port)
                found[name] = plain_array(name, value)
    return found


def _codecs(codecs: Mapping[str, Any], side: str) -> dict[str, Any]:
    return {port: described_value(codecs[port], f"{side} {port!r}") for port in sorted(codecs)}


def netwright_version() -> str:
    """The version of this package."""
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:  # run from a folder of source
        return "unknown"
