"""Makes pairs for symbolic integration: random expressions and their derivatives, as tokens of prefix trees.

An expression is drawn and differentiated. A net reads the derivative, and its target is the expression without its
added constant, since the derivative does not tell the constant. A derivative can be written in many ways. SymPy gives
it a canonical form, and two pairs with the same form of the derivative are duplicates, of which one is kept. So no
derivative is in two parts of the data.
"""

import random
from collections.abc import Iterator, Sequence

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol, cos, exp, log, sin

X = Symbol("x")
FUNCTIONS = {"sin": sin, "cos": cos, "exp": exp, "log": log}
LARGEST = 20  # whole numbers that have a token, with either sign
LONGEST = 40  # tokens of either side
NUMBERS = [str(n) for n in range(-LARGEST, LARGEST + 1)]

ARITY = {"add": 2, "mul": 2, "pow": 2, "div": 2, **dict.fromkeys(FUNCTIONS, 1), "x": 0, **dict.fromkeys(NUMBERS, 0)}
"""Every token and how many expressions follow it. `div` is a fraction of two whole numbers."""


def drawn(draw: random.Random, depth: int) -> Expr:
    """A random expression: sums, products and quotients of simple ones, at most `depth` operations deep."""
    if depth == 0 or draw.random() < 0.2:
        simple = draw.choice(["x", "number", "power", *FUNCTIONS])
        if simple == "number":
            return Integer(draw.randint(1, 5))
        if simple == "power":
            return X ** draw.choice([2, 3])
        return X if simple == "x" else FUNCTIONS[simple](X)
    left, right = drawn(draw, depth - 1), drawn(draw, depth - 1)
    kind = draw.choice(["add", "multiply", "divide"])
    return left + right if kind == "add" else left * right if kind == "multiply" else left / right


def prefix(expression: Expr) -> list[str]:
    """The tokens of an expression, an operator before its arguments.

    Raises: ValueError for a number without a token, and for a function that is not in `FUNCTIONS`.
    """
    if expression == X:
        return ["x"]
    if isinstance(expression, Integer):
        if str(expression) not in ARITY:
            raise ValueError(f"no token for {expression}")
        return [str(expression)]
    if isinstance(expression, Rational):
        return ["div", *prefix(Integer(expression.p)), *prefix(Integer(expression.q))]
    for kind, name in ((Add, "add"), (Mul, "mul")):
        if isinstance(expression, kind):
            first, *rest = expression.as_ordered_terms() if kind is Add else expression.as_ordered_factors()
            return [name, *prefix(first), *prefix(kind(*rest))]
    if isinstance(expression, exp):
        return ["exp", *prefix(expression.args[0])]
    if isinstance(expression, Pow):
        return ["pow", *prefix(expression.base), *prefix(expression.exp)]
    name = type(expression).__name__
    if name not in FUNCTIONS:
        raise ValueError(f"no token for {name}")
    return [name, *prefix(expression.args[0])]


def parsed(tokens: Sequence[str]) -> Expr:
    """The expression of prefix tokens.

    Raises: ValueError for tokens that are not exactly one expression.
    """
    rest = iter(tokens)
    found = _next(rest)
    if next(rest, None) is not None:
        raise ValueError("more than one expression")
    return found


def _next(tokens: Iterator[str]) -> Expr:
    token = next(tokens, None)
    if token is None:
        raise ValueError("an expression is missing")
    if token == "x":
        return X
    if token in FUNCTIONS:
        return FUNCTIONS[token](_next(tokens))
    if token in ("add", "mul", "pow", "div"):
        left, right = _next(tokens), _next(tokens)
        return {"add": left + right, "mul": left * right, "pow": left**right, "div": left / right}[token]
    if token not in ARITY:
        raise ValueError(f"no token {token!r}")
    return Integer(token)


def pairs(count: int, depth: int = 2, seed: int = 0) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """`count` pairs (derivative, expression) with different derivatives, neither side longer than `LONGEST` tokens."""
    draw = random.Random(seed)
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    tried: set[Expr] = set()  # differentiating is most of the work, so it is done once for each expression
    while len(found) < count:
        expression = drawn(draw, draw.randint(1, depth)).as_coeff_Add()[1]  # without the added constant
        if expression in tried or not expression.has(X):
            continue
        tried.add(expression)
        derivative = sympy.diff(expression, X)
        if derivative.has(sympy.zoo, sympy.nan):
            continue
        try:
            source, target = tuple(prefix(derivative)), tuple(prefix(expression))
        except ValueError:
            continue
        if max(len(source), len(target)) <= LONGEST and source not in found:
            found[source] = target
    made = list(found.items())
    draw.shuffle(made)
    return made


def right(derivative: Sequence[str], answer: Sequence[str], points: Sequence[float] = (0.31, 0.77, 1.4, 2.3)) -> bool:
    """Whether the derivative of the answer equals the given derivative, compared at some points."""
    try:
        wanted, found = parsed(derivative), sympy.diff(parsed(answer), X)
        for point in points:
            one, other = complex(wanted.subs(X, point)), complex(found.subs(X, point))
            if not abs(one - other) <= 1e-6 * (1 + abs(one)):
                return False
    except (ValueError, TypeError, ZeroDivisionError, OverflowError):
        return False
    return True
