"""Turns a docstring of the framework into Markdown for the reference: its sections, its fields, its example."""

import html
import re
from textwrap import dedent

SECTIONS = ("Shapes", "Fields", "Args", "Returns", "Raises", "Memory", "Example", "Source", "Torch")
HEAD = re.compile(rf"({'|'.join(SECTIONS)}):(?: (.*))?$")
ENTRY = re.compile(r"([\w*]+(?:, [\w*]+)*): (.*)")
ARXIV = re.compile(r"arXiv[: ](\d{4}\.\d{4,5})")
NAMES = {"Args": "Arguments", "Torch": "In PyTorch"}
"""What a section is called on the page, where this is another word."""


def sections(doc: str) -> list[tuple[str, str]]:
    """The sections of a docstring in their order, each as its name and its text; the description has no name.

    The text of a section is indented, or begins on the line of its name."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in doc.splitlines():
        head = HEAD.match(line)
        if head is not None:
            found.append((head[1], [head[2]] if head[2] else []))
        elif line and not line.startswith(" ") and found[-1][0]:
            found.append(("", [line]))
        else:
            found[-1][1].append(line)
    return [(name, "\n".join(lines).strip("\n")) for name, lines in found if any(lines)]


def entries(text: str) -> list[tuple[str, str]] | None:
    """The fields of a section with their descriptions; None where its text is prose."""
    found: list[tuple[str, str]] = []
    for line in dedent(text).splitlines():
        entry = ENTRY.fullmatch(line)
        if entry is not None:
            found.append((entry[1], entry[2]))
        elif found and (line.startswith(" ") or not line):
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line.strip()}")
        else:
            return None
    return found


def prose(text: str, public: frozenset[str]) -> str:
    """Prose of a docstring as Markdown: what is code stays, a public name becomes a link to its own entry."""
    pieces = re.split(r"(`[^`]*`)", text)
    for number, piece in enumerate(pieces):
        if number % 2:
            pieces[number] = linked(piece, public)
        else:
            escaped = re.sub(r"([\\*_\[\]$~])", r"\\\1", html.escape(piece, quote=False))
            pieces[number] = ARXIV.sub(r"[arXiv \1](https://arxiv.org/abs/\1)", escaped)
    return "".join(pieces)


def linked(code: str, public: frozenset[str]) -> str:
    """A piece of code in backticks; `nw.Conv` and `nw.Conv(20)` become links to the entry of `Conv`."""
    inner = code.strip("`")
    name = re.match(r"nw\.((?:\w+\.)?\w+)(?:\(.*\))?$", inner, re.S)
    if name is None or name[1] not in public or "<" in inner:
        return code
    return f"{{py:obj}}`{' '.join(inner.split())} <netwright.{name[1]}>`"


def to_markdown(doc: str, public: frozenset[str]) -> str:
    """A docstring as Markdown.

    The sections with fields become definition lists, the example becomes code, other sections a paragraph each."""
    parts: list[str] = []
    for name, text in sections(doc):
        said = NAMES.get(name, name)
        fields = entries(text) if name in ("Fields", "Args", "Raises") else None
        if not name:
            parts.append(prose(text, public))
        elif name == "Example":
            parts.append(f"```pycon\n{dedent(text)}\n```")
        elif fields is not None:
            listed = (f"`{field}`\n: {indented(prose(about, public))}" for field, about in fields)
            parts.append(f"**{said}**\n\n" + "\n\n".join(listed))
        else:
            lines = (line.strip() for line in text.splitlines())
            parts.append(f"**{said}** {prose(chr(10).join(lines), public)}")
    return "\n\n".join(parts)


def indented(text: str) -> str:
    """A text as the body of a definition: its further lines stand below its first."""
    return text.replace("\n", "\n  ")


def first_sentence(doc: str) -> str:
    """What stands in a table of names: the first sentence, without a formula that follows a colon."""
    paragraph = " ".join(doc.split("\n\n")[0].split())
    sentence = re.split(r"(?<=[^.])\.(?: |$)", paragraph)[0]
    return re.split(r": (?=\S+ = |Σ)", sentence)[0]
