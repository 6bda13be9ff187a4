"""The speed of nets that see and hear, in use, beside torch, torch.compile and onnxruntime: writes perception.md."""

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import transformers
from bench.interleave import ALLOCATOR, Row, interleave, timed
from bench.perception_nets import CrepeTiny, Lite0, whisper_state
from bench.run import Verdict, cost, faster, machine, promises, versions
from torch import Tensor, nn

import netwright as nw
from netwright.models.pretrained.weights import filled_arrays
from netwright.models.sound.crepe import UNREAD, WINDOW, crepe_net, crepe_table
from netwright.models.sound.whisper import BANDS, FRAMES, WhisperSizes, whisper_net
from netwright.net.run.call import bound_program

RESULTS = Path(__file__).with_name("perception.md")
ORACLES = Path(__file__).parents[1] / ".venv-oracles" / "bin" / "python"
HOUR = 3600  # seconds of the sound whose spectrogram is made
PEER = Path(__file__).with_name("mel_peers.py")


def racing(
    net: nw.Net, module: nn.Module, ours: Tensor, theirs: Tensor, calls: int, repeats: int, *others: str
) -> dict[str, Row]:
    """Netwright's plan beside torch, and beside others that are named; all give the same numbers.

    The module has its own input, such as a picture with channels first.
    """
    module.eval()
    bound = bound_program(net, net.plan, [slot for _, slot in net.plan.wiring.outputs])
    name = net.input_names[0]
    candidates: dict[str, Callable[[], Tensor]] = {
        "eager": lambda: module(theirs),
        "netwright": lambda: bound({name: ours})[0],
    }
    if "onnxruntime" in others:
        session = exported(module, theirs)
        candidates["onnxruntime"] = lambda: torch.from_numpy(session.run(["y"], {"x": theirs.numpy()})[0])
    if "compile" in others:
        torch._inductor.config.freezing = True
        compiled = torch.compile(module)
        candidates["compile"] = lambda: compiled(theirs)
    with torch.no_grad():
        wanted = module(theirs)
        for call in candidates.values():
            torch.testing.assert_close(call(), wanted, rtol=1e-3, atol=1e-4)
        turns = {name: timed(call, calls) for name, call in candidates.items()}
        return {row.name: row for row in interleave(turns, repeats, "eager")}


