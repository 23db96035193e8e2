"""LLVM IR of the instructions that are more than arithmetic: calls, variables, references, bulk and table operations.

Calls between compiled functions are direct; a call through a table that nobody changes compares the type and jumps; all
else, and every failing case of it, calls a method of the instance, so that its meaning, traps and prices exist once.
Source: WebAssembly core specification, sections 4.4.4 to 4.4.8. Never: pure arithmetic, or control within a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from contractvm.native.context import MEMORY as TRAP_MEMORY
from contractvm.native.context import TAIL_CALL, WORD
from contractvm.native.glue import TYPES, Lines, function, result_type
from contractvm.wasm import llvmops
from contractvm.wasm.compiled import DynamicPrices
from contractvm.wasm.flat import INSTANCE_METHODS
from contractvm.wasm.llvmbody import Body
from contractvm.wasm.llvmlayout import FUNCTION, kinds
from contractvm.wasm.module import FuncType

_RESULTS: Final = MappingProxyType({"memory_grow": "i", "table_get": "r", "table_size": "i", "table_grow": "i"})
_OPERANDS: Final = MappingProxyType(
    {"table_set": "ir", "table_grow": "ri", "table_fill": "iri", "memory_grow": "i", "table_get": "i", "table_size": ""}
)
"""Kinds of operands; every other method takes i32s."""


def _call(body: Body, index: int) -> None:
    module = body.module.compiled.module
    type_ = module.signature(index)
    operands = body.take(len(type_.params))
    if index < module.imported_functions:
        _finish(body, type_, _import(body, index, type_, operands, "%sp"))
        _grown(body, index)
        return
    if index in body.module.layout.leaving:
        _finish(body, type_, _by_python(body, "reenter", type_, operands, (index,), "%sp"))
        _grown(body, index)
        return
    _finish(
        body, type_, body.value(f"call {body.module.cc} {_application(body, f'@f{index}', type_, operands, '%sp')}")
    )
    _grown(body, index)


def _import(body: Body, index: int, type_: FuncType, operands: Sequence[str], weight: str) -> str:
    """Call a function of the host, or of another instance."""
    reading = body.module.readings.get(index)
    if reading is not None:
        return body.value(reading.call(body.gas_register(), operands))
    mode = "host" if body.module.compiled.rules.contract else "weight"
    callout = body.module.callout(kinds(type_.params), kinds(type_.results), mode)
    callee = body.get(body.module.layout.imports + WORD * index, "ptr")
    return body.value(callout.call(body.gas_register(), weight, callee, operands, ()))


def _application(body: Body, callee: str, type_: FuncType, operands: Sequence[str], weight: str) -> str:
    """A compiled function applied to operands, without the word `call`; it must be called next.

    Those that are no arguments are left in the context, where its first instructions find them.
    """
    layout = body.module.layout
    typed = [(TYPES[k], operand) for k, operand in zip(kinds(type_.params), operands, strict=True)]
    gas = body.gas_register()
    for n, (kind, operand) in enumerate(typed[layout.arguments :]):
        body.set(layout.operands + WORD * n, operand, kind)
    given = [f"{kind} {operand}" for kind, operand in typed[: layout.arguments]]
    arguments = ["ptr swiftself %ctx", f"i64 {gas}", f"i64 {weight}", *given]
    return f"{result_type(kinds(type_.results))} {callee}({', '.join(arguments)})"


def _finish(body: Body, type_: FuncType, got: str) -> None:
    """Take a call's gas and push its results."""
    results = kinds(type_.results)
    gas = body.value(f"extractvalue {result_type(results)} {got}, 0") if results else got
    body.returned(gas)
    if results:
        body.push(body.value(f"extractvalue {result_type(results)} {got}, 1"), TYPES[results[0]])
    for n, kind in enumerate(results[1:], 1):
        body.push(body.narrow(body.get(body.module.layout.results + WORD * n), kind), TYPES[kind])


def _grown(body: Body, callee: int | None) -> None:
    """Look at memory again if what was called may have made it grow."""
    if body.grows and (callee is None or body.module.grows[callee]):
        body.load_memory()


