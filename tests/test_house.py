"""Holds the house: imports go down only and make no circle, a name stands once, every module has its test file."""

import ast
from pathlib import Path

import pytest

from netwright.net.leaf import LeafNode
from netwright.net.node import PARTS
from netwright.show.draw.style import COLOURS

SRC = Path(__file__).parents[1] / "src" / "netwright"
TESTS = Path(__file__).parent
FILES = sorted(path for path in SRC.rglob("*.py"))

# From the ground up; a module imports from its own floor's folder, or from a floor below.
FLOORS = [
    ["around", "forms"],
    ["value", "once", "machine", "seeds", "tracebacks"],
    ["errors"],
    ["regular", "elsewhere"],
    ["fields", "inits"],
    ["fetch"],
    ["kernels"],
    ["sizes"],
    ["codecs"],
    ["data"],
    ["net"],
    ["layers"],
    ["causality", "file", "measure"],
    ["changes", "stepping", "models", "training"],
    ["generate", "check", "editing", "inside"],
    ["show"],
    ["diagnosis", "sklearn", "sweep"],
    ["cli", ""],
]
INSIDE = {
    "net": [
        ["history"],
        ["names", "node", "shell", "source_of_code"],
        ["leaf", "registered", "standard"],
        ["plan"],
        ["compare", "cost", "draws", "ports", "run"],
        ["arguments", "lineage", "memory", "surgery"],
        ["faults"],
        ["part"],
        ["apply", "graph", "initialize"],
        ["chain", "program", "to_torch"],
    ],
    "net.plan": [
        ["dead", "level"],
        ["each", "symbol"],
        ["container"],
        ["wiring"],
        ["solution"],
        ["varying"],
        ["solve"],
        ["plan"],
        ["rewrite"],
    ],
    "net.run": [
        ["groups", "noise", "padding"],
        ["indices"],
        ["context", "lengths"],
        ["examples", "per_element"],
        ["execute"],
        ["assemble", "given"],
        ["call"],
    ],
    "editing": [
        ["rewrite", "trial_run"],
        ["ensemble", "set_fields"],
        ["grow", "same_function", "select"],
        ["adapt", "nesting"],
    ],
    "changes": [
        ["array_state", "fields", "renamed"],
        ["difference"],
        ["structure"],
        ["diff", "rebuild"],
        ["difference_file", "patch"],
        ["merge"],
    ],
    "training": [
        ["average", "batch", "events", "holding", "interrupts", "range_test", "schedules", "snapshot", "start"],
        ["culprit", "epochs", "feeds", "limits", "measurement", "mixup", "processes", "telling", "updates"],
        ["not_finite", "optimizers", "penalties", "variation"],
        ["engines", "room"],
        ["prepare"],
        ["descend", "loggers", "loop", "progress"],
        ["result"],
        ["folder"],
        ["train"],
        ["replay"],
    ],
}
LAYERS_BY_NAME = {
    "": "gives the layers their public names",
    "models": "builds nets of layers",
    "editing": "puts in layers that change nothing, and averages nets",
    "cli.demo": "builds a net of layers",
    "training.engines.handwritten": "has a table of kernels, each written for one kind of leaf",
    "training.prepare.goal": "has a table of losses, one for each kind of answer",
    "training.prepare.gan": "makes the losses of a generator and a discriminator",
    "training.prepare.with_loss": "makes a leaf of a function that a user gives as a loss",
    "net.standard": "lists the parts that operators, shorthand and mends stand for",
    "net.plan.symbol": "says which of these an operator or a shorthand stands for",
    "net.faults.mend": "says which of these may be put into a net to mend it",
    "measure.regression": "has metrics that are called like losses",
}
"""The only rooms outside the layers that know a layer by its name, and why."""
MAKERS = {"zeros", "ones", "empty", "full", "tensor", "as_tensor", "rand", "randn", "linspace", "eye"}
COUNTS = {"arange", "randperm", "randint"}  # whole numbers whatever torch's default type is


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def module(path: Path) -> str:
    """The dotted name of a file below netwright: `net.plan`; the empty text for the package itself."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


PATHS = {module(path): path for path in FILES}
KNOWN = {f"netwright.{name}" for name in PATHS}


def imports(path: Path) -> set[str]:
    """The modules of netwright that a file imports, lazily too."""
    found: set[str] = set()
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "netwright"}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            if node.module and node.module.split(".")[0] == "netwright":
                below = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= below & KNOWN or {node.module}
    return {name.removeprefix("netwright").removeprefix(".") for name in found}


def going_up(modules: list[str], floors: list[list[str]], folder: str = "") -> list[str]:
    """What a module of a folder imports from its own floor's other rooms, or from a floor above."""
    height = {name: number for number, names in enumerate(floors) for name in names}
    found: list[str] = []
    for name in modules:
        room = name.removeprefix(folder).split(".")[0]
        for other in sorted(imports(PATHS[name])):
            there = other.removeprefix(folder).split(".")[0]
            if other.startswith(folder) and there != room and height[there] >= height[room]:
                found.append(f"{name} imports {other}")
    return found


