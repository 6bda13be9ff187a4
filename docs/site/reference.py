"""The reference: every public name in exactly one group, each with its docstring, its source and who uses it."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any

from curves import curve
from docstrings import first_sentence, prose, to_markdown


def is_below(module: str, room: str) -> bool:
    """Whether a module is a room of the package, or in it."""
    return f"{module}.".startswith(f"netwright.{room}.")


@dataclass(frozen=True)
class Group:
    """A page of the reference: its file, its title, what it says at its top, and the modules whose names it has."""

    file: str
    title: str
    about: str
    modules: tuple[str, ...]

    def has(self, module: str) -> bool:
        """Whether the names of a module stand on this page."""
        return any(is_below(module, prefix) for prefix in self.modules)

    def own(self, names: list["Name"]) -> list["Name"]:
        """The names of this page, in the order of its modules."""
        places = {
            name: place for place, module in enumerate(self.modules) for name in names if is_below(name.module, module)
        }
        return sorted(places, key=lambda name: places[name])


GROUPS = (
    Group("nets", "Nets", "How a net is written, called, initialized and compared.", ("net", "sizes")),
    Group(
        "layers",
        "Layers",
        "Layers that learn, and layers beside them: linear, convolution, pooling, resizing, norms, dropout.",
        tuple(
            f"layers.{name}"
            for name in ("linear", "conv", "conv_transpose", "pool", "resize", "spatial", "norm", "prelu", "dropout")
        ),
    ),
    Group(
        "sequence-layers",
        "Layers for sequences",
        "Embeddings, positions, recurrent layers, attention, and parts that run over a sequence.",
        tuple(
            f"layers.{name}"
            for name in ("embedding", "position", "recurrent", "fold", "sequence", "attention", "scoring")
        ),
    ),
    Group(
        "functions",
        "Functions of values",
        "Functions of every value, such as ReLU, and softmax.",
        ("layers.pointwise", "layers.pairwise", "layers.where"),
    ),
    Group(
        "shapes",
        "Shapes, joins and sources",
        "Layers that reshape, cut, reduce and join values, and layers without an input.",
        tuple(f"layers.{name}" for name in ("reshape", "pad", "pick", "reduce", "join", "source")),
    ),
    Group(
        "containers",
        "Containers and code of your own",
        "Parts made of parts, and parts made of PyTorch modules and functions.",
        ("layers.wrap", "layers.function", "layers.module"),
    ),
    Group(
        "losses",
        "Losses",
        "Nets that compare an output with its target.",
        tuple(f"layers.{name}" for name in ("losses", "ctc", "detection", "anchors", "divergence", "similarity")),
    ),
    Group(
        "codecs",
        "Encoders and decoders",
        "From raw data to numbers and back: an encoder and a decoder are part of a net.",
        tuple(
            f"codecs.{name}"
            for name in (
                "array",
                "boxes",
                "category",
                "codec",
                "each",
                "image",
                "labels",
                "mask",
                "number",
                "reading",
                "table",
                "text",
            )
        ),
    ),
    Group(
        "sound",
        "Sounds",
        "Sounds as waves, frames and spectra.",
        ("codecs.sound",),
    ),
    Group("vary", "Pictures that vary", "Variation of pictures in training.", ("codecs.vary",)),
    Group("data", "Data", "Data sets, files and folders as data, and how data is split.", ("data",)),
    Group(
        "training",
        "Training",
        "How to train a net: `nw.train`, the run that it gives, optimizers, schedules, penalties and objectives.",
        (
            *(f"training.{name}" for name in ("train", "result", "events", "measurement", "replay", "descend")),
            *(f"training.{name}" for name in ("optimizers", "schedules", "penalties", "range_test", "prepare")),
        ),
    ),
    Group(
        "runs",
        "Runs that are kept",
        "Runs in folders, forks of runs, and loggers of other tools.",
        ("training.folder", "training.loggers"),
    ),
    Group(
        "sweeps",
        "Sweeps and diagnosis",
        "Compare many trainings, and find out what is wrong with one.",
        ("sweep", "diagnosis"),
    ),
    Group("measuring", "Measuring", "Measurements with intervals and baselines.", ("measure",)),
    Group("generating", "Generating", "Sequences from a net, step by step.", ("generate", "stepping")),
    Group("models", "Models", "Published nets, and blocks of known architectures.", ("models",)),
    Group(
        "inside",
        "Looking inside",
        "Values, gradients and Jacobians by path, and what an output depends on.",
        ("inside", "causality"),
    ),
    Group("showing", "Drawing and showing", "Tables, drawings, figures and pages of nets and runs.", ("show", "plot")),
    Group(
        "editing",
        "Editing",
        "Edits of many parts at once, moves between levels, larger nets, ensembles, adapters.",
        ("editing",),
    ),
    Group("changes", "Changes", "What differs between two nets: compare, apply, merge, save.", ("changes",)),
    Group("files", "Files", "Save a net to one safe file, and load it.", ("file",)),
    Group("checking", "Checking", "Tests that the laws of all nets hold for a net.", ("check",)),
    Group("inits", "Initial values", "How a new array is filled, for a layer of your own.", ("inits",)),
    Group("errors", "Errors", "Every error says what is wrong, where, and how to mend it.", ("errors",)),
)


@dataclass(frozen=True)
class Name:
    """A public name: `Conv`, or `inits.zeros` for a function of a public module; and the module that defines it."""

    name: str
    module: str

    @cached_property
    def value(self) -> Any:
        return getattr(import_module(self.module), self.name.split(".")[-1])

    @property
    def kind(self) -> str:
        """The directive of Sphinx that describes it."""
        if inspect.isclass(self.value):
            return "exception" if issubclass(self.value, Exception) else "class"
        return "function" if inspect.isfunction(self.value) else "data"

    @property
    def doc(self) -> str:
        """Its docstring; of a value the text below its assignment, or the docstring of its class."""
        if self.kind != "data":
            return inspect.getdoc(self.value) or ""
        tree = ast.parse(inspect.getsource(import_module(self.module)))
        for node, after in zip(tree.body, tree.body[1:], strict=False):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            named = any(isinstance(target, ast.Name) and target.id == self.name for target in targets)
            if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                return inspect.cleandoc(str(after.value.value))
        kind = type(self.value)
        if kind.__name__ in vars(import_module("netwright")):
            return f"A `nw.{kind.__name__}`, which `nw.{self.name}(x)` applies to a value."
        return inspect.getdoc(kind) or ""


def public_names() -> list[Name]:
    """Every public name of the framework in the order of its modules, and those of its public modules."""
    package = import_module("netwright")
    found: list[Name] = []
    for node in ast.parse(inspect.getsource(package)).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for name in (alias.asname or alias.name for alias in node.names):
            value = getattr(package, name)
            if isinstance(value, ModuleType):
                own = getattr(value, "__all__", None) or [
                    f
                    for f, v in vars(value).items()
                    if not f.startswith("_") and inspect.isroutine(v) and v.__module__.startswith(value.__name__)
                ]
                found += [Name(f"{name}.{f}", value.__name__) for f in own]
            elif not name.startswith("__"):
                found.append(Name(name, str(node.module)))
    return found


def group_of(name: Name) -> Group:
    """The one page on which a name stands. Raises ValueError where there is none, or several."""
    pages = [group for group in GROUPS if group.has(name.module)]
    if len(pages) != 1:
        titles = ", ".join(group.title for group in pages) or "no group"
        raise ValueError(f"nw.{name.name} of {name.module} is in {titles}: mend GROUPS in docs/site/reference.py")
    return pages[0]


def signature(value: Any) -> str:
    """How it is called, without the types, which the fields explain."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    parameters = [
        parameter.replace(annotation=parameter.empty, default=Shown.of(parameter.default))
        for parameter in found.parameters.values()
        if parameter.name != "self" and not parameter.name.startswith("_")
    ]
    return str(found.replace(parameters=parameters, return_annotation=found.empty))