def exported(module: nn.Module, x: Tensor) -> onnxruntime.InferenceSession:
    """The module in onnxruntime, with as many threads."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing, which is meant
        path = Path(folder) / "net.onnx"
        torch.onnx.export(module, (x,), path, input_names=["x"], output_names=["y"], dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


def pictures(repeats: int) -> list[Verdict]:
    """EfficientNet-Lite0 on one picture and on 32."""
    module = Lite0()
    net = nw.efficientnet("lite0", weights=module.state_dict()).with_input((224, 224, 3))
    found: list[Verdict] = []
    for batch, calls in ((1, 20), (32, 1)):
        x = torch.randn(batch, 3, 224, 224)
        rows = racing(net, module, x.permute(0, 2, 3, 1).contiguous(), x, calls, repeats, "compile", "onnxruntime")
        ours, name = rows["netwright"], f"EfficientNet-Lite0, {batch} at once"
        found.append(faster(name, ours, "eager", 1.7 if batch == 1 else 1.3))
        if batch == 1:
            found.append(cost(name, [ours, ours.beside(rows["compile"])], "frozen torch.compile", 1.1))
        found.append(shown(name, ours.beside(rows["onnxruntime"]), "onnxruntime"))
    return found


def sounds(repeats: int) -> list[Verdict]:
    """CREPE on ten seconds, and the encoder of Whisper on its thirty."""
    module = CrepeTiny()
    gains = {"norm.weight": torch.full((WINDOW,), ((WINDOW - 1) / WINDOW) ** 0.5), "norm.bias": torch.zeros(WINDOW)}
    crepe = filled_arrays(crepe_net(), {**module.state_dict(), **gains}, crepe_table(), UNREAD, "bench")
    frames = torch.randn(1, 1001, WINDOW)
    rows = racing(crepe.with_input(("n", WINDOW)), module, frames, frames, 1, repeats)
    found = [faster("CREPE tiny, 10 s", rows["netwright"], "eager", 1.0)]
    encoder = whisper_net(nw.Characters("abc"), WhisperSizes())["encoder"].with_input((FRAMES + 1, BANDS))
    encoder = nw.initialize(encoder, seed=0)
    theirs, heard = WhisperEncoder(encoder), torch.randn(1, FRAMES + 1, BANDS)
    rows = racing(encoder, theirs, heard, heard[:, :FRAMES].transpose(1, 2).contiguous(), 1, repeats)
    return [*found, faster("Whisper tiny's encoder, 30 s", rows["netwright"], "eager", 1.0)]


class WhisperEncoder(nn.Module):
    """The encoder of `transformers` with the weights of ours."""

    def __init__(self, net: nw.Net) -> None:
        super().__init__()
        sizes = WhisperSizes()
        self.net = transformers.WhisperModel(
            transformers.WhisperConfig(
                d_model=sizes.width,
                encoder_layers=sizes.blocks,
                encoder_attention_heads=sizes.heads,
                encoder_ffn_dim=4 * sizes.width,
                decoder_layers=1,
                vocab_size=60_000,
            )
        ).encoder
        self.net.load_state_dict(whisper_state(net.arrays, sizes.blocks))

    def forward(self, heard: Tensor) -> Tensor:
        return self.net(heard).last_hidden_state


class Peer:
    """Another library in the environment of the oracles, called like a function."""

    def __init__(self, name: str, wave: Path) -> None:
        command = [str(ORACLES), str(PEER), name, str(wave), str(torch.get_num_threads())]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", name

    def __call__(self) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def spectrograms(repeats: int) -> list[Verdict]:
    """The mel spectrogram of an hour; nothing where the environment of the oracles is not there (`make oracles`)."""
    if not ORACLES.exists():
        return []
    wave = np.random.default_rng(0).standard_normal(16000 * HOUR).astype(np.float32)
    codec = nw.Mel(16000, 80, unit="power", window=400, hop=160)
    with tempfile.TemporaryDirectory() as folder:
        np.save(place := Path(folder) / "wave.npy", wave)
        peers = {name: Peer(name, place) for name in ("librosa", "torchaudio")}
        try:
            rows = {
                row.name: row
                for row in interleave(
                    {**peers, "netwright": timed(lambda: codec.prepare(codec.encode(wave)[None]), 1)},
                    repeats,
                    "librosa",
                )
            }
        finally:
            for peer in peers.values():
                peer.process.communicate()
    ours, name = rows["netwright"], "mel spectrogram of an hour"
    beside = [cost(name, [ours, ours.beside(rows["librosa"])], "librosa", 1.5)]
    return [*beside, faster(name, ours.beside(rows["torchaudio"]), "torchaudio", 1.0)]


def shown(name: str, row: Row, of: str) -> Verdict:
    """A speed of which nothing is promised."""
    return Verdict(name, f"{row.ratio:.2f} × {of}", f"{row.lowest:.2f}-{row.highest:.2f}", "–", True, True)


def main() -> None:
    """Measure, write the results, and say them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True, help="of the run, as it shall stand in the results")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    where = machine()
    verdicts = [*pictures(args.repeats), *sounds(args.repeats), *spectrograms(args.repeats)]
    lines = [
        "# The speed of nets that see and hear, measured",
        "",
        f"Written by `make bench` on {args.date}. Machine: {where}. {versions()}.",
        "",
        f"Medians of {args.repeats} rounds in which all took turns, with the lowest and highest; the same weights, in",
        "float32, and as many threads. A promise is met by the median where the median keeps it and some round does",
        "not. How fast ResNet-18 and a U-Net are trained is in breadth.md.",
        "",
        *promises(verdicts),
    ]
    text = "\n".join(lines) + "\n"
    args.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    # read by the C library at its start alone; threads are not bound, as those of onnxruntime would be bound with them
    settings = {name: value for name, value in ALLOCATOR.items() if not name.startswith("OMP")}
    if not settings.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, "-m", "bench.perception", *sys.argv[1:]], os.environ | settings)
    main()
