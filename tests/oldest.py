"""Prints the lowest versions that pyproject.toml allows of some packages, as pip takes them."""

import tomllib
from pathlib import Path

CHOSEN = ("numpy", "safetensors", "msgspec", "rich", "pyarrow")


def oldest(dependencies: list[str]) -> list[str]:
    """Each chosen dependency at exactly its lower bound."""
    return [text.replace(">=", "==") for text in dependencies if text.split(">=")[0] in CHOSEN]


if __name__ == "__main__":
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    print(*oldest([*project["dependencies"], *project["optional-dependencies"]["arrow"]]))
