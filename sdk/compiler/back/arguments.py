"""Arguments of events, errors and calls: evaluated in the source's order, kept in wasm locals until they are encoded.

Never: encodes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from sdk.compiler.back.abi_encode import Parts
from sdk.compiler.back.operand import Held
from sdk.compiler.back.writer import Writer
from sdk.compiler.tree import Expression, Load, LocalPlace


class Lasting(ExitStack):
    """Locals that keep what they have while statements run, which may assign variables."""


def operand(w: Writer, node: Expression, held: ExitStack) -> tuple[int, ...]:
    """An expression's slots in locals: a variable's own, because no expression assigns one."""
    if isinstance(node, Load) and isinstance(node.place, LocalPlace) and not isinstance(held, Lasting):
        return w.variable(node.place.local)
    return held.enter_context(w.value(node))


def evaluated(w: Writer, nodes: Sequence[Expression], held: ExitStack, order: Sequence[int] = ()) -> Parts:
    """Evaluate expressions in an order (none: as they stand); their types and places as they stand."""
    places = {index: operand(w, nodes[index], held) for index in order or range(len(nodes))}
    return [(node.type, Held(places[index])) for index, node in enumerate(nodes)]