def _return_call(body: Body, index: int) -> None:
    module = body.module.compiled.module
    type_ = module.signature(index)
    operands = body.take(len(type_.params))
    if index < module.imported_functions:
        if body.index in body.module.layout.leaving:
            _return(body, _by_python(body, "leave", type_, operands, (index,), "%weight"))
        else:
            _return(body, _import(body, index, type_, operands, "%weight"))
        return
    text = _application(body, f"@f{index}", type_, operands, "%weight")
    _return_value(body, body.value(f"musttail call {body.module.cc} {text}"))


def _return(body: Body, got: str) -> None:
    """Return what a call returned, noting this frame if it failed."""
    gas = body.value(f"extractvalue {result_type(body.results)} {got}, 0") if body.results else got
    body.trap_if(body.value(f"icmp slt i64 {gas}, 0"), 0, flags=TAIL_CALL)
    _return_value(body, got)


def _return_value(body: Body, got: str) -> None:
    body.do(f"ret {result_type(body.results)} {got}")


def _indirect(body: Body, imm: tuple[int, int], tail: bool = False) -> None:
    """Call an entry of a table: at once if the table is part of the object and the entry is what is wanted."""
    index, table = imm
    facts = body.module
    type_ = facts.compiled.module.types[index]
    at = body.pop()
    operands = body.take(len(type_.params))
    weight = "%weight" if tail else "%sp"
    entries = facts.layout.tables.get(table)
    how = "leave_indirect" if tail and body.index in facts.layout.leaving else "indirect"
    if not entries:
        got = _slow(body, how, imm, type_, operands, at, weight)
        if tail:
            _return(body, got)
        else:
            _finish(body, type_, got)
            _grown(body, None)
        return
    n = body.at
    results = result_type(kinds(type_.results))
    gas = body.gas_register()
    row = "{ptr, i64}"
    wide = body.value(f"zext i32 {at} to i64")
    body.do(f"br i1 {body.value(f'icmp ult i64 {wide}, {len(entries)}')}, label %in{n}, label %slow{n}")
    body.label(f"in{n}")
    entry = body.value(f"getelementptr [{len(entries)} x {row}], ptr @table.{table}, i64 0, i64 {wide}")
    key = body.value(
        f"load i64, ptr {body.value(f'getelementptr {row}, ptr {entry}, i64 0, i32 1')}, !invariant.load !5"
    )
    body.do(f"br i1 {body.value(f'icmp eq i64 {key}, {facts.types[type_]}')}, label %fast{n}, label %slow{n}")
    body.label(f"fast{n}")
    callee = body.value(f"load ptr, ptr {entry}, !invariant.load !5")
    text = _application(body, callee, type_, operands, weight)
    if tail:
        _return_value(body, body.value(f"musttail call {facts.cc} {text}"))
    else:
        fast = body.value(f"call {facts.cc} {text}")
        body.do(f"br label %called{n}")
    body.label(f"slow{n}")
    body.gas = gas
    slow = _slow(body, how, imm, type_, operands, at, weight)
    if tail:
        _return(body, slow)
        return
    body.do(f"br label %called{n}")
    body.label(f"called{n}")
    _finish(body, type_, body.value(f"phi {results} [{fast}, %fast{n}], [{slow}, %slow{n}]"))
    _grown(body, None)


def _slow(
    body: Body, how: str, imm: tuple[int, int], type_: FuncType, operands: Sequence[str], at: str, weight: str
) -> str:
    """Let Python find the function, or the trap."""
    callout = body.module.callout(kinds(type_.params) + "i", kinds(type_.results), "weight", constants=2)
    return body.value(callout.call(body.gas_register(), weight, body.get(how, "ptr"), [*operands, at], imm))


def _by_python(
    body: Body, how: str, type_: FuncType, operands: Sequence[str], constants: tuple[int, ...], weight: str
) -> str:
    """Let Python make a call of a known function."""
    callout = body.module.callout(kinds(type_.params), kinds(type_.results), "weight", len(constants))
    return body.value(callout.call(body.gas_register(), weight, body.get(how, "ptr"), operands, constants))


