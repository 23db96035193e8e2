"""Valid contracts changed at random: parts of others and odd syntax put in their place.

Source: none; the seeds are every example of docs/language.md. Never: valid on purpose; about a third is.
"""

from __future__ import annotations

import ast
import random
import re
from functools import cache
from pathlib import Path

LANGUAGE = Path(__file__).parents[3] / "docs" / "language.md"

ODD_EXPRESSIONS = """
1.5 | None | ... | lambda: 1 | [x for x in y] | {1} | {} | f"{x}" | x if y else z | (1, 2) | [] | () | -1 | 2**300
b"ab" | "t" | "\\ud800" | self | super() | super().f() | msg | msg.sender | u8 | u8(x) | Map | List[u8] | a.b.c.d
x[0] | x[1:2] | x[::2] | not x | True | unchecked() | emit | Revert("x") | len | range(3) | enumerate([1])
max_value(u8) | bytes32.fromhex("aa") | b"0" * 32 | abi_decode(b"", u8) | Contract | Token.code | x.y()
x.append(1) | x.pop() | x.copy() | x.encode() | x.items() | 1 < 2 < 3 | 1 and 2 | x in y | self.x | self.f
self.f() | try_call(self.f) | keccak256 | chain.id | pow(2, 3) | min() | max([]) | sum([]) | abs(-1) | (yield)
await x | 1 @ 2 | x / 2 | ~1 | +1 | "a" + "b" | 0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045 | f(*x) | f(**x)
(x := 1) | x is y | self.__x | x.__class__ | 10**80
"""

ODD_STATEMENTS = r"""
x = 1 | x: u8 | x: u8 = 1 | x += 1 | x /= 1 | del x | del self.x | pass | assert x | assert x, 1 | raise x | raise
return | return 1 | emit(x) | break | for i in x: pass | for i in range(3): i = 1 | while True: pass
with unchecked(): pass | if x: pass | a, b = 1, 2 | a, b = b, a | a, *b = x | a = b = 1 | self.x = self | self.f()
super().__init__() | x.append(x) | import os | from sdk import u8 | global x | def g(): pass | class Q: pass
x: int = 1 | x: "u8" = 1 | xs: List[u8] = [] | for k, v in self.m.items(): del self.m[k]
for i, x in enumerate(self.x): pass | async def h(): pass | "text" | 1 + 1 | with open(x): pass
for x in y: continue
"""


@cache
def contracts() -> tuple[str, ...]:
    """The examples of the language's page."""
    blocks = re.findall(r"```python\n(.*?)```", LANGUAGE.read_text(), re.S)
    texts = ["\n".join(line for line in block.split("\n") if not line.startswith("#>")) for block in blocks]
    return tuple(text if "sdk import" in text else f"from sdk import *\n{text}" for text in texts)


@cache
def parts() -> tuple[ast.expr, ...]:
    """Every expression of the examples, and the odd ones."""
    found = [node for text in contracts() for node in ast.walk(ast.parse(text)) if isinstance(node, ast.expr)]
    odd = [ast.parse(part.strip(), mode="eval").body for part in re.split(r"[|\n]", ODD_EXPRESSIONS) if part.strip()]
    return (*found, *odd * (len(found) // len(odd)))


@cache
def statements() -> tuple[ast.stmt, ...]:
    return tuple(
        statement
        for part in re.split(r"[|\n]", ODD_STATEMENTS)
        if part.strip()
        for statement in ast.parse(part.strip()).body
    )


class Mutator(ast.NodeTransformer):
    """Replaces parts with a probability."""

    def __init__(self, chance: random.Random, often: float) -> None:
        self.chance = chance
        self.often = often

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt]:
        changed = self.generic_visit(node)
        if self.chance.random() >= self.often:
            return changed
        if isinstance(changed, ast.expr):
            assigned = isinstance(getattr(changed, "ctx", None), ast.Store | ast.Del)
            return changed if assigned and self.chance.random() < 0.7 else self.chance.choice(parts())
        if isinstance(changed, ast.stmt) and not isinstance(changed, ast.ClassDef | ast.FunctionDef):
            other = self.chance.choice(statements())
            return other if self.chance.random() < 0.5 else [changed, other]
        return changed


def mutant(seed: int) -> str:
    """A source; the same for the same seed."""
    chance = random.Random(seed)
    tree = ast.parse(chance.choice(contracts()))
    changed = Mutator(chance, chance.choice([0.01, 0.02, 0.05])).visit(tree)
    assert isinstance(changed, ast.Module)
    text = ast.unparse(ast.fix_missing_locations(changed))
    if chance.random() < 0.1:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice("()[]:,.=\n \"'#@\t\0\\") + text[at + chance.randrange(3) :]
    return text
