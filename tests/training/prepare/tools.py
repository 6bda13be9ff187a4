"""Options of a run that chooses everything, for tests of what is settled before the first step."""

from dataclasses import fields
from typing import Any

from netwright.training.prepare.options import Options


def options(**given: Any) -> Options:
    """Options with these given and nothing else."""
    return Options(**{**{field.name: None for field in fields(Options)}, "seed": 0, "choices": (), **given})