class Shown:
    """A default as it is written on the page: no address of an object in it, no line longer than a screen."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    @classmethod
    def of(cls, default: Any) -> Any:
        if default is inspect.Parameter.empty:
            return default
        text = getattr(default, "__name__", None) or repr(default)
        return cls("…" if "object at" in text or "\n" in text or len(text) > 40 else text)


def members(value: type, public: Mapping[type, str]) -> Iterator[tuple[str, str, Any]]:
    """The documented methods and properties that a class adds to its public bases: directive, name, object.

    Those of a layer or a container are for the framework that runs it: `Leaf` and `Container` describe them."""
    if any(base in public and public[base] in ("Leaf", "Container") for base in value.__mro__[1:]):
        return
    bases = [base for base in value.__mro__[1:] if base in public or not base.__module__.startswith("netwright")]
    inherited = {name for base in bases for name in dir(base)}
    for name in sorted({name for base in value.__mro__ if base not in bases for name in vars(base)}):
        member = inspect.getattr_static(value, name)
        inner = getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)
        if (name.startswith("_") and name != "__call__") or (name in inherited and name != "__call__"):
            continue
        if not inspect.isfunction(inner) or not inner.__doc__:
            continue
        yield (
            ("method" if inspect.isroutine(member) or isinstance(member, classmethod | staticmethod) else "property"),
            (name),
            inner,
        )


def entry(name: Name, public: Mapping[type, str], names: frozenset[str], users: str) -> str:
    """The description of one name, as a directive of Sphinx with all that belongs to it."""
    called = signature(name.value) if name.kind in ("class", "function") else ""
    lines = [f"::::::{{py:{name.kind}}} {name.name}{called}", "", to_markdown(name.doc, names), ""]
    if isinstance(name.value, import_module("netwright").Elementwise):
        lines += [f"```{{raw}} html\n{curve(name.value, name.name)}\n```", ""]
    if name.kind == "class":
        for kind, member, inner in members(name.value, public):
            called = signature(inner) if kind == "method" else ""
            lines += [f":::::{{py:{kind}}} {member}{called}", "", to_markdown(inspect.getdoc(inner) or "", names), ""]
            lines += [":::::", ""]
    return "\n".join([*lines, users, "", "::::::", ""])


def used_in(name: str, texts: Mapping[str, tuple[str, str]]) -> str:
    """Links to the pages that use a name: `texts` has the title and the text of every page, by its address.

    A page of the book is called by its number, since a common name is on most of them."""
    pattern = re.compile(rf"\bnw\.{re.escape(name)}\b")
    users = [(page, title) for page, (title, text) in texts.items() if pattern.search(text)]
    numbers = [f"[{title.split()[0]}](/{page})" for page, title in users if page.endswith(".ipynb")]
    others = [f"[{title}](/{page})" for page, title in users if not page.endswith(".ipynb")]
    said = [f"The book: {', '.join(numbers)}"] * bool(numbers) + [", ".join(others)] * bool(others)
    return f"```{{div}} nw-used\n**Used in** {'. '.join(said)}\n```" if said else ""


def pages(texts: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Every page of the reference: its file name and its Markdown."""
    found = public_names()
    names = frozenset(name.name for name in found)
    public = {name.value: name.name for name in found if inspect.isclass(name.value)}
    for group in GROUPS:
        own = group.own(found)
        rows = "\n".join(
            f"| {{py:obj}}`{name.name} <netwright.{name.name}>` | {cell(first_sentence(name.doc), names)} |"
            for name in own
        )
        table = f"```{{div}} nw-names\n\n| name | what it is |\n|---|---|\n{rows}\n```"
        entries = "\n".join(entry(name, public, names, used_in(name.name, texts)) for name in own)
        opening = f"# {group.title}\n\n{group.about}\n\n```{{py:currentmodule}} netwright\n```\n\n{table}\n\n"
        yield f"{group.file}.md", opening + entries
    yield "index.md", index(found, names)


def cell(text: str, names: frozenset[str]) -> str:
    """A sentence in a cell of a table."""
    return prose(text, names).replace("|", "\\|")


def index(found: list[Name], names: frozenset[str]) -> str:
    """The first page of the reference: the groups, with all their names."""
    toctree = "\n".join(group.file for group in GROUPS)
    lines = [
        "# Reference",
        f"The {len(found)} public names of `netwright`, which all examples import as `nw`.",
        f"```{{toctree}}\n:hidden:\n\n{toctree}\n```",
    ]
    for group in GROUPS:
        own = group.own(found)
        links = ", ".join(f"{{py:obj}}`{name.name} <netwright.{name.name}>`" for name in own)
        lines.append(f"## [{group.title}]({group.file}.md)\n\n{group.about}\n\n{links}")
    return "\n\n".join(lines) + "\n"
