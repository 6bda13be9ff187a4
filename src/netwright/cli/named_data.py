"""The commands for the named data sets: data list, data get."""

import argparse

from netwright.cli.parser import Commands
from netwright.cli.printing import print_json
from netwright.data.datasets import dataset, dataset_names


def add_data(commands: Commands) -> None:
    """The command for named data sets."""
    actions = Commands(commands.group("data", "list the named data sets, or get one"), "action", required=True)
    actions.command("list", "list the data sets, each with a description", ["data list"], _data_list)
    get = actions.command("get", "download a data set and describe it", ["data get mnist"], _data_get)
    get.add_argument("name", help="a name from the list")


def _data_list(options: argparse.Namespace) -> None:
    if options.json:
        print_json(dataset_names())
    else:
        for name, about in dataset_names().items():
            print(f"{name:<20} {about}")


def _data_get(options: argparse.Namespace) -> None:
    found = dataset(options.name)
    facts = {
        "name": found.name,
        "train": len(found.train),
        **({"validation": len(found.validation)} if found.validation is not None else {}),
        "test": len(found.test),
        "about": found.about,
        "licence": found.licence,
        "source": found.source,
    }
    if options.json:
        print_json(facts)
    else:
        for name, value in facts.items():
            print(f"{name:<10} {value:,}" if isinstance(value, int) else f"{name:<10} {value}")
