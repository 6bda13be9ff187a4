"""Reads a net from a folder as Hugging Face publishes them: config.json, safetensors, tokenizer.json.

Every field of the files is used, or known to change no number, or refused by name.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from netwright.codecs.array import Array
from netwright.codecs.category import Category
from netwright.codecs.codec import Codec
from netwright.codecs.image import Image
from netwright.codecs.pictures.placement import FILTERS
from netwright.codecs.text.subwords import Subwords
from netwright.errors import DataError, FileError, NetError, SizeError
from netwright.models.pretrained import bert, harmless, vit
from netwright.models.pretrained.bert import bert_net, bert_table
from netwright.models.pretrained.files import PATH, check_regular, json_of, shown_text
from netwright.models.pretrained.gpt2 import gpt2_net, gpt2_table, gpt2_unread
from netwright.models.pretrained.llama import llama_net, llama_table, llama_unread
from netwright.models.pretrained.tokenizer import check_said, cut_options
from netwright.models.pretrained.vit import vit_net, vit_table
from netwright.models.pretrained.weights import Config, From, check_blocks, filled_arrays
from netwright.net.part import Net
from netwright.value import Value

CONFIG, INDEX, WHOLE = "config.json", "model.safetensors.index.json", "model.safetensors"
TOKENIZER, PIXELS, GENERATION = "tokenizer.json", "preprocessor_config.json", "generation_config.json"
PROCESSORS = ("ViTImageProcessor", "ViTImageProcessorFast", "ViTImageProcessorPil", "ViTFeatureExtractor")


class Published(Value):
    """A folder, what its configuration says, and its tensors by name."""

    folder: Path
    config: Config
    tensors: Mapping[str, Tensor]

    def prefix(self, prefix: str, first: str) -> str:
        """The prefix of the names: a net for a task holds the plain net inside."""
        return prefix if prefix + first in self.tensors else ""

    def speaks(self, task: str) -> bool:
        """Whether the net has the head that predicts the next token: a body that is published alone has none."""
        named = self.config.plain.get("architectures")
        return not isinstance(named, list) or not named or task in named

    def ending(self) -> tuple[int, ...]:
        """The tokens with which a text ends."""
        path = self.folder / GENERATION
        said = Config(json_of(path) if path.exists() else {}, str(path))
        found = said.indices("eos_token_id") or self.config.indices("eos_token_id")
        for name, usual in GENERATING.items():
            said.refuse(name, *usual)
        said.finish(harmless.harmless_names(harmless.GENERATION))
        return found

    def tokens(self, ending: tuple[int, ...] = ()) -> Codec:
        """The tokenizer, or tokens by their numbers where there is none."""
        count, path = self.config.whole("vocab_size"), self.folder / TOKENIZER
        if not path.exists():
            return Array(f"n <{count}>")
        check_regular(path)
        try:
            codec = Subwords(path, special=True)
            cut_options(codec)
            if codec.size <= count:
                known = tuple(index for index in ending if index < count)
                codec = Subwords(
                    codec.tokenizer, special=True, padded=count if codec.size < count else None, ending=known
                )
        except NetError as error:
            raise FileError.of(error.changed(where=str(path)).faults) from None
        if codec.size > count:
            raise FileError(
                what="the tokenizer has more pieces than the net has room for",
                where=str(path),
                expected=f"at most {count} pieces, as {CONFIG} says",
                got=f"{codec.size} pieces",
            )
        check_said(self.folder, codec)
        return codec

    def check_blocks(self, count: str, name: str) -> None:
        """Refuse a number of blocks for which there are no tensors."""
        check_blocks(self.config.whole(count), name, self.tensors, str(self.folder))

    def filled(self, net: Net, table: Mapping[str, From], unread: Collection[str], known: harmless.Reasons) -> Net:
        """The net with the tensors that the table finds; a field that is not known is refused."""
        self.config.finish(harmless.harmless_names(harmless.CONFIG, known))
        return filled_arrays(net, self.tensors, table, unread, str(self.folder))


GENERATING: Mapping[str, tuple[Any, ...]] = {
    **dict.fromkeys(("repetition_penalty", "encoder_repetition_penalty", "guidance_scale"), (1, 1.0)),
    **dict.fromkeys(("no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "min_length", "min_new_tokens"), (0,)),
    **dict.fromkeys(("remove_invalid_values", "renormalize_logits", "token_healing"), (False,)),
}
"""What changes which token may come next, with the values that change nothing."""


def read_folder(folder: Path) -> Net:
    """The net of a folder, with its weights and, where it has a tokenizer, its codecs.

    Raises: FileError for a folder that is no model, an unknown family, an unknown field, weights that do
        not fit, a tokenizer with more pieces than the net has room for.
    """
    if not (folder / CONFIG).exists():
        raise FileError(
            what="this folder is no model" if folder.is_dir() else "there is no such folder",
            where=shown_text(str(folder), PATH),
            expected=f"a folder with {CONFIG}, {WHOLE} and {TOKENIZER}",
            got=", ".join(sorted(shown_text(path.name) for path in folder.iterdir())[:8]) or "an empty folder"
            if folder.is_dir()
            else "",
        )
    config = Config(json_of(folder / CONFIG), str(folder / CONFIG))
    family = config.choice("model_type", FAMILIES)
    found = Published(folder, config, tensors_of(folder))
    try:
        return family(found)
    except (NetError, SizeError, DataError) as error:
        raise FileError(
            what="no net follows from this configuration",
            where=config.where,
            expected=error.expected,
            got=f"{error.what}{': ' if error.got else ''}{error.got}",
        ) from None


def _bert(found: Published) -> Net:
    prefix = found.prefix("bert.", "embeddings.word_embeddings.weight")
    found.check_blocks("num_hidden_layers", f"{prefix}encoder.layer.")
    pooled = f"{prefix}pooler.dense.weight" in found.tensors
    net = bert_net(found.config, found.tokens(), pooled)
    return found.filled(net, bert_table(found.config, prefix, pooled), bert.UNREAD, harmless.BERT)


def _gpt2(found: Published) -> Net:
    prefix, head = found.prefix("transformer.", "wte.weight"), found.speaks("GPT2LMHeadModel")
    found.check_blocks("n_layer", f"{prefix}h.")
    net = gpt2_net(found.config, found.tokens(found.ending()), head)
    table = gpt2_table(found.config, prefix, head)
    return found.filled(_speaking(net) if head else net, table, gpt2_unread(found.config), harmless.GPT2)


def _llama(found: Published) -> Net:
    prefix, head = found.prefix("model.", "embed_tokens.weight"), found.speaks("LlamaForCausalLM")
    found.check_blocks("num_hidden_layers", f"{prefix}layers.")
    net = llama_net(found.config, found.tokens(found.ending()), head)
    table = llama_table(found.config, prefix, head)
    return found.filled(_speaking(net) if head else net, table, llama_unread(found.config), harmless.LLAMA)


def _vit(found: Published) -> Net:
    prefix = found.prefix("vit.", "embeddings.cls_token")
    found.check_blocks("num_hidden_layers", f"{prefix}encoder.layer.")
    labels = _labels(found) if "classifier.weight" in found.tensors else []
    net = vit_net(found.config, _image(found), len(labels))
    table = vit_table(found.config, prefix, len(labels))
    return found.filled(net.with_output(Category(labels)) if labels else net, table, vit.UNREAD, harmless.VIT)


FAMILIES: Mapping[str, Callable[[Published], Net]] = {"bert": _bert, "gpt2": _gpt2, "llama": _llama, "vit": _vit}
"""The families, by the name that their configurations have for them."""


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """All tensors of the safetensors files of a folder, by name; where an index says which file has a tensor, of it."""
    index = folder / INDEX
    places = _places(Config(json_of(index), str(index))) if index.exists() else {}
    found: dict[str, Tensor] = {}
    for name in sorted({*places.values()}) or [WHOLE]:
        path = folder / name
        check_regular(path)
        try:
            with safe_open(path, framework="pt") as file:
                own = [key for key in file.keys() if places.get(key, name) == name]  # noqa: SIM118  # it is no mapping
                found |= {key: file.get_tensor(key) for key in own}
        except FileError:
            raise
        except (OSError, ValueError, SafetensorError) as error:
            raise FileError(what="these weights cannot be read", where=str(path), got=shown_text(str(error))) from None
    return found


def _places(index: Config) -> Mapping[str, str]:
    """In which file of the folder each tensor is."""
    places = index.mapping("weight_map")
    for name in places.values():
        if not isinstance(name, str) or Path(name).name != name or not name.isprintable() or "\\" in name:
            raise FileError(
                what="the index says what is no file of its folder",
                where=index.where,
                expected="the name of a file, such as 'model-00001-of-00002.safetensors'",
                got=shown_text(name),
            )
    if not places:
        raise FileError(what="the index names no files", where=index.where, expected="weight_map")
    index.finish({"metadata"})
    return places


def _speaking(net: Net) -> Net:
    """A net that predicts the next token, with the decoder that matches its encoder."""
    (tokens,) = net.inputs.values()
    return net.with_output(tokens) if isinstance(tokens, Subwords) else net


def _labels(found: Published) -> list[str]:
    """The names of the classes, as many as the last layer has; labels that are equal get their number appended."""
    config, count = found.config, len(found.tensors["classifier.weight"])
    config.refuse("problem_type", "single_label_classification")
    named = config.mapping("id2label") or {str(i): f"LABEL_{i}" for i in range(count)}
    labels = [named.get(str(i)) for i in range(count)]
    if len(named) != count or not all(isinstance(label, str) for label in labels):
        raise FileError(
            what="the configuration does not name the classes",
            where=config.where,
            expected=f"id2label with a text for each of 0 to {count - 1}",
            got=f"{len(named)} entries",
        )
    texts = [str(label) for label in labels]
    return [f"{text} ({i})" if texts.count(text) > 1 else text for i, text in enumerate(texts)]


def _image(found: Published) -> Codec:
    """Pictures as the net was trained on them."""
    (height, width), path = found.config.pair("image_size"), found.folder / PIXELS
    color, channels = found.config.choice("num_channels", {3: ("rgb", 3), 1: ("gray", 1)}, 3)
    said = Config(json_of(path) if path.exists() else {}, str(path))
    for name in ("image_processor_type", "feature_extractor_type"):
        said.refuse(name, *PROCESSORS)
    for name, usual in (("do_resize", True), ("do_center_crop", False), ("do_pad", False)):
        said.refuse(name, usual)
    _check_size(said, height, width)
    mean, deviation = said.numbers("image_mean", channels, 0.5), said.numbers("image_std", channels, 0.5)
    if not said.yes("do_normalize", True):
        mean, deviation = (0.0,) * channels, (1.0,) * channels
    factor = said.number("rescale_factor", 1 / 255)
    light = 255 * (factor if said.yes("do_rescale", True) else 1.0)  # a white pixel before the mean is subtracted
    light = 1.0 if abs(light - 1) < 1e-9 else light
    kept = said.choice("resample", dict(enumerate(FILTERS)), FILTERS.index("bilinear"))
    said.finish(harmless.harmless_names(harmless.PIXELS))
    return Image(
        height,
        width,
        color,
        mean=tuple(value / light for value in mean),
        deviation=tuple(value / light for value in deviation),
        filter=kept,
    )


def _check_size(said: Config, height: int, width: int) -> None:
    """Refuse pictures of another size than the net's, and settings that crop."""
    size = said.plain.get("size")
    if isinstance(size, Mapping):
        group = said.group("size")
        group.refuse("height", height)
        group.refuse("width", width)
        group.finish()
    elif size is not None and said.pair("size") != (height, width):
        said.refuse("size")
