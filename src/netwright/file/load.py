"""Reads a net's file; it runs, imports and opens nothing else, and refuses a bad file before it takes memory."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, cast

import torch
from torch import Tensor

from netwright.errors import FileError, did_you_mean, shortened
from netwright.file.array_file import CHECKSUMS, opened_array_file, read_arrays, read_header
from netwright.file.format import (
    ArrayEntry,
    file_path,
    malformed,
    short,
)
from netwright.file.history import read_history
from netwright.file.save import EXAMPLE, run_raw
from netwright.file.structure import Reader, check_uses, unfit
from netwright.net.compare import digest
from netwright.net.faults import explain
from netwright.net.lineage import holding_history
from netwright.net.node import Held
from netwright.net.part import Net
from netwright.net.plan.container import leaf_uses
from netwright.net.plan.plan import plan_from, plan_of, shape_text

TOLERANCE = 1e-5  # of the largest output: processors add in different orders
DIFFERENCE = "difference"  # what the file of a difference holds in place of a net
HISTORY = "history"  # a file may be without one
CONTENT = {"version": str, "digest": str, "net": dict, "inputs": dict, "outputs": dict, "examples": int}


@torch.inference_mode(False)  # as in `initialize`
def load(
    path: str | os.PathLike[str],
    *,
    functions: Mapping[str, Any] | None = None,
    check: bool = False,
) -> Net:
    """Read a net that `nw.save` wrote. Nothing in a file is ever run, so a file from a stranger is safe to load.

    A file that is damaged, cut off or made to harm is refused, before it takes memory.

    Fields:
        functions: by import name, such as `"project.layers.scale"`, every function that an `nw.Function` of the net
            holds, and by the import name of its class every module, or list of modules, that an `nw.Module` holds;
            a file has no code. Their sources and options must be those that were saved.
        check: run the examples that the file keeps, and compare their outputs to 1e-5 of the largest.

    Raises: FileError for a file that is missing, damaged, hostile or newer than this Netwright; for a function that
        is not supplied or is another; for examples that come out differently.

    Example:
        >>> import netwright as nw
        >>> nw.load("nowhere.net")
        Traceback (most recent call last):
        netwright.errors.FileError: there is no such file
          where:    nowhere.net
    """
    if functions is not None and not isinstance(cast(Any, functions), Mapping):
        raise FileError(
            what="functions= maps import names to functions",
            got=shortened(repr(functions), 100),
            mend='nw.load(file, functions={"project.layers.scale": scale})',
        )
    file_path(path)
    probing = explain.probing.set(True)  # mends would be tried, and a hostile file could make that last
    try:
        with opened_array_file(Path(path)) as file:
            content, net, tensors = _read(file, dict(functions or {}))
        loaded = _filled(net, {name: array for name, array in tensors.items() if " " not in name})
        if check:
            _check(loaded, content, tensors)
    except FileError as error:
        raise error.within(os.fspath(path)) from None
    except OSError as error:
        raise FileError(
            what="the file cannot be read", where=os.fspath(path), got=error.strerror or str(error)
        ) from None
    finally:
        explain.probing.reset(probing)
    return loaded


def _read(file: BinaryIO, functions: Mapping[str, Any]) -> tuple[dict[str, Any], Net, dict[str, Tensor]]:
    """What the header says, the net without arrays, and the arrays by their names in the file."""
    content, entries = read_header(file)
    _check_content(content)
    net = _net(content, Reader(functions, os.fstat(file.fileno()).st_size))
    _check_places(net, [entry for entry in entries if " " not in entry.name])
    return content, net, read_arrays(file, content, entries)


def _check_content(content: Mapping[str, Any]) -> None:
    """The names and types of what the header says."""
    wanted = {**CONTENT, CHECKSUMS: dict}
    if DIFFERENCE in content:
        raise FileError(
            what="this is the file of a difference between two nets, not of a net",
            mend="nw.patch(net, nw.load_difference(file)) applies it to the net it was made from",
        )
    if content.keys() - {HISTORY} != wanted.keys():
        malformed("net", ", ".join(wanted), shortened(", ".join(content), 200))
    for name, cls in wanted.items():
        if type(content[name]) is not cls:
            malformed("net", f"{name}: {cls.__name__}", content[name])


def _net(content: Mapping[str, Any], reader: Reader) -> Net:
    """The net with its encoders and decoders, without arrays."""
    sides = ("inputs", "outputs")
    inputs, outputs = (
        {port: reader.codec(one, f"{side[:-1]} {port!r}") for port, one in content[side].items()} for side in sides
    )
    node = reader.part(content["net"], "net", Held(inputs=inputs, outputs=outputs))
    if not isinstance(node, Net):
        malformed("net", "a net", content["net"])
    check_uses(leaf_uses(node), "net", reader.size)
    return holding_history(node, read_history(content[HISTORY])) if HISTORY in content else node


def _check_places(net: Net, entries: Sequence[ArrayEntry]) -> None:
    """Check that every array has a part that takes it, of this size, before any array is read."""
    if not entries:
        return
    places = plan_of(net).arrays
    for entry in entries:
        spec = places.get(entry.name)
        if spec is None:
            raise FileError(
                what="the net has no place for an array",
                where=f"array {short(entry.name)}",
                expected=f"one of {len(places)} paths",
                mend=did_you_mean(entry.name, places),
            )
        if spec.known is not None and spec.known != entry.shape:
            _raise_misfit(entry, shape_text(spec.shape))
    mismatches = plan_from(net, {entry.name: entry.shape for entry in entries}).solution.mismatches
    unfit_paths = {mismatch.about for mismatch in mismatches}
    for entry in entries:
        if entry.name in unfit_paths:
            _raise_misfit(entry, shape_text(places[entry.name].shape))


def _raise_misfit(entry: ArrayEntry, expected: str) -> None:
    raise FileError(
        what="an array does not have the size that the net gives it",
        where=f"array {entry.name}",
        expected=expected,
        got=shape_text(entry.shape),
    )


def _filled(net: Net, arrays: Mapping[str, Tensor]) -> Net:
    if not arrays:
        return net
    return _holding(net, replace(net.held, arrays=MappingProxyType(dict(arrays))))


def _holding(node: Net, held: Held) -> Net:
    try:
        return node.rebuilt(held)
    except Exception as error:
        raise unfit(type(node), error, "net") from None


def _check(net: Net, content: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Check that the digest and the outputs of every example are what they were when the file was saved."""
    if digest(net) != content["digest"]:
        raise FileError(
            what="the net is not the one that was saved: its digest is another",
            expected=content["digest"],
            got=digest(net),
            mend=f"load it with Netwright {content['version']}, which wrote it",
        )
    if not content["examples"]:
        raise FileError(what="the file keeps no examples to check", mend="nw.save(net, path, examples=[…])")
    for number in range(content["examples"]):
        encoded = _side(tensors, number, "input", net.input_names)
        expected = _side(tensors, number, "output", net.output_names)
        try:
            outputs = run_raw(net, encoded)
        except Exception as error:
            raise unfit(type(net), error, f"example {number}") from None
        for port, output in outputs.items():
            _compare(output, expected[port], f"example {number}, output {port!r}")


def _side(tensors: Mapping[str, Tensor], number: int, side: str, ports: Sequence[str]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for port in ports:
        name = EXAMPLE.format(number=number, side=side, port=port)
        if name not in tensors:
            raise FileError(what="an example is missing", where=name)
        found[port] = tensors[name]
    return found


def _compare(output: Tensor, expected: Tensor, where: str) -> None:
    if output.shape != expected.shape or output.dtype != expected.dtype:
        raise FileError(
            what="an example comes out differently than when the net was saved",
            where=where,
            expected=f"{shape_text(tuple(expected.shape))} of {expected.dtype}",
            got=f"{shape_text(tuple(output.shape))} of {output.dtype}",
        )
    left, right = output.double(), expected.double()
    scale = float(right.nan_to_num(posinf=0.0, neginf=0.0).abs().max()) if right.numel() else 0.0
    if not torch.allclose(left, right, rtol=0.0, atol=TOLERANCE * max(scale, 1e-30), equal_nan=True):
        worst = float((left - right).abs().max())
        raise FileError(
            what="an example comes out differently than when the net was saved",
            where=where,
            expected=f"equal to {TOLERANCE:g} of the largest value, {scale:.4g}",
            got=f"a difference of {worst:.4g}",
        )
