"""Graphs of nets, laid out by Graphviz's `dot`: how often its edges cross and how much room it needs.

The numbers are in tests/show/draw/dot.json. They are written anew by `python tests/dot_oracle.py` in an environment
with pygraphviz, whose wheel brings Graphviz along.
"""

import importlib
import itertools
import json
import random
from pathlib import Path

import netwright as nw
from netwright.show.draw.items import BRANCH_GAP, Edge, Item
from netwright.show.draw.scene import Scene, View


def translator() -> nw.Net:
    source, target = nw.Input("source", nw.Characters("ab")), nw.Input("target", nw.Characters("ab", length="m"))
    memory, state = nw.Embedding(8)(source), nw.Embedding(8)(target)
    for _ in range(2):
        memory = nw.encoder_block(8, 2)(memory)
    for _ in range(2):
        state = nw.decoder_block(8, 2, memory=True)(nw.LayerNorm()(state), memory)
    return nw.Graph(nw.Linear()(state))


def u_net() -> nw.Net:
    x, skips = nw.Input("input", (16, 16, 3)), []
    for _ in range(4):
        x = nw.relu(nw.Conv(4, 3, padding="same")(x))
        skips.append(x)
        x = nw.MaxPool(3, padding=1, stride=1)(x)
    for skip in reversed(skips):
        x = nw.relu(nw.Conv(4, 3, padding="same")(nw.Concatenate()(skip, x)))
    return nw.Graph(nw.Conv(2, 1)(x))


def many_ports() -> nw.Net:
    a, b, c, d, e = (nw.Input(name, 8) for name in ("age", "price", "picture", "text", "sound"))
    left, right = nw.Linear(8)(nw.Concatenate()(a, b)), nw.Linear(8)(nw.Concatenate()(c, d))
    joint = nw.relu(nw.Concatenate()(left, right, e))
    return nw.Graph({"label": nw.softmax(nw.Linear(3)(joint)), "value": nw.tanh(joint), "again": nw.Linear(8)(right)})


def inception() -> nw.Net:
    net: nw.Net = nw.bn_inception(range(10))
    while container := next((call.name for call in net.level.calls if isinstance(call.part, nw.Container)), ""):
        net = nw.flatten(net, container)
    return net


def wired_at_random(seed: int, count: int) -> nw.Net:
    """Each part reads one or two of the eight values before it."""
    draws = random.Random(seed)
    values = [nw.Input("input", 4)]
    for _ in range(count):
        read = draws.sample(values[-8:], min(len(values), draws.choice([1, 1, 2])))
        values.append(nw.Linear(4)(read[0]) if len(read) == 1 else nw.Add()(*read))
    return nw.Graph(nw.Concatenate()(*values[-8:]))


GRAPHS = {
    "translator": translator(),
    "u_net": u_net(),
    "many_ports": many_ports(),
    "inception": inception(),
    "random_20": wired_at_random(1, 20),
    "random_40": wired_at_random(2, 40),
}


def level(net: nw.Net) -> tuple[list[Item], list[Edge]]:
    """The items and edges of the picture of a net whose containers are closed."""
    scene = Scene(View(net.plan, down=False, marks={}), net, "", 1, 1e9, whole=True, framed=False)
    return scene._items(), list(scene.edges)


def crossings(routes: list[list[tuple[float, float]]]) -> int:
    """How often lines cross, but for those that begin or end together."""
    found = 0
    for one, other in itertools.combinations(routes, 2):
        if one[0] == other[0] or one[-1] == other[-1]:
            continue
        found += any(_meet(*a, *b) for a in itertools.pairwise(one) for b in itertools.pairwise(other))
    return found


def _meet(a, b, c, d) -> bool:
    def side(p, q, r) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def measured(net: nw.Net) -> dict[str, float]:
    items, edges = level(net)
    graph = importlib.import_module("pygraphviz").AGraph(directed=True, strict=False)
    graph.graph_attr.update(rankdir="LR", nodesep=str(BRANCH_GAP / 72), ranksep="0.7")
    for item in items:
        graph.add_node(item.key, shape="box", fixedsize=True, width=item.along / 72, height=item.across / 72)
    for edge in edges:
        graph.add_edge(edge.start, edge.end, tailport="e", headport="w")
    graph.layout("dot")
    routes = []
    for drawn in graph.edges():
        knots = [tuple(map(float, p.split(","))) for p in drawn.attr["pos"].removeprefix("e,").split()]
        knots = knots[1:] + knots[:1]  # the arrow's tip is said first
        routes.append([round_ends(knots, i) for i in range(len(knots))])
    high = float(graph.graph_attr["bb"].split(",")[3])
    return {"items": len(items), "edges": len(edges), "crossings": crossings(routes), "across": round(high)}


def round_ends(knots, i: int) -> tuple[float, float]:
    return tuple(round(x) for x in knots[i]) if i in (0, len(knots) - 1) else knots[i]


if __name__ == "__main__":
    version = importlib.import_module("pygraphviz").__version__
    found = {name: measured(net) for name, net in GRAPHS.items()}
    place = Path(__file__).parent / "show" / "draw" / "dot.json"
    written = {"made by": f"tests/dot_oracle.py with pygraphviz {version}", "graphs": found}
    place.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
