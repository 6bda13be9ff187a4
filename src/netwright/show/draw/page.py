"""Makes a drawing a page that answers: containers open, parts are searched, options and arrays are shown.

Without its script the page is the picture. It loads nothing: style, script, the pictures of all containers and what is
known of each part are in it. The pictures of equal containers are in it once.
"""

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from netwright.net.node import Node
from netwright.net.part import Net
from netwright.net.plan.container import ContainerNode
from netwright.net.plan.plan import Plan, shape_text
from netwright.show.draw.contents import contents
from netwright.show.draw.picture import NetPicture, inside_of, view_of
from netwright.show.parts import drawn_places, part_text, sizes_text

HERE = Path(__file__).parent
BAR = (
    '<div class="nw-bar"><input type="search" placeholder="Search a part" aria-label="Search a part"> '
    '<button type="button">Fold all</button><div class="nw-hits"></div>'
    '<div class="nw-about" aria-live="polite"></div></div>'
)
DOCUMENT = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">'
    "<style>body{{margin:0 auto;padding:10px;max-width:1160px;background:Canvas}}</style></head>"
    "<body>{body}</body></html>\n"
)


def page(net: Net, wide: NetPicture, narrow: NetPicture) -> str:
    """The part of a page that shows the drawing: in a wide place the first picture, in a narrow one the second."""
    texts: dict[str, int] = {}  # each picture of a container once, under its number
    inside: dict[str, list[int]] = {}
    same: list[tuple[str, str]] = []
    views = [view_of(net.plan, one.width_asked) for one in (wide, narrow)]
    for path, part in _containers(net, net.plan, "", same, whole=True):
        pair = [inside_of(view, part, path, one.width_asked) for view, one in zip(views, (wide, narrow), strict=True)]
        inside[path] = [texts.setdefault(text, len(texts)) for text in pair]
    known = {"parts": _parts(net), "inside": inside, "same": same}
    facts = json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    templates = "".join(f"<template>{text}</template>" for text in texts)
    css, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return (
        f'<div class="nw-drawing"><style>{css}</style>{BAR}<div class="nw-picture">'
        f'<div class="nw-wide">{wide.svg}</div><div class="nw-narrow">{narrow.svg}</div></div>{templates}'
        f'<script type="application/json">{facts}</script><script>{script}</script></div>'
    )


def document(title: str, body: str) -> str:
    """A whole page around it."""
    return DOCUMENT.format(title=html.escape(title), body=body)


def _containers(
    node: Node, plan: Plan, path: str, same: list[tuple[str, str]], *, whole: bool
) -> Iterator[tuple[str, ContainerNode]]:
    """The containers that pictures show closed, at any depth; into `same` go the paths that another one stands for."""
    for one in contents(node, plan, path, whole=whole).parts:
        same += [(copy, one.path) for copy in one.alike[1:]]
        if isinstance(one.part, ContainerNode):
            if one.path:
                yield one.path, one.part
            yield from _containers(one.part, plan, one.path, same, whole=False)


def _parts(net: Net) -> dict[str, dict[str, Any]]:
    """What is said of each part: its options, the sizes it gives, and its arrays."""
    plan = net.plan
    arrays = {path: _statistics(array) for path, array in net.held.arrays.items()}
    steps = {step.path: step for step in plan.steps}
    found: dict[str, dict[str, Any]] = {}
    for place in drawn_places(net):
        path, step = place.path or place.name, steps.get(place.path)
        own = {} if step is None else step.arrays
        lines = [
            [name, shape_text(plan.arrays[at].shape), *arrays.get(at, ("", "", "", ""))] for name, at in own.items()
        ]
        text = part_text(place.part) if isinstance(place.part, ContainerNode) else repr(place.part)
        found[path] = {"text": text, "sizes": sizes_text(plan, place.slots), "arrays": lines}
    return found


def _statistics(array: Tensor) -> tuple[str, ...]:
    """Mean, standard deviation, least and greatest of an array, with three digits."""
    values = array.detach().to(dtype=torch.float32, device="cpu")
    if not values.numel():
        return ("", "", "", "")
    spread, mean = torch.std_mean(values, correction=0)
    return tuple(f"{float(number):.3g}" for number in (mean, spread, values.min(), values.max()))
