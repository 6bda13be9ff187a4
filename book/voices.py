"""Words said by programs, for the page about sound, and words that sound a little different each time they are read.

`sung` makes words of tones. They stand in for speech in the quick form of the page, which needs no program and no
download.
"""

import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from recordings import RATE, Said, spoken

from netwright.fetch import cache_folder

ESPEAK = (
    ("en-us", 50, 160), ("en-us+f1", 55, 150), ("en-us+f2", 45, 170), ("en-us+f3", 60, 140), ("en-us+f4", 70, 165),
    ("en-us+f5", 50, 155), ("en-us+m2", 35, 150), ("en-us+m3", 45, 175), ("en-us+m4", 55, 145), ("en-us+m7", 40, 160),
    ("en-us+Annie", 60, 150), ("en-us+linda", 55, 160), ("en-us+steph", 50, 145), ("en-us+belinda", 45, 155),
    ("en-gb", 50, 155), ("en-gb+f2", 65, 150), ("en-gb-x-rp+f4", 50, 165), ("en-gb-scotland", 45, 150),
    ("en-us-nyc+f1", 60, 155), ("en-us+klatt2", 50, 150),
)  # fmt: skip
"""The voices of eSpeak NG that are learned from: the voice and its variant, pitch (0 to 99), words a minute."""
FLITE = ("kal", "awb")
NEW_FLITE = ("rms", "slt")
"""The voices of Flite that are learned from, and those that are only tested."""


def made(texts: Sequence[str], voices: Sequence[str | tuple[str, int, int]]) -> list[Said]:
    """Every text said by every voice of eSpeak NG, a tuple as in `ESPEAK`, or of Flite, a name.

    What a program has said is kept beside the data sets that were fetched.

    Raises: FileNotFoundError where a program is not installed.
    """
    wanted = [(text, voice) for voice in voices for text in texts]
    with ThreadPoolExecutor(2) as pool:
        return [*pool.map(_said, *zip(*wanted, strict=True))]


def sung(texts: Sequence[str], speaker: str, pitch: float = 1.0) -> list[Said]:
    """Every text as tones, one for each letter; the pitch of all of them is that of the speaker."""
    draw = np.random.default_rng(0)
    found: list[Said] = []
    for text in texts:
        tones: list[NDArray[np.float64]] = []
        for letter in text:
            seconds = np.arange(draw.integers(500, 900)) / RATE
            hertz = 300 * pitch * 2 ** ((ord(letter) - ord("a")) / 9)
            tones += [np.sin(2 * np.pi * hertz * seconds) * np.hanning(len(seconds)), np.zeros(200)]
        found.append(spoken(speaker, text, (np.concatenate(tones), RATE)))
    return found


def _said(text: str, voice: str | tuple[str, int, int]) -> Said:
    """A text said by a voice."""
    name = voice if isinstance(voice, str) else "-".join(map(str, voice))
    file = cache_folder() / "sounds" / "made" / name / f"{text}.wav"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        spare = file.with_suffix(".new")
        if isinstance(voice, str):
            command = [_program("flite"), "-voice", voice, "-t", text, "-o", str(spare)]
        else:
            variant, pitch, rate = voice
            command = [_program("espeak-ng"), "-v", variant, "-p", f"{pitch}", "-s", f"{rate}", "-w", str(spare), text]
        subprocess.run(command, check=True, capture_output=True)
        spare.replace(file)
    return spoken(name, text, str(file))


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"the program {name} is not installed: apt-get install {name}")
    return found


class Varied(Sequence[tuple[NDArray[np.float32], str]]):
    """Pairs of a wave and its text, in which a wave sounds a little different each time it is read.

    It is played faster or slower, which also moves its pitch and its resonances, silence comes before and after it,
    noise is added, and half of the times a piece of it is nearly silent, so that no sound of a word is needed.

    Args:
        examples: what is said; one that stands twice is read twice in an epoch.
        seed: of the random numbers.
    """

    def __init__(self, examples: Sequence[Said], seed: int = 0) -> None:
        self.examples, self.draw = examples, np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], str]:
        one = self.examples[index]
        return varied(one.wave, self.draw), one.text


def varied(wave: NDArray[np.float32], draw: np.random.Generator) -> NDArray[np.float32]:
    """A wave at another speed, between silences, with noise, and sometimes with a gap."""
    places = np.arange(0, len(wave) - 1, draw.uniform(0.8, 1.25))
    faster = np.interp(places, np.arange(len(wave)), wave)
    if draw.random() < 0.5:
        length = int(draw.integers(RATE // 40, RATE // 12))
        start = int(draw.integers(0, max(len(faster) - length, 1)))
        faster[start : start + length] *= 0.03
    before, after = draw.integers(0, RATE // 8, 2)
    whole = np.concatenate([np.zeros(before), faster, np.zeros(after)])
    noise = 10 ** (-draw.uniform(10, 45) / 20) * np.sqrt((wave**2).mean())
    return (whole + noise * draw.normal(size=len(whole))).astype(np.float32)