def test_imports_go_down_only() -> None:
    assert going_up(list(PATHS), FLOORS) == []


@pytest.mark.parametrize("folder", INSIDE)
def test_imports_go_down_inside_a_folder_too(folder: str) -> None:
    modules = [name for name in PATHS if name.startswith(f"{folder}.")]
    assert going_up(modules, INSIDE[folder], f"{folder}.") == []


def test_imports_make_no_circle() -> None:
    graph = {module(path): imports(path) - {""} for path in FILES}
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name in done:
            return
        for other in graph.get(name, set()):
            if graph.get(other) is not None and other != name:
                visit(other, [*way, name])
        done.add(name)

    for name in graph:
        visit(name, [])


def test_every_module_has_its_test_file() -> None:
    wanted = [path.relative_to(SRC) for path in FILES if path.name != "__init__.py"]
    assert [str(path) for path in wanted if not (TESTS / path.parent / f"test_{path.name}").exists()] == []


def test_every_file_says_why_it_exists() -> None:
    said = {module(path): ast.get_docstring(TREES[path]) or "" for path in FILES}
    assert [name for name, text in said.items() if not (text[:1].isupper() or text[:1] in ("`", "@"))] == []


def test_files_and_functions_stay_small() -> None:
    found = [f"{module(path)}: is it two things?" for path in FILES if path.read_text("utf-8").count("\n") > 450]
    for path in FILES:
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno if body else 0
                found += [f"{module(path)}: {node.name} has {lines} lines"] * (lines > 60)
    assert found == []


def test_no_context_manager_sets_an_attribute_of_the_error_that_passes() -> None:
    found = [module(path) for path in FILES for node in ast.walk(TREES[path]) if is_contextmanager(node)]
    assert found == [], "netwright.around lets an error that is a frozen dataclass come out as it is"


def is_contextmanager(node: ast.AST) -> bool:
    return (isinstance(node, ast.alias) and node.name == "contextmanager") or (
        isinstance(node, ast.Attribute) and node.attr == "contextmanager"
    )


def test_no_class_or_public_function_has_the_name_of_another() -> None:
    rooms: dict[str, list[str]] = {}
    for path in FILES:
        names = {n.name for n in TREES[path].body if isinstance(n, ast.ClassDef | ast.FunctionDef)}
        for name in names:
            rooms.setdefault(name, []).append(module(path))
    assert {name: where for name, where in rooms.items() if len(where) > 1 and not name.startswith("_")} == {}


def layers_by_name(path: Path) -> list[str]:
    """The layers that a file imports, or whose names stand in it as texts."""
    kinds = {name for name, kind in PARTS.items() if kind.__module__.startswith("netwright.layers.")}
    texts = {node.value for node in ast.walk(TREES[path]) if isinstance(node, ast.Constant)}
    return sorted({name for name in imports(path) if name.startswith("layers.")} | (kinds & texts))


def test_no_layer_is_known_by_name_outside_the_layers() -> None:
    found = {name: layers_by_name(path) for name, path in PATHS.items() if not name.startswith("layers")}
    rooms = {
        room
        for name, known in found.items()
        for room in ([r for r in LAYERS_BY_NAME if name == r or (r and name.startswith(f"{r}."))] or [name])
        if known
    }
    assert rooms == LAYERS_BY_NAME.keys()


def test_every_leaf_is_in_the_table_of_the_drawing() -> None:
    ours = [kind for kind in PARTS.values() if issubclass(kind, LeafNode) and kind.__module__.startswith("netwright.")]
    families = {kind.__name__: kind.family for kind in ours}
    assert [name for name, family in families.items() if family == "other" or family not in COLOURS] == []
    assert {*families.values(), "other", "port"} == COLOURS.keys()


def test_new_tensors_do_not_ask_torch_for_its_defaults() -> None:
    found: list[str] = []
    for path in FILES:
        for node in ast.walk(TREES[path]):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            name, said = node.func.attr, {keyword.arg for keyword in node.keywords}
            if ast.unparse(node.func.value) == "torch" and name in MAKERS | COUNTS:
                wanted = {"device"} | ({"dtype"} if name not in COUNTS | {"as_tensor"} else set[str]())
                found += [f"{module(path)}, line {node.lineno}: torch.{name} without {w}" for w in wanted - said]
    assert found == []
