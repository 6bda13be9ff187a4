"""Vectors of sentences: the mean of a text's own tokens, of length 1, whatever it is padded with."""

import torch

import netwright as nw
from netwright.models.pretrained.sentences import sentence_net


def test_the_mean_of_its_own_tokens() -> None:
    x = nw.Input("input", nw.Array("n <9>"))
    tokens = nw.initialize(nw.Graph({"output": nw.Embedding(4)(x), "pooled": nw.First()(nw.Embedding(4)(x))}))
    net = sentence_net(tokens)
    examples = [torch.tensor([1, 2, 3]), torch.tensor([4])]
    weight = tokens.arrays["embedding1/weight"]
    for example, found in zip(examples, net(examples), strict=True):
        mean = weight[example].mean(0)
        torch.testing.assert_close(found, mean / mean.norm())
