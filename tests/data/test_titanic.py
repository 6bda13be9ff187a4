"""The passengers of the Titanic: what each column holds, and what is not known."""

from collections import Counter
from pathlib import Path

import pytest

from netwright.data.datasets import dataset
from netwright.data.titanic import FILES, read_titanic
from netwright.errors import FileError

HEAD = (
    "Name,Survival,Fare,Age,PassengerClass,No_of_siblings_plus_spouses_on_board,No_of_parents_plus_children_on_board,"
    "Sex_female,Sex_male,Sex_nan,Deck_C,Deck_Unkown,Embarked_Cherbourg,Embarked_Unknown"
)
ROWS = ('"Cumings, Mrs. John",1,71.3,38.0,1,1,0,1,0,0,1,0,1,0', '"Moran, Mr. James",0,8.5,-999.0,3,0,0,0,1,0,0,1,0,1')


def test_a_row_of_the_file_is_a_row_of_the_table(tmp_path: Path):
    for name in FILES:
        (tmp_path / name).write_text("\n".join([HEAD, *ROWS]))
    train, test = read_titanic(tmp_path)
    assert train == test
    assert train[1] == ["survived", "died"]
    assert train[0][0] == {
        "name": "Cumings, Mrs. John", "class": 1, "sex": "female", "age": 38.0, "siblings_spouses": 1,
        "parents_children": 0, "fare": 71.3, "deck": "C", "embarked": "Cherbourg",
    }  # fmt: skip
    assert [train[0][1][name] for name in ("age", "deck", "embarked", "sex")] == [None, None, None, "male"]


@pytest.mark.slow
def test_the_real_passengers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    try:
        real = dataset("titanic", notice=lambda text: None)
    except FileError:
        pytest.skip("no mirror answers from here")
    assert (len(real.train), len(real.test)) == (691, 200)
    rows = [*real.train.inputs, *real.test.inputs]
    assert Counter(row["age"] is None for row in rows)[True] == 177
    assert Counter([*real.train.targets, *real.test.targets]) == {"died": 549, "survived": 342}
