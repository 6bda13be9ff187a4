"""What is known of a published net is a value that says everything that fetching it needs."""

from pathlib import Path

import netwright as nw
from netwright.fetch import Package
from netwright.models.pretrained.known import KnownModel


def test_a_model_is_made_from_its_folder() -> None:
    mirror = Package("pip", "nothing", "1.0", "nothing/")
    model = KnownModel(about="a number", licence="MIT", mirrors=(mirror,), sha256={}, net=lambda folder: nw.tanh)
    assert model.net(Path()) == nw.tanh
