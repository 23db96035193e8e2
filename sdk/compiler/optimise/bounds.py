"""What is known about variables of integer types: between which values they are, and which is not above which.

Source: docs/language.md, "Integers". Never: knows anything of storage or memory, which others may write.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import TypeAlias

from contractvm.dataclass import dataclass
from sdk.compiler import tree
from sdk.compiler.types import Bool, Enum, Int

Range: TypeAlias = tuple[int, int]
LONGEST = (1 << 32) - 1
"""No list, and nothing in memory, is longer."""
NEGATED = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
TURNED = {"eq": "eq", "ne": "ne", "lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}


@dataclass(slots=True)
class Facts:
    """What holds at one point. `order[a, b]`: a is not above b; True: it is below."""

    ranges: dict[tree.Local, Range] = field(default_factory=dict)
    order: dict[tuple[tree.Local, tree.Local], bool] = field(default_factory=dict)

    def copy(self) -> Facts:
        return Facts(dict(self.ranges), dict(self.order))

    def forget(self, locals_: Iterable[tree.Local]) -> None:
        """What held of variables that get another value."""
        gone = set(locals_)
        if gone:
            self.ranges = {local: known for local, known in self.ranges.items() if local not in gone}
            self.order = {
                pair: strict for pair, strict in self.order.items() if pair[0] not in gone and pair[1] not in gone
            }

    def both(self, other: Facts) -> Facts:
        """What holds on either of two ways."""
        ranges = {
            local: (min(known[0], other.ranges[local][0]), max(known[1], other.ranges[local][1]))
            for local, known in self.ranges.items()
            if local in other.ranges
        }
        order = {pair: strict and other.order[pair] for pair, strict in self.order.items() if pair in other.order}
        return Facts(ranges, order)

    def narrow(self, local: tree.Local, low: int, high: int) -> None:
        """Know that a variable is between two values; what cannot be is not believed."""
        before = self.of_local(local)
        if before is not None and max(before[0], low) <= min(before[1], high):
            self.ranges[local] = (max(before[0], low), min(before[1], high))

    def of_local(self, local: tree.Local) -> Range | None:
        if not isinstance(local.type, Int):
            return None
        return self.ranges.get(local, (local.type.low, local.type.high))

    def below(self, one: tree.Local, other: tree.Local) -> bool | None:
        """Whether a variable is not above another (False), or below it (True); None: not known."""
        seen = {one: False}
        waiting = [one]
        while waiting:
            here = waiting.pop()
            for (low, high), strict in self.order.items():
                if low is here and high not in seen:
                    seen[high] = seen[here] or strict
                    waiting.append(high)
        return seen[other] if other in seen and other is not one else None

    def below_something(self, one: tree.Local) -> bool:
        """Whether there is a value of its type above a variable's."""
        return any(low is one and strict for (low, _), strict in self.order.items())

    def range(self, value: tree.Expression) -> Range | None:
        """Between which values an integer is; None for what is none."""
        whole = _whole(value)
        if whole is None:
            return None
        match value:
            case tree.Constant(int(number)):
                return number, number
            case tree.Load(tree.LocalPlace(local)):
                return self.of_local(local)
            case tree.Conditional(_, then, otherwise):
                one, other = self.range(then), self.range(otherwise)
                return whole if one is None or other is None else (min(one[0], other[0]), max(one[1], other[1]))
            case tree.Convert(inner, checked):
                known = self.range(inner)
                if known is None:
                    known = (
                        (0, 1) if isinstance(inner.type, Bool) else (0, 255) if isinstance(inner.type, Enum) else whole
                    )
                return _cut(known, whole) if checked or _within(known, whole) else whole
            case tree.Length():
                return 0, LONGEST
            case tree.Binary(op, left, right, checked):
                made = self.combined(op, left, right)
                if made is None or not (checked or _within(made, whole)):
                    return whole
                return _cut(made, whole)
        return whole

    def combined(self, op: str, left: tree.Expression, right: tree.Expression) -> Range | None:
        """Between which values the exact result of an operator is; None: not known."""
        one, other = self.range(left), self.range(right)
        if one is None or other is None:
            return None
        (a, b), (c, d) = one, other
        match op:
            case "add":
                return a + c, b + d
            case "sub":
                return a - d, b - c
            case "mul":
                corners = (a * c, a * d, b * c, b * d)
                return min(corners), max(corners)
            case "floordiv" if c > 0:
                return min(a // c, a // d), max(b // c, b // d)
            case "mod" if c > 0:
                return (a, b) if a >= 0 and b < c else (0, d - 1)
            case "and" if a >= 0 and c >= 0:
                return 0, min(b, d)
            case "or" | "xor" if a >= 0 and c >= 0:
                return 0, (1 << max(b.bit_length(), d.bit_length())) - 1
            case "shr" if a >= 0:
                return a >> min(d, 256), b >> min(c, 256)
            case "shl" if a >= 0 and d <= 256:
                return a << c, b << d
            case "pow" if a >= 0 and b.bit_length() * d <= 512:
                return (0 if c else min(1, a**c)), max(1, b**d)
        return None

    def learn(self, test: tree.Expression, truth: bool) -> None:
        """What a test says, once it came out so."""
        match test:
            case tree.Unary("not", inner):
                self.learn(inner, not truth)
            case tree.Logical(op, left, right) if (op == "and") is truth:
                self.learn(left, truth)
                self.learn(right, truth)
            case tree.Compare(op, left, right):
                self._compared(op if truth else NEGATED[op], left, right)
            case tree.Chain(first, rest) if truth:
                for op, value in rest:
                    self._compared(op, first, value)
                    first = value

    def _compared(self, op: str, left: tree.Expression, right: tree.Expression) -> None:
        self._bounded(op, left, right)
        self._bounded(TURNED[op], right, left)
        one, other = variable(left), variable(right)
        if one is not None and other is not None and one is not other:
            if op in ("lt", "le", "eq"):
                self.order[one, other] = op == "lt" or self.order.get((one, other), False)
            if op in ("gt", "ge", "eq"):
                self.order[other, one] = op == "gt" or self.order.get((other, one), False)

    def _bounded(self, op: str, left: tree.Expression, right: tree.Expression) -> None:
        """What a comparison says about the variable on its left."""
        local, known = variable(left), self.range(right)
        if local is None or known is None or not isinstance(local.type, Int):
            return
        low, high = known
        match op:
            case "lt":
                self.narrow(local, local.type.low, high - 1)
            case "le":
                self.narrow(local, local.type.low, high)
            case "gt":
                self.narrow(local, low + 1, local.type.high)
            case "ge":
                self.narrow(local, low, local.type.high)
            case "eq":
                self.narrow(local, low, high)
            case "ne" if low == high:
                here = self.of_local(local)
                if here is not None and here[0] == low:
                    self.narrow(local, low + 1, local.type.high)
                elif here is not None and here[1] == low:
                    self.narrow(local, local.type.low, low - 1)


def variable(value: tree.Expression) -> tree.Local | None:
    """The integer variable that an expression is."""
    match value:
        case tree.Load(tree.LocalPlace(local), Int()):
            return local
    return None


def _whole(value: tree.Expression) -> Range | None:
    """The range of a value's type."""
    return (value.type.low, value.type.high) if isinstance(value.type, Int) else None


def _within(one: Range, whole: Range) -> bool:
    return whole[0] <= one[0] and one[1] <= whole[1]


def _cut(one: Range, whole: Range) -> Range:
    low, high = max(one[0], whole[0]), min(one[1], whole[1])
    return (low, high) if low <= high else whole
