"""Where paths of control meet: operands carried to a label's slots, returns, and the choice of `br_table`.

Shared by both forms of control flow of the portable tier. Never: knows how a jump is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contractvm.wasm.pybody import Body
from contractvm.wasm.pyvalue import Value, bracketed
from contractvm.wasm.sections import LOOP, Control

LINEAR_CASES = 4


def parameters_to_slots(body: Body, control: Control) -> None:
    """Put a construct's parameters where every way in, or both arms, find them."""
    types = control.type.params
    if types:
        assign(body, control.height, body.pops(len(types)), types)
        body.reset(control.height, types)


def carry(body: Body, control: Control) -> None:
    """Assign the operands that a branch to `control` takes from the top of the stack, which stays as it is."""
    types = control.type.params if control.kind == LOOP else control.type.results
    if types:
        assign(body, control.height, body.stack[len(body.stack) - len(types) :], types)


def fall_through(body: Body, control: Control) -> None:
    """Leave a construct's results in their slots at its end."""
    body.settle_traps()
    results = control.type.results
    assign(body, control.height, body.pops(len(results)), results)


def assign(body: Body, height: int, values: Sequence[Value], types: Sequence[int]) -> None:
    """Assign values to the slots from `height` on, all at once."""
    pairs = []
    for n, (value, type_) in enumerate(zip(values, types, strict=True)):
        name, text = f"s{height + n}", bracketed(body.canonical(value, type_).text)
        if name != text:
            pairs.append((name, text))
    if pairs:
        body.emit(f"{', '.join(p[0] for p in pairs)} = {', '.join(p[1] for p in pairs)}")


def return_from(body: Body) -> None:
    body.settle_traps()
    return_values(body)


def return_values(body: Body) -> None:
    """Return the operands on top: None, one value, or a tuple."""
    types = body.type.results
    values = body.stack[len(body.stack) - len(types) :] if types else []
    texts = [bracketed(body.canonical(value, t).text) for value, t in zip(values, types, strict=True)]
    body.emit(f"return {', '.join(texts)}" if texts else "return None")


def cases(body: Body, targets: tuple[int, ...], low: int, high: int, jump: Callable[[int], None]) -> None:
    """Emit the choice among targets[low..high] by `q`, which is at least `low`; the last target takes all above."""
    if all(targets[n] == targets[low] for n in range(low, high + 1)):
        jump(targets[low])
        return
    indent = body.indent
    if high - low < LINEAR_CASES:
        for n in range(low, high):
            body.open(f"if q == {n}:")
            jump(targets[n])
            body.close(indent)
        jump(targets[high])
        return
    middle = (low + high + 1) // 2
    body.open(f"if q < {middle}:")
    cases(body, targets, low, middle - 1, jump)
    body.close(indent)
    cases(body, targets, middle, high, jump)
