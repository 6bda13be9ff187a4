"""The speed of published nets, beside their usual homes: generation with SmolLM2, sentence vectors with MiniLM."""

import argparse
import os
import sys
import tempfile
import warnings
from pathlib import Path

import onnxruntime
import torch
import transformers
from bench.interleave import ALLOCATOR, Row, interleave, timed
from bench.run import Verdict, faster, machine, promises, versions
from bench.workloads import SMOLLM2
from torch import Tensor, nn

import netwright as nw
from netwright.fetch import cache_folder
from netwright.models.pretrained import llama
from netwright.models.pretrained.weights import Config
from netwright.net.run.call import bound_program

RESULTS = Path(__file__).parent / "models.md"
PROMPT, MADE = 128, 32  # tokens read, and tokens made, of every sequence
BATCHES, WORDS = (1, 16), 32  # sequences at once; tokens of each sentence
NEAR = 0.85  # of onnxruntime's speed


def usual_llama(net: nw.Net) -> nn.Module:
    """The net of `transformers` with the weights of ours."""
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SMOLLM2)).eval()
    arrays = net.arrays
    tensors = {place.name: arrays[path] for path, place in llama.llama_table(Config(SMOLLM2, "bench")).items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert missing == ["lm_head.weight"] and not unexpected, (missing, unexpected)
    return model


def generation(net: nw.Net, batch: int, repeats: int) -> list[Row]:
    """Tokens after a prompt, greedy, by both; that they are the same is checked."""
    model, tokens = usual_llama(net), net.inputs["input"]
    text = "It was the best of times, it was the worst of times, it was the age of wisdom. " * 12
    ids = tokens.encode(text)[:PROMPT]
    start = tokens.text_of(ids.tolist())
    assert len(tokens.encode(start)) == PROMPT

    def ours() -> list[list[int]]:
        made = nw.generate(net, [start] * batch, max_elements=MADE)
        return [tokens.encode(str(one.value)).tolist()[PROMPT:] for one in made]

    def theirs() -> list[list[int]]:
        rows = ids.expand(batch, -1)
        with torch.inference_mode():
            made = model.generate(
                rows,
                attention_mask=torch.ones_like(rows),
                max_new_tokens=MADE,
                min_new_tokens=MADE,
                do_sample=False,
                pad_token_id=0,
            )
        return made[:, PROMPT:].tolist()

    assert ours()[0][:16] == theirs()[0][:16]
    return interleave({"transformers": timed(theirs, 1), "netwright": timed(ours, 1)}, repeats, "transformers")


def sentences(net: nw.Net, batch: int, repeats: int) -> list[Row]:
    """BERT's vectors of sentences of one length by MiniLM: the eager plan, torch.compile, onnxruntime."""
    bert = net["tokens"]
    model = transformers.BertModel.from_pretrained(cache_folder() / "models" / "all-minilm-l6-v2").eval()
    ids = torch.randint(1000, 20000, (batch, WORDS))
    session = _exported(model, ids)  # before it is compiled
    plan, name = bert.plan, bert.input_names[0]
    bound, compiled = bound_program(bert, plan, [dict(plan.wiring.outputs)["output"]]), torch.compile(_Last(model))

    def ours() -> Tensor:
        return bound({name: ids})[0]

    def by_compile() -> Tensor:
        return compiled(ids)

    def by_onnx() -> Tensor:
        return torch.from_numpy(session.run(["output"], {"ids": ids.numpy()})[0])

    with torch.no_grad():
        wanted = model(ids).last_hidden_state
        for call in (ours, by_compile, by_onnx):
            torch.testing.assert_close(call(), wanted, rtol=1e-4, atol=1e-4)
        calls = 128 // batch
        racing = {"compile": by_compile, "onnxruntime": by_onnx, "netwright": ours}
        return interleave({name: timed(call, calls) for name, call in racing.items()}, repeats, "compile")


class _Last(nn.Module):
    """The vectors alone: what is exported has tensors in and tensors out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        return self.model(ids).last_hidden_state


def _exported(model: nn.Module, ids: Tensor) -> onnxruntime.InferenceSession:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "minilm.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing, which is meant
            torch.onnx.export(
                _Last(model).eval(), (ids,), path, input_names=["ids"], output_names=["output"], dynamo=False
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


def main() -> None:
    """Measure, write the results, and say them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--date", required=True, help="of the run, as it shall stand in the results")
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    where, verdicts = machine(), list[Verdict]()
    speaker, reader = nw.pretrained("smollm2-135m-instruct"), nw.pretrained("all-minilm-l6-v2")
    for batch in BATCHES:
        rows = {row.name: row for row in generation(speaker, batch, args.repeats)}
        verdicts.append(faster(f"SmolLM2, {batch} at once", rows["netwright"], "transformers", 1.0))
    for batch in BATCHES:
        rows = {row.name: row for row in sentences(reader, batch, args.repeats)}
        ours, name = rows["netwright"], f"MiniLM, {batch} sentences"
        verdicts.append(faster(name, ours, "torch.compile", 1.0))
        verdicts.append(faster(name, ours.beside(rows["onnxruntime"]), "onnxruntime", NEAR))
    lines = [
        "# The speed of published nets, measured",
        "",
        f"Written by `make bench-models` on {args.date}. Machine: {where}. {versions()}.",
        "",
        "Speeds beside those of others with the same weights, in float32 and with as many threads: medians of",
        f"{args.repeats} rounds in which all took turns, with the lowest and highest. SmolLM2 reads {PROMPT} tokens",
        f"and makes {MADE}, greedily; MiniLM's BERT reads sentences of {WORDS} tokens. A promise is met by the median",
        "where the median keeps it and some round does not.",
        "",
        *promises(verdicts),
    ]
    text = "\n".join(lines) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    # read by the C library at its start alone; threads are not bound, as those of onnxruntime would be bound with them
    settings = {name: value for name, value in ALLOCATOR.items() if not name.startswith("OMP")}
    if not settings.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, "-m", "bench.models", *sys.argv[1:]], os.environ | settings)
    main()
