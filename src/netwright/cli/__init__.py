"""The command line."""

from netwright.cli.commands import main as main