def _method(body: Body, imm: Any, name: str) -> None:
    """An instruction that is a method of the instance."""
    method, count, immediates = INSTANCE_METHODS[name]
    given = tuple(immediates(imm))
    results = _RESULTS.get(method, "")
    callout = body.module.callout(_OPERANDS.get(method, "i" * count), results, "plain", len(given))
    callee = body.get(body.module.layout.effects[method], "ptr")
    operands = body.take(count)
    got = body.value(callout.call(body.gas_register(), "0", callee, operands, given))
    body.returned(body.value(f"extractvalue {result_type(results)} {got}, 0") if results else got)
    if results:
        body.push(body.value(f"extractvalue {result_type(results)} {got}, 1"), TYPES[results])
    if method == "memory_grow":
        body.load_memory()


def _ref_func(body: Body, index: int) -> None:
    callout = body.module.callout("", "r", "quiet", 1)
    callee = body.get(body.module.layout.effects[FUNCTION], "ptr")
    gas = body.gas_register()
    got = body.value(callout.call(gas, "0", callee, (), (index,)))
    failed = body.value(f"icmp slt i64 {body.value(f'extractvalue {{i64, i64}} {got}, 0')}, 0")
    body.trap_if(failed, 0)
    body.push(body.value(f"extractvalue {{i64, i64}} {got}, 1"), "i64")


def _bulk(body: Body, imm: None, name: str) -> None:
    """`memory.copy` and `memory.fill`."""
    operands = ", ".join(f"i32 {operand}" for operand in body.take(3))
    body.returned(body.value(f"call fastcc i64 @rt.{name}(ptr %ctx, i64 {body.gas_register()}, {operands})"))


def _global_get(body: Body, index: int) -> None:
    place = body.module.layout.globals[index]
    type_ = TYPES[place.kind]
    if not place.cell:
        body.push(body.get(place.at, type_), type_)
        return
    wide = body.value(f"call i64 @rt.cell.get.{'r' if place.kind == 'r' else 'I'}(ptr %ctx, i64 {place.at})")
    body.push(body.narrow(wide, place.kind), type_)


def _global_set(body: Body, index: int) -> None:
    place = body.module.layout.globals[index]
    value = body.pop()
    if not place.cell:
        body.set(place.at, value, TYPES[place.kind])
        return
    wide = body.value(f"zext i32 {value} to i64") if place.kind == "i" else value
    body.do(f"call void @rt.cell.set.{'r' if place.kind == 'r' else 'I'}(ptr %ctx, i64 {place.at}, i64 {wide})")


def _select(body: Body, imm: object) -> None:
    condition = body.condition()
    other, type_ = body.stack[-1]
    if type_ == "i1":
        type_ = "i32"
    other, first = body.pop(), body.pop()
    body.push(body.value(f"select i1 {condition}, {type_} {first}, {type_} {other}"), type_)


def _memory_size(body: Body, imm: object) -> None:
    _, size = body.memory()
    body.push(body.value(f"trunc i64 {body.value(f'lshr i64 {size}, 16')} to i32"), "i32")


def _tee(body: Body, n: int) -> None:
    body.stack.append((body.pop(), body.types[n]))
    value = body.stack[-1]
    body.local_set(n)
    body.stack.append(value)


def _lowerings() -> dict[str, Callable[[Body, Any], None]]:
    table: dict[str, Callable[[Body, Any], None]] = {name: partial(_method, name=name) for name in INSTANCE_METHODS}
    table |= {name: partial(_bulk, name=name) for name in ("memory.copy", "memory.fill")}
    table |= {
        "unreachable": lambda body, imm: body.fail(),
        "nop": lambda body, imm: None,
        "drop": lambda body, imm: body.drop(),
        "select": _select,
        "select t": _select,
        "local.get": lambda body, imm: body.local_get(imm),
        "local.set": lambda body, imm: body.local_set(imm),
        "local.tee": _tee,
        "global.get": _global_get,
        "global.set": _global_set,
        "i32.const": lambda body, imm: body.push(llvmops.literal(imm, 32), "i32"),
        "i64.const": lambda body, imm: body.push(llvmops.literal(imm, 64), "i64"),
        "memory.size": _memory_size,
        "call": _call,
        "call_indirect": _indirect,
        "return_call": _return_call,
        "return_call_indirect": partial(_indirect, tail=True),
        "ref.null": lambda body, imm: body.push("0", "i64"),
        "ref.is_null": lambda body, imm: body.eqz("i64"),
        "ref.func": _ref_func,
    }
    return table


