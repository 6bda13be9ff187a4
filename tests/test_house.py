"""Holds the house: imports go down only and make no circle, one test file a module, one sentence atop each file."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "netwright"
TESTS = Path(__file__).parent
FILES = sorted(path for path in SRC.rglob("*.py"))

# From the ground up; a module imports from its own floor's folder, or from a floor below.
FLOORS = [
    ["value", "once", "machine"],
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
    ["causality", "file"],
    ["stepping", "models", "training"],
    ["generate", "check", "measure"],
    ["show"],
    ["cli", ""],
]
FLOOR = {name: height for height, names in enumerate(FLOORS) for name in names}


def module(path: Path) -> str:
    """The dotted name of a file below netwright: `net.plan`; the empty text for the package itself."""
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(path: Path) -> set[str]:
    """The modules of netwright that a file imports, lazily too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "netwright"}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            if node.module and node.module.split(".")[0] == "netwright":
                below = {f"{node.module}.{alias.name}" for alias in node.names}
                known = {f"netwright.{module(file)}" for file in FILES}
                found |= below & known or {node.module}
    return {name.removeprefix("netwright").removeprefix(".") for name in found}


@pytest.mark.parametrize("path", FILES, ids=module)
def test_imports_go_down_only(path: Path) -> None:
    here = FLOOR[module(path).split(".")[0]]
    for name in imports(path):
        there = FLOOR[name.split(".")[0]]
        same_folder = name.split(".")[0] == module(path).split(".")[0]
        assert there < here or same_folder, f"{module(path)} imports {name}, which is not on a lower floor"


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


@pytest.mark.parametrize("path", [p for p in FILES if p.name != "__init__.py"], ids=module)
def test_every_module_has_its_test_file(path: Path) -> None:
    relative = path.relative_to(SRC)
    assert (TESTS / relative.parent / f"test_{relative.name}").exists()


@pytest.mark.parametrize("path", FILES, ids=module)
def test_every_file_says_why_it_exists(path: Path) -> None:
    sentence = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert sentence
    assert sentence[0].isupper() or sentence[0] in "`@"


@pytest.mark.parametrize("path", FILES, ids=module)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 450, "is it two things?"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno if body else 0
            assert lines <= 60, f"{node.name} has {lines} lines"


MAKERS = {"zeros", "ones", "empty", "full", "tensor", "as_tensor", "rand", "randn", "linspace", "eye"}
COUNTS = {"arange", "randperm", "randint"}  # whole numbers whatever torch's default type is


@pytest.mark.parametrize("path", FILES, ids=module)
def test_new_tensors_do_not_ask_torch_for_its_defaults(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, said = node.func.attr, {keyword.arg for keyword in node.keywords}
        if ast.unparse(node.func.value) == "torch" and name in MAKERS | COUNTS:
            assert "device" in said, f"line {node.lineno}: torch.{name} without a device"
            assert name in COUNTS | {"as_tensor"} or "dtype" in said, (
                f"line {node.lineno}: torch.{name} without a dtype"
            )
