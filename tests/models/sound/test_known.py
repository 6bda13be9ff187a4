"""Every net for sounds that is known by name says where its files are, what they must be, and under which licence."""

import netwright as nw
from netwright.models.sound.known import SOUND_MODELS


def test_every_model_says_what_it_is() -> None:
    for name, model in SOUND_MODELS.items():
        assert model.about
        assert model.mirrors
        assert all(len(digest) == 64 for digest in model.sha256.values())
        assert f'| `"{name}"` | ' in str(nw.pretrained.__doc__)
        assert f" | {model.licence} |" in str(nw.pretrained.__doc__)
