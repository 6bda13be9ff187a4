"""Makes files of nets, whole and hostile, for the tests of saving and loading."""

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import netwright as nw
from netwright.file.format import CHECKSUM, LENGTH, PREFIX, unpack
from netwright.net.part import Net


def small_net() -> Net:
    """A net of a few hundred bytes of arrays, with an encoder and a decoder."""
    return nw.initialize(nw.Chain(3, nw.relu, nw.Linear(), nw.softmax, input=2, output=nw.Category(["a", "b"])))


def head_and_data(path: Path) -> tuple[bytes, bytes]:
    """The bytes before the arrays, and those of the arrays."""
    whole = path.read_bytes()
    end = LENGTH + int.from_bytes(whole[:LENGTH], "little")
    return whole[:end], whole[end:]


def sealed(text: bytes, data: bytes = b"") -> bytes:
    """A file whose header is this text, with a checksum that agrees, as a forger would make it."""
    text += b" " * (-len(text) % 8)
    head = len(text).to_bytes(LENGTH, "little") + text
    place = LENGTH + len(PREFIX)
    right = hashlib.sha256(head[:place] + head[place + CHECKSUM :]).hexdigest().encode()
    return head[:place] + right + head[place + CHECKSUM :] + data


def header(content: object, entries: Mapping[str, Any] | None = None, form: str = "netwright 1") -> bytes:
    """The text of a header."""
    net = content if isinstance(content, str) else json.dumps(content)
    metadata = {"checksum": "0" * CHECKSUM, "format": form, "net": net}
    return json.dumps({"__metadata__": metadata, **(entries or {})}, separators=(",", ":")).encode()


def forged(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """The file with another content, sealed; `change` edits the content, or gives the text in its place."""
    head, data = head_and_data(path)
    content, _ = unpack(head)
    entries = {k: v for k, v in json.loads(head[LENGTH:]).items() if k != "__metadata__"}
    edited = copy.deepcopy(content)
    given = change(edited)
    path.write_bytes(sealed(header(edited if given is None else given, entries), data))
    return path


def forged_entries(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """The file with other entries for its arrays, sealed."""
    head, data = head_and_data(path)
    content, _ = unpack(head)
    entries = {k: v for k, v in json.loads(head[LENGTH:]).items() if k != "__metadata__"}
    change(entries)
    path.write_bytes(sealed(header(content, entries), data))
    return path


def described_net(part: object, path: Path) -> Path:
    """A file without arrays that says this of its net, sealed."""
    content = {
        "version": "0.1.0",
        "digest": "",
        "net": part,
        "inputs": {},
        "outputs": {},
        "examples": 0,
        "checksums": {},
    }
    path.write_bytes(sealed(header(content)))
    return path