LOWER: Final[Mapping[str, Callable[[Body, Any], None]]] = MappingProxyType(_lowerings())


def runtime(prices: DynamicPrices) -> str:
    """Functions that bodies call: bulk memory operations with their prices, globals in cells."""
    return "\n".join(
        [
            _bulk_function("memory.copy", "memmove", prices),
            _bulk_function("memory.fill", "memset", prices),
            *(_cell_get(kind) for kind in "Ir"),
            *(_cell_set(kind) for kind in "Ir"),
        ]
    )


def _bulk_function(name: str, libc: str, prices: DynamicPrices) -> str:
    """`(ctx, gas, to, source or value, count)`: charged from the operands first, then checked, then done."""
    f = Lines()
    f.label("entry")
    count, to = f.value("zext i32 %n to i64"), f.value("zext i32 %a to i64")
    left = f.value(f"sub i64 %gas, {f.value(f'mul i64 {count}, {prices.byte}')}")
    f.unlikely(f.value(f"icmp slt i64 {left}, 0"), "low", "paid0")
    f.do("br label %paid")
    f.label("low")
    filled = f.value(f"call preserve_mostcc i64 @rt.refill(ptr %ctx, i64 {left}, i64 0)")
    f.unlikely(f.value(f"icmp slt i64 {filled}, 0"), "empty", "paid1")
    f.do("br label %paid")
    f.label("empty")
    f.do(f"ret i64 {filled}")
    f.label("paid")
    f.out.append(f" %left = phi i64 [{left}, %paid0], [{filled}, %paid1]")
    size, base = f.get("size"), f.get("base", "ptr")
    beyond = f.value(f"icmp ugt i64 {f.value(f'add i64 {to}, {count}')}, {size}")
    target = f.value(f"getelementptr i8, ptr {base}, i64 {to}")
    if libc == "memmove":
        source = f.value("zext i32 %b to i64")
        beyond_too = f.value(f"icmp ugt i64 {f.value(f'add i64 {source}, {count}')}, {size}")
        beyond = f.value(f"or i1 {beyond}, {beyond_too}")
        second = f"ptr {f.value(f'getelementptr i8, ptr {base}, i64 {source}')}"
    else:
        second = f"i32 {f.value('and i32 %b, 255')}"
    f.unlikely(beyond, "beyond", "inside")
    f.call(libc, "ptr", f"ptr {target}", second, f"i64 {count}")
    f.do("ret i64 %left")
    f.label("beyond")
    f.do(f"call void @rt.fail(ptr %ctx, i64 %left, i64 {TRAP_MEMORY})")
    f.do("ret i64 -4611686018427387904")
    return function("internal fastcc i64", f"rt.{name}", "ptr noalias %ctx, i64 %gas, i32 %a, i32 %b, i32 %n", f, "#2")


def _cell_get(kind: str) -> str:
    f = Lines()
    f.label("entry")
    cell = f.value(f"load ptr, ptr {f.value('getelementptr i8, ptr %ctx, i64 %at')}")
    thing = f.call("PyCell_Get", "ptr", f"ptr {cell}")
    value = f.from_python(thing, kind, hold=True)
    f.run("Py_DecRef", f"ptr {thing}")
    f.do(f"ret i64 {value}")
    return function("internal i64", f"rt.cell.get.{kind}", "ptr noalias %ctx, i64 %at", f, "#2")


def _cell_set(kind: str) -> str:
    f = Lines()
    f.label("entry")
    cell = f.value(f"load ptr, ptr {f.value('getelementptr i8, ptr %ctx, i64 %at')}")
    thing = f.to_python("%value", kind)
    f.call("PyCell_Set", "i32", f"ptr {cell}", f"ptr {thing}")
    f.run("Py_DecRef", f"ptr {thing}")
    f.do("ret void")
    return function("internal void", f"rt.cell.set.{kind}", "ptr noalias %ctx, i64 %at, i64 %value", f, "#2")
