"""The commands that look at saved nets and join them: show, check, diff, merge."""

import argparse

from netwright.changes.diff import diff
from netwright.changes.merge import merge
from netwright.check.check import check
from netwright.cli.parser import Commands, seed_number
from netwright.cli.printing import print_json
from netwright.file.load import load
from netwright.file.save import save
from netwright.show.summary import summary

NET = "a .net file"


def add_show(commands: Commands) -> None:
    """The command that prints the parts of a net."""
    examples = ["show pets.net", "show pets.net --json"]
    command = commands.command("show", "print the parts of a saved net, their sizes, and its history", examples, _show)
    command.add_argument("file", help=NET)


def _show(options: argparse.Namespace) -> None:
    net = load(options.file)
    found = summary(net)
    if options.json:
        print_json(found.to_json())
    else:
        print(found)
        print(f"\n{net.history}")


def add_check(commands: Commands) -> None:
    """The command that holds a net against the laws of all nets."""
    about = "check that a saved net keeps the laws of all nets; exit code 1 if one fails"
    command = commands.command("check", about, ["check pets.net", "check pets.net --json"], _check)
    command.add_argument("file", help=NET)
    command.add_argument(
        "--seed", type=seed_number, default=0, help="the seed of the examples that are drawn (default: 0)"
    )


def _check(options: argparse.Namespace) -> int:
    found = check(load(options.file), seed=options.seed)
    if options.json:
        rows = [{"law": f.law, "verdict": f.verdict, "place": f.place, "text": f.text} for f in found.findings]
        print_json({"holds": found.holds, "tried": found.tried, "findings": rows})
    else:
        print(found)
    return 0 if found.holds else 1


def add_diff(commands: Commands) -> None:
    """The command that compares two nets."""
    examples = ["diff before.net after.net", "diff before.net after.net --json"]
    command = commands.command("diff", "say everything that differs between two saved nets", examples, _diff)
    command.add_argument("before", help=NET)
    command.add_argument("after", help=NET)


def _diff(options: argparse.Namespace) -> None:
    found = diff(load(options.before), load(options.after))
    if options.json:
        print_json(found.to_json())
    else:
        print(found)


def add_merge(commands: Commands) -> None:
    """The command that joins two edits of one net."""
    about = "join two edits of one saved net; conflicts are named, and then nothing is written"
    command = commands.command("merge", about, ["merge base.net mine.net theirs.net -o joined.net"], _merge)
    command.add_argument("base", help="the .net file that both were made from")
    command.add_argument("mine", help=NET)
    command.add_argument("theirs", help=NET)
    where = "the file to write; it may be one of these"
    command.add_argument("-o", "--output", required=True, metavar="FILE", help=where)


def _merge(options: argparse.Namespace) -> None:
    base, mine, theirs = (load(file) for file in (options.base, options.mine, options.theirs))
    made = merge(base, mine, theirs)
    save(made, options.output)
    found = diff(mine, made)
    if options.json:
        print_json(found.to_json())
    else:
        print(found)
