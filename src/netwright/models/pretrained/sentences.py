"""Turns a net that gives a vector for every token into one that gives a vector for the text, of length 1."""

from netwright.layers.pointwise import Elementwise, square
from netwright.layers.reduce import Mean, Sum
from netwright.net.graph import Graph, Input
from netwright.net.part import Net


def sentence_net(tokens: Net) -> Graph:
    """The mean over the tokens of a net's output, brought to length 1, so that a product of two is their cosine.

    Source: Reimers and Gurevych 2019, arXiv 1908.10084
    """
    x = Input("input")
    unit = Graph(x * Elementwise("rsqrt")(Sum(-1)(square(x))))
    first = f"tokens.{tokens.output_names[0]}"  # a body may have a second output, a vector for the text
    return Graph(tokens=(tokens, "input"), mean=(Mean(0), first), unit=(unit, "mean"), input=tokens.inputs["input"])
