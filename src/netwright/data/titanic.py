"""Reads the passengers of the Titanic: a row for each, with None for what is not known."""

import csv
from pathlib import Path
from typing import Any

FILES = {
    "titanic_train.csv": "751e6c9a30f282983b460dafe3192f6c7299ddad61ebf87cdef6c875cc5902f3",
    "titanic_test.csv": "36013bebe4930168c3744659dbe30153a860c74a6c06f317164e2f288f16aa0d",
}
UNKNOWN = ("nan", "Unkown", "Unknown")  # the endings of the columns that say so, in the files' own spelling


def read_titanic(folder: Path) -> list[tuple[list[dict[str, Any]], list[str]]]:
    """The rows and their targets, "died" or "survived", of the training and of the test part."""
    parts: list[tuple[list[dict[str, Any]], list[str]]] = []
    for name in FILES:
        with (folder / name).open(newline="", encoding="utf-8") as file:
            rows = [*csv.DictReader(file)]
        parts.append(
            ([_passenger(row) for row in rows], ["died" if row["Survival"] == "0" else "survived" for row in rows])
        )
    return parts


def _passenger(row: dict[str, str]) -> dict[str, Any]:
    age = float(row["Age"])
    return {
        "name": row["Name"],
        "class": int(row["PassengerClass"]),
        "sex": _one_of(row, "Sex_"),
        "age": None if age < 0 else age,
        "siblings_spouses": int(row["No_of_siblings_plus_spouses_on_board"]),
        "parents_children": int(row["No_of_parents_plus_children_on_board"]),
        "fare": float(row["Fare"]),
        "deck": _one_of(row, "Deck_"),
        "embarked": _one_of(row, "Embarked_"),
    }


def _one_of(row: dict[str, str], start: str) -> str | None:
    """The ending of the column that is 1 among those that begin so; None where it is not known."""
    names = [name.removeprefix(start) for name, value in row.items() if name.startswith(start) and value == "1"]
    return names[0] if names and names[0] not in UNKNOWN else None
