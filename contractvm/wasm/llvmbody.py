"""One wasm function as one LLVM function: operands as SSA values, locals and what joins merge as stack slots.

Facts hold at a label if they held where its block began, since memory never shrinks and that point is passed on every
way.

Gas: each run subtracts its cost from a register and branches to a cold block when that is negative. At checkpoints,
the function's entry, loop heads and the way back from calls, the register is refilled from the context unless it holds
all that the runs up to the next checkpoint can cost; so only a checkpoint's cold path comes back.
Source: WebAssembly core specification, section 4.4. Never: an instruction outside the table.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from contractvm.native.context import OUT_OF_GAS, STACK, UNREACHABLE, WORD
from contractvm.native.glue import COLD, TYPES, failed, result_type
from contractvm.wasm import llvmops
from contractvm.wasm.llvmlayout import kinds
from contractvm.wasm.llvmmemory import Memory
from contractvm.wasm.llvmmodule import ModuleFacts
from contractvm.wasm.llvmvalues import MOST_FACTS, Facts, Open, Value
from contractvm.wasm.opcodes import BY_CODE
from contractvm.wasm.sections import BLOCK, BR, BR_IF, BR_TABLE, ELSE, END, IF, LOOP, RETURN, Control, Run


class Body(Memory):
    """Translates one function; `text` is the result."""

    def __init__(self, module: ModuleFacts, index: int) -> None:
        super().__init__(module, index)
        self.unsure: int | None = None
        """What to tell `rt.trap` if the call just made has failed, while nobody has looked."""
        self.loop_writes = self._loop_writes()
        self.after = self._costs_after()

    # What is known before the translation.

    def _loop_writes(self) -> dict[int, int]:
        """The locals that each loop writes, as bits, by the instruction that begins it."""
        found: dict[int, int] = {}
        open_: list[list[int]] = []
        ops, imms = self.function.code.ops, self.function.code.imms
        for i, op in enumerate(ops):
            if op == BLOCK or op == LOOP or op == IF:
                open_.append([i, 0])
            elif op == END:
                if open_:
                    start, written = open_.pop()
                    if ops[start] == LOOP:
                        found[start] = written
                    if open_:
                        open_[-1][1] |= written
            elif (op == 0x21 or op == 0x22) and open_:
                open_[-1][1] |= 1 << int(imms[i])  # type: ignore[call-overload]
        return found

    def _costs_after(self) -> dict[int, int]:
        """The most that runs behind each run can cost before a checkpoint is passed: all that stand behind it."""
        total, found = 0, {}
        for run in reversed(self.plan.runs):
            found[run.start] = total
            total += run.cost
        return found

    # Text.

    def text(self) -> str:
        """The LLVM function."""
        self._prologue()
        ops, imms, live = self.function.code.ops, self.function.code.imms, self.plan.live
        for i, op in enumerate(ops):
            self.at = i
            if op == END:
                self._end(i)
            elif op == ELSE:
                self._else(i)
            elif live[i]:
                run = self.plan.run_at.get(i)
                if run is not None:
                    self._charge(run, checkpoint=self._is_checkpoint(i))
                self._instruction(i, op, imms[i])
        self.settle()
        parameters = ["ptr noalias nonnull swiftself %ctx", "i64 %gas", "i64 %weight"]
        given = self.types[: min(len(self.type.params), self.module.layout.arguments)]
        parameters += [f"{t} %p{n}" for n, t in enumerate(given)]
        name = f"{self.module.cc} {result_type(self.results)} @f{self.index}"
        tail = [
            "trap:",
            " %word = load i64, ptr %tw",
            " %trapgas = load i64, ptr %g",
            f" call void @rt.trap(ptr %ctx, i64 %trapgas, i64 %word, i64 {self.index})",
            f" ret {failed(self.results)}",
            "}\n",
        ]
        return "\n".join(
            [
                f"define internal {name}({', '.join(parameters)}) #0 {{",
                "entry:",
                *self.slots,
                *self.out,
                *self.cold,
                *tail,
            ]
        )

    def _prologue(self) -> None:
        self.slots += [" %g = alloca i64", " %tw = alloca i64"]
        self.do("store i64 %gas, ptr %g")
        self.gas = "%gas"
        self.trap_if(self.value(f"icmp slt i64 %weight, {self.plan.weight}"), STACK, entry=True)
        self.do(f"%sp = sub i64 %weight, {self.plan.weight}")
        for n, type_ in enumerate(self.types):
            self.slots.append(f" %l{n} = alloca {type_}")
            given = self._given(n, type_) if n < len(self.type.params) else "0"
            self.do(f"store {type_} {given}, ptr %l{n}")
            self.facts.locals[n] = given
            if n >= MOST_FACTS:
                del self.facts.locals[n]
        if self.module.uses_memory[self.index]:
            self.slots += [" %mb = alloca ptr", " %ms = alloca i64"]
            self.load_memory()
        self.open.append(Open(0, self.plan.controls[0], Facts(), self._new_slots(self.type.results), []))

    def _given(self, n: int, type_: str) -> str:
        """The value of a parameter: an argument, or what the caller left in the context."""
        layout = self.module.layout
        further = n - layout.arguments
        return f"%p{n}" if further < 0 else self.get(layout.operands + WORD * further, type_)

    def _new_slots(self, types: Sequence[int]) -> list[str]:
        return [self.slot(TYPES[kind]) for kind in kinds(tuple(types))]

    # Gas and traps.

    def _is_checkpoint(self, i: int) -> bool:
        return i == 0 or self.function.code.ops[i - 1] in self.module.checkpoints

    def _charge(self, run: Run, checkpoint: bool) -> None:
        """Begin a run: pay for it, refilling the register first where the function may go on for long."""
        self.settle()
        if not run.cost and not checkpoint:
            return
        gas = self.gas_register()
        left = self.value(f"sub i64 {gas}, {run.cost}") if run.cost else gas
        self.do(f"store i64 {left}, ptr %g")
        if not checkpoint:
            self.trap_if(self.value(f"icmp slt i64 {left}, 0"), OUT_OF_GAS)
            self.gas = left
            return
        ahead = self.after[run.start]
        low, go = f"low{run.start}", f"go{run.start}"
        self.do(f"br i1 {self.value(f'icmp slt i64 {left}, {ahead}')}, label %{low}, label %{go}, {COLD}")
        self.cold.append(f"{low}:")
        if self.unsure is not None:
            # The call before the run may have failed: looked at here, where it costs nothing when it did not.
            word, self.unsure = self.unsure, None
            call_failed, failed_, fill = self.name(), f"failed{run.start}", f"fill{run.start}"
            self.cold += [
                f" {call_failed} = icmp slt i64 {gas}, 0",
                f" br i1 {call_failed}, label %{failed_}, label %{fill}",
                f"{failed_}:",
                f" store i64 {word}, ptr %tw",
                " br label %trap",
                f"{fill}:",
            ]
        filled, empty = self.name(), self.name()
        self.cold += [
            f" {filled} = call preserve_mostcc i64 @rt.refill(ptr %ctx, i64 {left}, i64 {ahead})",
            f" store i64 {filled}, ptr %g",
            f" store i64 {self._word(0, run.start)}, ptr %tw",
            f" {empty} = icmp slt i64 {filled}, 0",
            f" br i1 {empty}, label %trap, label %{go}",
        ]
        self.label(go)
        self.gas = None

    def returned(self, gas: str) -> None:
        """Go on with the gas that a call left, unless it failed."""
        after = self.at + 1
        if (
            after in self.plan.run_at
            and self.function.code.ops[after] not in (END, ELSE)
            and self._is_checkpoint(after)
        ):
            self.unsure = self._word(0, self.at)
            self.gas = gas
        else:
            self._refill(gas)

    def _refill(self, gas: str) -> None:
        """Look at a call's gas where no run begins behind it: the next one may lie behind a label and not look."""
        self.do(f"store i64 {gas}, ptr %g")
        later = bisect_right(self.plan.runs, self.at, key=lambda run: run.start)
        ahead = 0
        if later < len(self.plan.runs):
            ahead = self.plan.runs[later].cost + self.after[self.plan.runs[later].start]
        if not ahead:
            self.trap_if(self.value(f"icmp slt i64 {gas}, 0"), 0)
            self.gas = gas
            return
        low, fill, go = (f"{name}.{self.at}" for name in ("low", "fill", "go"))
        self.do(f"br i1 {self.value(f'icmp slt i64 {gas}, {ahead}')}, label %{low}, label %{go}, {COLD}")
        call_failed, filled, interrupted = self.name(), self.name(), self.name()
        self.cold += [
            f"{low}:",
            f" store i64 {self._word(0, self.at)}, ptr %tw",
            f" {call_failed} = icmp slt i64 {gas}, 0",
            f" br i1 {call_failed}, label %trap, label %{fill}",
            f"{fill}:",
            f" {filled} = call preserve_mostcc i64 @rt.refill(ptr %ctx, i64 {gas}, i64 {ahead})",
            f" store i64 {filled}, ptr %g",
            f" {interrupted} = icmp slt i64 {filled}, 0",
            f" br i1 {interrupted}, label %trap, label %{go}",
        ]
        self.label(go)
        self.gas = None

    # Control.

    def _label(self, name: str, opened: Open) -> None:
        """Start code that can be reached from several places; what is known is what was known at the block's start."""
        self.label(name)
        self.facts = opened.facts.copy()
        self._forget(opened.written)
        self._unknown()

    def _unknown(self) -> None:
        self.gas = None
        if self.grows:
            self.base = self.size = None

    def _forget(self, written: int) -> None:
        if written:
            locals_ = self.facts.locals
            for n in [n for n in locals_ if written >> n & 1]:
                del locals_[n]

    def _open(self, i: int, op: int) -> None:
        number = self.plan.opens[i]
        control = self.plan.controls[number]
        parameters: list[Value] = []
        slots: list[str] = []
        if op == IF:
            condition = self.condition()
        count = len(control.type.params)
        if op == LOOP:
            if control.label:
                slots = self._new_slots(control.type.params)
                values = self.take(count)
                self.store_all(values, slots, control.type.params)
            self.do(f"br label %b{number}")
            self.label(f"b{number}")
            written = self.loop_writes.get(i, 0)
            self._forget(written)
            self._unknown()
            if control.label:
                self._load_all(slots, control.type.params)
        else:
            if control.label or op == IF:
                slots = self._new_slots(control.type.results)
            if op == IF:
                parameters = self._settled(count)
                other = f"e{number}" if control.middle >= 0 else f"s{number}"
                self.do(f"br i1 {condition}, label %i{number}, label %{other}")
                self.label(f"i{number}")
        self.open.append(Open(number, control, self.facts.copy(), slots, parameters))

    def _settled(self, count: int) -> list[Value]:
        """The top values as numbers, left where they are."""
        values = self.take(count)
        control = self.plan.controls[self.plan.opens[self.at]]
        for value, kind in zip(values, kinds(control.type.params), strict=True):
            self.push(value, TYPES[kind])
        return self.stack[len(self.stack) - count :]

    def store_all(self, values: Sequence[str], slots: Sequence[str], types: Sequence[int]) -> None:
        for value, slot, kind in zip(values, slots, kinds(tuple(types)), strict=True):
            self.do(f"store {TYPES[kind]} {value}, ptr {slot}")

    def _load_all(self, slots: Sequence[str], types: Sequence[int]) -> None:
        for slot, kind in zip(slots, kinds(tuple(types)), strict=True):
            self.push(self.value(f"load {TYPES[kind]}, ptr {slot}"), TYPES[kind])

    def _else(self, i: int) -> None:
        number = self.plan.opens[i]
        if not self.open or self.open[-1].number != number:
            return  # of an `if` that cannot be reached
        opened = self.open[-1]
        if self.plan.live[i]:
            values = self.take(len(opened.control.type.results))
            self.store_all(values, opened.slots, opened.control.type.results)
            self.do(f"br label %b{number}")
        del self.stack[opened.control.height :]
        self.label(f"e{number}")
        self.facts = opened.facts.copy()
        self._unknown()
        self.stack += opened.parameters

    def _end(self, i: int) -> None:
        number = self.plan.opens[i]
        if not self.open or self.open[-1].number != number:
            return  # of a block that cannot be reached
        opened = self.open.pop()
        control, live = opened.control, self.plan.live[i]
        results = control.type.results
        run = self.plan.run_at.get(i)
        if live and run is not None:
            self._charge(run, checkpoint=self._is_checkpoint(i))
        if self.open:
            self.open[-1].written |= opened.written
        if control.start < 0:
            self._return(opened, live)
            return
        if control.kind == LOOP or (control.kind == BLOCK and not control.label):
            if not live:
                del self.stack[control.height :]
            return
        if live:
            self.store_all(self.take(len(results)), opened.slots, results)
            self.do(f"br label %b{number}")
        del self.stack[control.height :]
        if control.kind == IF and control.middle < 0:
            self.label(f"s{number}")
            self.store_all([self.number(*value) for value in opened.parameters], opened.slots, results)
            self.do(f"br label %b{number}")
        if live or control.label or (control.kind == IF and self._if_joins(control)):
            self._label(f"b{number}", opened)
            self._load_all(opened.slots, results)

    def _if_joins(self, control: Control) -> bool:
        """Whether the end of an `if` is reached by the arm before `else`, or by having no `else`."""
        return control.middle < 0 or self.plan.live[control.middle]

    def _return(self, opened: Open, live: bool) -> None:
        """The function's end: what falls through and what branches there."""
        results = self.type.results
        if live:
            values = self.take(len(results))
            if not opened.control.label:
                self.leave(values)
                return
            self.store_all(values, opened.slots, results)
            self.do("br label %b0")
        if not opened.control.label:
            return
        self._label("b0", opened)
        self.stack.clear()
        self._load_all(opened.slots, results)
        self.leave(self.take(len(results)))

    def leave(self, values: Sequence[str]) -> None:
        """Return from the function."""
        gas = self.gas_register()
        for n, (value, kind) in enumerate(zip(values[1:], self.results[1:], strict=True), 1):
            wide = value if kind != "i" else self.value(f"zext i32 {value} to i64")
            self.set(self.module.layout.results + 8 * n, wide)
        if not values:
            self.do(f"ret i64 {gas}")
            return
        type_ = result_type(self.results)
        pair = self.value(f"insertvalue {type_} poison, i64 {gas}, 0")
        self.do(f"ret {type_} {self.value(f'insertvalue {type_} {pair}, {TYPES[self.results[0]]} {values[0]}, 1')}")

    def _target(self, depth: int) -> Open:
        return self.open[-1 - depth]

    def carry(self, opened: Open, values: Sequence[str]) -> None:
        """Put what a branch carries where its target looks for it."""
        control = opened.control
        self.store_all(values, opened.slots, control.type.params if control.kind == LOOP else control.type.results)

    def _branch(self, op: int, imm: Any) -> None:
        if op == RETURN:
            self.leave(self.take(len(self.type.results)))
            return
        if op == BR:
            target = self._target(imm)
            self.carry(target, self.take(target.control.arity))
            self.do(f"br label %b{target.number}")
            return
        if op == BR_IF:
            condition, target = self.condition(), self._target(imm)
            count = target.control.arity
            if count:
                values = self.take(count)
                self.carry(target, values)
                control = target.control
                types = control.type.params if control.kind == LOOP else control.type.results
                for value, kind in zip(values, kinds(types), strict=True):
                    self.push(value, TYPES[kind])
            go = f"n{self.at}"
            self.do(f"br i1 {condition}, label %b{target.number}, label %{go}")
            self.label(go)
            return
        chosen = self.pop()
        targets = [self._target(depth) for depth in imm]
        values = self.take(targets[-1].control.arity)
        for target in {t.number: t for t in targets}.values():
            self.carry(target, values)
        default = targets[-1].number
        rows = " ".join(f"i32 {n}, label %b{t.number}" for n, t in enumerate(targets[:-1]) if t.number != default)
        self.do(f"switch i32 {chosen}, label %b{default} [{rows}]")

    # Instructions.

    def _instruction(self, i: int, op: int, imm: Any) -> None:
        if op == BLOCK or op == LOOP or op == IF:
            self._open(i, op)
        elif op == BR or op == BR_IF or op == BR_TABLE or op == RETURN:
            self._branch(op, imm)
        else:
            row = BY_CODE[op]
            name = row.name
            if row.imm == "memarg":
                self.access(row.name, row.width, bool(row.results), imm[1])
            elif name in llvmops.BINARY:
                b, a = self.pop(), self.pop()
                self.push(llvmops.BINARY[name](self, a, b), name[:3])
            elif name in llvmops.UNARY:
                conversion, type_ = llvmops.UNARY[name]
                self.push(conversion(self, self.pop()), type_)
            elif name in llvmops.WIDE:
                for half in llvmops.wide(self, name, self.take(len(row.params))):
                    self.push(half, "i64")
            elif name[4:] in llvmops.COMPARISONS:
                b, a = self.pop(), self.pop()
                self.push(self.value(f"icmp {llvmops.COMPARISONS[name[4:]]} {name[:3]} {a}, {b}"), "i1")
            elif name[4:] == "eqz":
                self.eqz(name[:3])
            else:
                self.module.lower[name](self, imm)

    def fail(self) -> None:
        """`unreachable`: trap, always."""
        self.do(f"store i64 {self._word(UNREACHABLE, self.at)}, ptr %tw")
        self.do("br label %trap")
