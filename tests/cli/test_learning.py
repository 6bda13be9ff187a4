"""train and measure: a saved net learns from a file, a killed run goes on, and the net is measured."""

import json
import random

import pytest

import netwright as nw
from netwright.cli import learning, main

TRAIN = ("train", "new.net", "sides.csv", "--target", "side", "--epochs", "3", "--seed", "1")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    points = [(draw.gauss(0, 1), draw.gauss(0, 1)) for _ in range(200)]
    rows = [f"{x},{y},{'in' if x + y > 0 else 'out'}" for x, y in points]
    (tmp_path / "sides.csv").write_text("\n".join(["x,y,side", *rows]) + "\n")
    nw.save(nw.Chain(8, nw.tanh, nw.Linear(), nw.softmax, input=nw.Vector(2)), "new.net")
    return tmp_path


def test_train_and_measure(here, capsys):
    assert main([*TRAIN, "-o", "sides.net"]) == 0
    out, err = capsys.readouterr()
    run = nw.load_run("runs/sides")
    lines = [f"all epochs done; the net of epoch {run.best} of 3 is kept"]
    lines += [
        "sides.net  the net, with its encoder and decoder",
        "runs/sides/report.html  the report of the run",
    ]
    assert out.splitlines()[-3:] == lines and "loss: CrossEntropy()" in out
    assert "epoch 3/3" in err  # the progress
    assert nw.load("sides.net") == run.net
    assert main(["measure", "sides.net", "sides.csv", "--target", "side"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("200 examples, 2 classes") and "confusion matrix" in out
    assert main(["measure", "sides.net", "sides.csv", "--target", "side", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 200


def test_as_json(here, capsys):
    assert main([*TRAIN, "-o", "sides.net", "--folder", "kept", "--validation", "50", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ended"], found["folder"], found["output"]) == ("all epochs done", "kept", "sides.net")
    assert len(found["epochs"]) == 3 and found["choices"]["loss"] == "CrossEntropy()"
    assert nw.load_run("kept").best == found["best"]


def test_a_killed_run_goes_on(here, capsys):
    class Killed(BaseException):
        """What no handler of errors catches."""

    class Kill(nw.Callback):
        def on_epoch(self, status):
            raise Killed

    whole = [*TRAIN, "-o", "whole.net", "--json"]
    assert main(whole) == 0
    net = nw.load("new.net")
    data = learning.examples_at("sides.csv", net, "side", "train")
    options = {"validation": 0.1, "epochs": 3, "seed": 1, "folder": "runs/killed"}
    with pytest.raises(Killed):
        nw.train(net, data, callbacks=[Kill()], progress=False, **options)
    assert main([*TRAIN, "-o", "killed.net"]) == 0
    assert nw.load("killed.net") == nw.load("whole.net")
    assert main([*TRAIN, "-o", "killed.net", "--learning-rate", "0.5"]) == 1
    _, _, said = capsys.readouterr().err.partition("TrainingError: ")  # behind the progress of the runs before
    first, where, _, *rest = said.splitlines()
    assert (first, where) == (
        "this call differs from the run in the folder in learning rate",
        f"  where:    {here / 'runs' / 'killed'}",
    )
    assert rest == [
        "  got:      learning_rate: 0.5",
        "  mend:     --folder runs/killed-2, for a run of its own",
        "  or:       runs/killed/report.html, to look at the run that is there",
    ]
    assert nw.load("killed.net") == nw.load("whole.net")


def test_mends_of_a_folder_are_options(here, capsys):
    (here / "my files").mkdir()
    (here / "my files/notes.txt").write_text("mine")
    (here / "my files-2").mkdir()
    assert main([*TRAIN, "-o", "sides.net", "--folder", "my files"]) == 1
    assert capsys.readouterr().err == (
        "FileError: the folder is neither empty nor that of a run\n"
        f"  where:    {here / 'my files'}\n"
        "  expected: an empty folder, or a name that does not exist\n"
        "  mend:     --folder 'my files-3', for a run of its own\n"
    )


def test_figures_by_name_and_groups(here, capsys):
    rows = (here / "sides.csv").read_text().splitlines()
    table = [f"{row},{'day' if i == 0 else i % 3}" for i, row in enumerate(rows)]
    (here / "days.csv").write_text("\n".join(table) + "\n")
    net = nw.Chain(nw.Linear(), nw.softmax, input=nw.Vector(2, 0.0, 1.0), output=nw.Category(["in", "out"]))
    nw.save(nw.initialize(net, seed=0), "sides.net")
    asked = ["measure", "sides.net", "days.csv", "--target", "side", "--metrics", "kappa, macro_iou", "--by", "day"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"kappa", "macro IoU"} <= found["figures"].keys()
    assert {one["group"]: one["n"] for one in found["groups"]} == {0: 66, 1: 67, 2: 67}
    assert main(asked) == 0
    assert "\ngroup  examples  accuracy" in capsys.readouterr().out
    assert main([*asked[:5], "--by", "days"]) == 1
    assert capsys.readouterr().err == (
        "DataError: there is no column 'days', which holds the groups\n"
        "  where:    days.csv\n  expected: 'x', 'y', 'side', 'day'\n  mend:     --by day\n"
    )
    assert main(["measure", "sides.net", "digits", "--by", "day"]) == 1
    assert capsys.readouterr().err == (
        "DataError: the groups are a column of a table, and these examples are none\n"
        "  where:    --by day\n  expected: a file .csv, .jsonl, .jsonl.gz, .parquet\n  got:      digits\n"
    )
    assert main([*asked[:5], "--metrics", "kappa,"]) == 2
    assert "argument --metrics: names with a comma between two of them, not 'kappa,'" in capsys.readouterr().err
    assert main([*asked[:5], "--metrics", "kapa", "--by", "day"]) == 1
    assert "no figure of this net has the name 'kapa'" in capsys.readouterr().err


def test_figures_of_several_outputs(here, capsys):
    ends = {"side": nw.Category(["in", "out"]), "far": nw.Number(0, 1)}
    net = nw.Graph(
        side=([nw.Linear(2), nw.softmax], "point"),
        far=(nw.Linear(1), "point"),
        input={"point": nw.Number(0, 1)},
        output=ends,
    )
    nw.save(nw.initialize(net, seed=0), "two.net")
    (here / "two.csv").write_text("point,side_target,far_target\n1,in,2\n3,out,4\n5,in,7\n")
    assert main(["measure", "two.net", "two.csv", "--metrics", "side:kappa,far:mean_error", "--json"]) == 0
    found = capsys.readouterr().out
    assert '"kappa"' in found and '"mean error"' in found
    assert main(["measure", "two.net", "two.csv", "--metrics", "kappa"]) == 1
    assert capsys.readouterr().err == (
        "DataError: a figure of a net with several outputs says of which one it is\n"
        "  where:    --metrics kappa\n  expected: OUTPUT:NAME, with one of the outputs side, far\n"
        "  mend:     --metrics side:kappa\n"
    )


def test_options_that_are_given(here, capsys):
    given = ["--batch-size", "20", "--learning-rate", "0.02"]
    assert main([*TRAIN, *given, "-o", "sides.net"]) == 0
    out = capsys.readouterr().out
    assert "batch size: 20 (given)" in out and "learning rate: 0.02 (given)" in out and "epochs: 3 (given)" in out


def test_a_column_that_is_not_there_is_1(here, capsys):
    assert main(["measure", "new.net", "sides.csv"]) == 1
    assert capsys.readouterr() == (
        "",
        "DataError: there is no column 'target', which holds the answers\n"
        "  where:    sides.csv\n"
        "  expected: 'x', 'y', 'side'\n"
        "  mend:     --target side\n",
    )


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("runs", "the net could not be saved: this is a folder\n  where:    runs\n  got:      nothing was written\n"
         "  mend:     give the name of a file in it\n"),
        ("no/a.net", "the net could not be saved: there is no such folder\n  where:    no/a.net\n"
         "  got:      nothing was written\n  mend:     make the folder first\n"),
        ("", "a file is named by a path\n  expected: a text or a pathlib.Path\n  got:      ''\n"),
    ],
)  # fmt: skip
def test_a_net_that_could_not_be_saved_is_not_trained(here, capsys, output, text):
    (here / "runs").mkdir()
    assert main([*TRAIN, "-o", output]) == 1
    assert capsys.readouterr() == ("", f"FileError: {text}")
    assert not [*(here / "runs").iterdir()]
