"""Types of instruction sequences: function bodies and constant expressions.

One loop types the common instructions by a look at the top of the operand stack, where a fence closes every block off;
whatever it finds different goes to the instruction's general rule, which knows about unreachable code and words the
error. So the loop is an optimisation only: without it everything would be typed the same.
Source: WebAssembly core specification, appendix "Validation Algorithm" (7.3), section 3.4 (instructions).
Never: recurses; costs more than the bytes read plus the types they name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from contractvm.errors import Invalid, Place
from contractvm.wasm.module import EXTERNREF, FUNCREF, I32, I64, TYPE_NAMES, Code, FuncType, Module
from contractvm.wasm.opcodes import BY_CODE, BY_NAME, OPS
from contractvm.wasm.operands import BLOCK, ELSE, IF, LOOP, UNKNOWN, Operands, type_list, type_name

_CODES = {name: code for code, name in TYPE_NAMES.items()}
_PUSH, _GET, _BINARY, _UNARY, _LOAD, _SET, _TEE, _STORE, _GENERAL = range(9)


def _signature(op_params: tuple[str, ...], op_results: tuple[str, ...]) -> FuncType:
    return FuncType(tuple(_CODES[t] for t in op_params), tuple(_CODES[t] for t in op_results))


_SIGNATURES = MappingProxyType({op.code: _signature(op.params, op.results) for op in OPS if op.sig})


def _row(code: int) -> tuple[int, int, int]:
    op = BY_CODE[code]
    by_name = {"local.get": _GET, "local.set": _SET, "local.tee": _TEE}
    if op.name in by_name:
        return by_name[op.name], 0, 0
    if not op.sig or op.imm not in ("", "i32", "i64", "memarg"):
        return _GENERAL, 0, 0
    params, results = _SIGNATURES[code].params, _SIGNATURES[code].results
    if op.imm == "memarg":
        natural = op.width.bit_length() - 1
        return (_LOAD, natural, results[0]) if results else (_STORE, natural, params[1])
    match len(params), len(results):
        case 0, 1:
            return _PUSH, 0, results[0]
        case 1, 1:
            return _UNARY, params[0], results[0]
        case 2, 1 if params[0] == params[1]:
            return _BINARY, params[0], results[0]
    return _GENERAL, 0, 0


_ROWS: Mapping[int, tuple[int, int, int]] = MappingProxyType({op.code: _row(op.code) for op in OPS})
"""By opcode: the shape of its stack effect; operand type or natural alignment; result or stored type."""


class Checker:
    """Validates the sequences of one module, one after the other.

    `declared` holds the functions that a body may take a reference to; `most_carried` is how many operands branches may
    carry and calls return, over all sequences.
    """

    def __init__(self, module: Module, declared: frozenset[int], most_carried: int) -> None:
        self.module = module
        self.declared = declared
        self.most_carried = most_carried
        self.carried = 0
        self.data_segments = len(module.data) if module.data_count is None else module.data_count
        self.stack = Operands(())
        self.locals: tuple[int, ...] = ()
        self.rules = {BY_NAME[name].code: rule for name, rule in self.named_rules().items()}

    def named_rules(self) -> dict[str, Callable[[Any], None]]:
        """The rules of instructions whose effect depends on immediates or context, each given the immediate."""
        return {
            "unreachable": self.unreachable,
            "block": self.block,
            "loop": self.loop,
            "if": self.if_,
            "else": self.else_,
            "end": self.end,
            "br": self.br,
            "br_if": self.br_if,
            "br_table": self.br_table,
            "return": self.return_,
            "call": self.call,
            "call_indirect": self.call_indirect,
            "return_call": self.return_call,
            "return_call_indirect": self.return_call_indirect,
            "drop": self.drop,
            "select": self.select,
            "select t": self.select_typed,
            "local.get": self.local_get,
            "local.set": self.local_set,
            "local.tee": self.local_tee,
            "global.get": self.global_get,
            "global.set": self.global_set,
            "table.get": self.table_get,
            "table.set": self.table_set,
            "ref.null": self.ref_null,
            "ref.is_null": self.ref_is_null,
            "ref.func": self.ref_func,
            "memory.init": self.memory_init,
            "data.drop": self.data_drop,
            "table.init": self.table_init,
            "elem.drop": self.elem_drop,
            "table.copy": self.table_copy,
            "table.grow": self.table_grow,
            "table.size": self.table_size,
            "table.fill": self.table_fill,
        }

    def check(self, code: Code, locals_: tuple[int, ...], results: tuple[int, ...], function: int | None) -> None:
        """Type a sequence that leaves `results`. Raises: Invalid, naming function, byte and reason."""
        self.stack, self.locals = Operands(results), locals_
        stack = self.stack.types
        rows, count, memory = _ROWS, len(locals_), bool(self.module.memory_types)
        push, pop = stack.append, stack.pop
        imm: Any
        offset: int | None = None
        try:
            for op, imm, offset in zip(code.ops, code.imms, code.offsets, strict=True):  # noqa: B007 (for the except)
                shape, a, r = rows[op]
                if shape == _GET:
                    if imm < count:
                        push(locals_[imm])
                        continue
                elif shape == _PUSH:
                    push(r)
                    continue
                elif shape == _BINARY:
                    if stack[-1] == a and stack[-2] == a:
                        pop()
                        stack[-1] = r
                        continue
                elif shape == _LOAD:
                    if stack[-1] == I32 and imm[0] <= a and memory:
                        stack[-1] = r
                        continue
                elif shape == _SET:
                    if imm < count and stack[-1] == locals_[imm]:
                        pop()
                        continue
                elif shape == _UNARY:
                    if stack[-1] == a:
                        stack[-1] = r
                        continue
                elif shape == _TEE:
                    if imm < count and stack[-1] == locals_[imm]:
                        continue
                elif shape == _STORE and stack[-1] == r and stack[-2] == I32 and imm[0] <= a and memory:
                    pop()
                    pop()
                    continue
                self.general(op, imm)
        except Invalid as error:
            name = self.module.names.get(function) if function is not None else None
            raise Invalid(error.reason, Place(offset, function, name)) from None

    def general(self, op: int, imm: Any) -> None:
        """Apply an instruction's rule in full. Raises: Invalid, without a place."""
        rule = self.rules.get(op)
        if rule is not None:
            rule(imm)
            return
        row = BY_CODE[op]
        if row.imm in ("memarg", "memory", "memory_memory"):
            self.memory()
        if row.imm == "memarg" and 1 << imm[0] > row.width:
            raise Invalid(f"alignment must not be larger than natural: 2^{imm[0]} for {row.name}")
        signature = _SIGNATURES[op]
        self.stack.pop_all(signature.params)
        self.stack.push(signature.results)

    # Blocks and branches.

    def unreachable(self, imm: None) -> None:
        self.stack.abandon()

    def block(self, imm: FuncType) -> None:
        self.stack.open(BLOCK, imm)

    def loop(self, imm: FuncType) -> None:
        self.stack.open(LOOP, imm)

    def if_(self, imm: FuncType) -> None:
        self.stack.pop_all((I32,))
        self.stack.open(IF, imm)

    def else_(self, imm: None) -> None:
        frame = self.stack.close()
        self.stack.push(frame.type.params)
        self.stack.open(ELSE, frame.type)

    def end(self, imm: None) -> None:
        frame = self.stack.close()
        if frame.op == IF and frame.type.params != frame.type.results:
            raise Invalid(f"type mismatch: if without else must leave what it takes, not {frame.type}")
        self.stack.push(frame.type.results)

    def carry(self, operands: int) -> None:
        """Count operands that a branch carries or a call returns."""
        self.carried += operands
        if self.carried > self.most_carried:
            raise Invalid(
                f"too many operands carried by branches and returned by calls: the limit is {self.most_carried}"
            )

    def br(self, imm: int) -> None:
        types = self.stack.label(imm)
        self.carry(len(types))
        self.stack.pop_all(types)
        self.stack.abandon()

    def br_if(self, imm: int) -> None:
        types = self.stack.label(imm)
        self.carry(len(types))
        self.stack.pop_all((I32,))
        self.stack.pop_all(types)
        self.stack.push(types)

    def br_table(self, imm: tuple[int, ...]) -> None:
        self.stack.pop_all((I32,))
        arity = len(self.stack.label(imm[-1]))
        self.carry(arity * len(imm))
        # Labels repeat, and so do their types: each kind once keeps a table's cost to its bytes.
        for types in {self.stack.label(depth) for depth in dict.fromkeys(imm)}:
            if len(types) != arity:
                raise Invalid(f"type mismatch: br_table targets take {arity} and {len(types)} values")
            self.stack.expect(types)
        self.stack.abandon()

    def return_(self, imm: None) -> None:
        self.stack.pop_all(self.stack.results)
        self.stack.abandon()

    # Calls.

    def function_type(self, index: int) -> FuncType:
        if index >= len(self.module.func_types):
            raise Invalid(f"unknown function {index}")
        return self.module.signature(index)

    def indirect_type(self, imm: tuple[int, int]) -> FuncType:
        index, table = imm
        if self.table(table) != FUNCREF:
            raise Invalid(f"type mismatch: table {table} holds externref, an indirect call needs funcref")
        if index >= len(self.module.types):
            raise Invalid(f"unknown type {index}")
        self.stack.pop_all((I32,))
        return self.module.types[index]

    def apply(self, type_: FuncType) -> None:
        self.stack.pop_all(type_.params)
        self.stack.push(type_.results)

    def tail(self, type_: FuncType) -> None:
        results = self.stack.results
        if type_.results != results:
            found = f"{type_list(type_.results)} from the callee"
            raise Invalid(f"type mismatch: tail call must return {type_list(results)}, {found}")
        self.stack.pop_all(type_.params)
        self.stack.abandon()

    def call(self, imm: int) -> None:
        self.call_type(self.function_type(imm))

    def call_indirect(self, imm: tuple[int, int]) -> None:
        self.call_type(self.indirect_type(imm))

    def call_type(self, type_: FuncType) -> None:
        self.carry(len(type_.results))
        self.apply(type_)

    def return_call(self, imm: int) -> None:
        self.tail(self.function_type(imm))

    def return_call_indirect(self, imm: tuple[int, int]) -> None:
        self.tail(self.indirect_type(imm))

    # Values of any type, variables, references.

    def drop(self, imm: None) -> None:
        self.stack.pop_any()

    def select(self, imm: None) -> None:
        self.stack.pop_all((I32,))
        a, b = self.stack.pop_any(), self.stack.pop_any()
        if any(t not in (I32, I64, UNKNOWN) for t in (a, b)) or (a != b and UNKNOWN not in (a, b)):
            raise Invalid(f"type mismatch: select needs two equal numbers, {type_list((b, a))} on the stack")
        self.stack.push((b if a == UNKNOWN else a,))

    def select_typed(self, imm: tuple[int, ...]) -> None:
        if len(imm) != 1:
            raise Invalid(f"invalid result arity: select with {len(imm)} types")
        self.stack.pop_all((imm[0], imm[0], I32))
        self.stack.push((imm[0],))

    def local_type(self, index: int) -> int:
        if index >= len(self.locals):
            raise Invalid(f"unknown local {index}")
        return self.locals[index]

    def local_get(self, imm: int) -> None:
        self.stack.push((self.local_type(imm),))

    def local_set(self, imm: int) -> None:
        self.stack.pop_all((self.local_type(imm),))

    def local_tee(self, imm: int) -> None:
        self.local_set(imm)
        self.local_get(imm)

    def global_get(self, imm: int) -> None:
        if imm >= len(self.module.global_types):
            raise Invalid(f"unknown global {imm}")
        self.stack.push((self.module.global_types[imm].value,))

    def global_set(self, imm: int) -> None:
        if imm >= len(self.module.global_types):
            raise Invalid(f"unknown global {imm}")
        global_ = self.module.global_types[imm]
        if not global_.mutable:
            raise Invalid(f"immutable global {imm}: global is immutable")
        self.stack.pop_all((global_.value,))

    def ref_null(self, imm: int) -> None:
        self.stack.push((imm,))

    def ref_is_null(self, imm: None) -> None:
        found = self.stack.pop_any()
        if found not in (FUNCREF, EXTERNREF, UNKNOWN):
            raise Invalid(f"type mismatch: a reference needed, [{type_name(found)}] on the stack")
        self.stack.push((I32,))

    def ref_func(self, imm: int) -> None:
        self.function_type(imm)
        if imm not in self.declared:
            raise Invalid(f"undeclared function reference: function {imm} is in no segment, export or global")
        self.stack.push((FUNCREF,))

    # Memory and tables.

    def memory(self) -> None:
        if not self.module.memory_types:
            raise Invalid("unknown memory 0")

    def table(self, index: int) -> int:
        """Type of a table's entries."""
        if index >= len(self.module.table_types):
            raise Invalid(f"unknown table {index}")
        return self.module.table_types[index].element

    def segment(self, index: int) -> int:
        """Type of an element segment's entries."""
        if index >= len(self.module.elements):
            raise Invalid(f"unknown elem segment {index}")
        return self.module.elements[index].type

    def data_segment(self, index: int) -> None:
        if index >= self.data_segments:
            raise Invalid(f"unknown data segment {index}")

    def memory_init(self, imm: int) -> None:
        self.memory()
        self.data_segment(imm)
        self.stack.pop_all((I32, I32, I32))

    def data_drop(self, imm: int) -> None:
        self.data_segment(imm)

    def table_get(self, imm: int) -> None:
        self.apply(FuncType((I32,), (self.table(imm),)))

    def table_set(self, imm: int) -> None:
        self.stack.pop_all((I32, self.table(imm)))

    def table_size(self, imm: int) -> None:
        self.table(imm)
        self.stack.push((I32,))

    def table_grow(self, imm: int) -> None:
        self.apply(FuncType((self.table(imm), I32), (I32,)))

    def table_fill(self, imm: int) -> None:
        self.stack.pop_all((I32, self.table(imm), I32))

    def table_init(self, imm: tuple[int, int]) -> None:
        segment, table = imm
        self.same(self.table(table), self.segment(segment))
        self.stack.pop_all((I32, I32, I32))

    def elem_drop(self, imm: int) -> None:
        self.segment(imm)

    def table_copy(self, imm: tuple[int, int]) -> None:
        to, from_ = imm
        self.same(self.table(to), self.table(from_))
        self.stack.pop_all((I32, I32, I32))

    def same(self, want: int, have: int) -> None:
        if want != have:
            raise Invalid(f"type mismatch: {type_name(want)} entries needed, {type_name(have)} given")
