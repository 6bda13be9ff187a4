"""What is known of a published net is a value that says everything that fetching it needs."""

from pathlib import Path

import netwright as nw
from netwright.fetch import Package
from netwright.models.pretrained.known import KnownModel
from netwright.models.vision.known import PICTURE_MODELS


def test_a_model_is_made_from_its_folder() -> None:
    mirror = Package("pip", "nothing", "1.0", "nothing/")
    model = KnownModel(about="a number", licence="MIT", mirrors=(mirror,), sha256={}, net=lambda folder: nw.tanh)
    assert model.net(Path()) == nw.tanh


def test_every_model_says_what_it_is() -> None:
    for name, model in PICTURE_MODELS.items():
        assert model.about
        assert model.mirrors
        assert all(len(digest) == 64 for digest in model.sha256.values())
        assert f'| `"{name}"` | ' in str(nw.pretrained.__doc__)
        assert f" | {model.licence} |" in str(nw.pretrained.__doc__)
