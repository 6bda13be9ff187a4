"""Netwright: the neural-network framework in which a net is a value. Here are the public names, and no code."""

from netwright.codecs.array import Array as Array
from netwright.codecs.category import Boolean as Boolean
from netwright.codecs.category import Category as Category
from netwright.codecs.image import Image as Image
from netwright.codecs.reading import entropy as entropy
from netwright.codecs.reading import probabilities as probabilities
from netwright.codecs.reading import raw as raw
from netwright.layers.conv import Conv as Conv
from netwright.layers.linear import Linear as Linear
from netwright.layers.pointwise import Elementwise as Elementwise
from netwright.layers.pointwise import relu as relu
from netwright.layers.pointwise import softmax as softmax
from netwright.layers.pointwise import tanh as tanh
from netwright.layers.pool import MaxPool as MaxPool
from netwright.layers.reshape import Flatten as Flatten
from netwright.net.chain import Chain as Chain
from netwright.net.graph import Graph as Graph
from netwright.net.graph import Input as Input
from netwright.net.part import shared as Shared
