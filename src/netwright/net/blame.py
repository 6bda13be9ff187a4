"""Turns the solver's mismatches into errors that blame the part able to mend them, with mends that were tried."""

from contextvars import ContextVar

from netwright.errors import Fault, SizeError
from netwright.net.node import Node
from netwright.net.plan import plan_of, shape_text
from netwright.net.solve import Mismatch

probing: ContextVar[bool] = ContextVar("probing", default=False)
"""Whether nets are built only to see whether they fit: then a fault is not explained."""


def explained(node: Node) -> SizeError:
    """The error that tells every fault of a net."""
    return SizeError.of([_fault(node, mismatch) for mismatch in plan_of(node).solution.mismatches])


def _fault(node: Node, mismatch: Mismatch) -> Fault:
    solver = plan_of(node).solution.solver
    where = mismatch.op.path if mismatch.op else f"output {mismatch.port}"
    if mismatch.sentence is not None:
        unfit = mismatch.sentence
        return Fault(what=unfit.what, where=where, expected=unfit.expected, got=unfit.got)
    return Fault(
        what="the sizes do not agree",
        where=where,
        expected=shape_text(solver.shape(mismatch.expected)),
        got=shape_text(solver.shape(mismatch.got)),
    )
