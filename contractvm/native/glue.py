"""LLVM IR that compiled code of any machine stands on: how it reaches the context, Python's objects, gas and traps.

A compiled function is `f(ctx, gas, weight, operands...)`; it returns the gas left, and its first result with it. Gas
is a 64-bit count of milligas in a register; FAILED in its place means that the call failed and the context says why.
At every border gas goes back to the meter's cell, so Python sees one count. Values are "i" (i32), "I" (i64) and "r" (a
reference: the address of a Python object, 0 for null).

Source: CPython's C API (METH_FASTCALL, vectorcall, cells). Never: knows an instruction of any machine, or runs.
"""

from __future__ import annotations

from typing import Final

from contractvm.native.context import (
    API,
    API_SYMBOL,
    EXCEPTION,
    FAILED,
    OFFSET,
    OUT_OF_GAS,
    TRACE,
    TRACE_LENGTH,
)

TYPES: Final = {"i": "i32", "I": "i64", "r": "i64"}
CONTEXT: Final = "!tbaa !2"
"""An access to the context; nothing in linear memory can change it."""
MEMORY: Final = "!tbaa !4"
"""An access to linear memory."""
COLD: Final = "!prof !6"
"""Of a conditional branch whose first target is hardly ever taken."""
LIKELY: Final = "!prof !7"
"""Of one whose second is."""

METADATA: Final = """\
!0 = !{!"contractvm"}
!1 = !{!"context", !0, i64 0}
!2 = !{!1, !1, i64 0}
!3 = !{!"memory", !0, i64 0}
!4 = !{!3, !3, i64 0}
!5 = !{}
!6 = !{!"branch_weights", i32 1, i32 1000000}
!7 = !{!"branch_weights", i32 1000000, i32 1}
attributes #0 = { nounwind uwtable "no-builtins" }
attributes #1 = { nounwind uwtable noinline cold "no-builtins" }
attributes #2 = { nounwind uwtable noinline "no-builtins" }
"""


def result_type(results: str) -> str:
    """What a compiled function returns: its gas, and its first result if it has one."""
    return f"{{i64, {TYPES[results[0]]}}}" if results else "i64"


def failed(results: str) -> str:
    """The value that a function returns when it failed."""
    return f"{{i64, {TYPES[results[0]]}}} {{i64 {FAILED}, {TYPES[results[0]]} 0}}" if results else f"i64 {FAILED}"


class Lines:
    """Text of one function, with names that are used once."""

    __slots__ = ("names", "out")

    def __init__(self) -> None:
        self.out: list[str] = []
        self.names = 0

    def name(self) -> str:
        self.names += 1
        return f"%t{self.names}"

    def value(self, text: str) -> str:
        """Append an instruction that has a value; return the value's name."""
        self.names += 1
        name = f"%t{self.names}"
        self.out.append(f" {name} = {text}")
        return name

    def do(self, text: str) -> None:
        self.out.append(f" {text}")

    def label(self, name: str) -> None:
        self.out.append(f"{name}:")

    def api(self, function: str) -> str:
        """The address of a function or object of `API`."""
        at = f"getelementptr ([{len(API)} x ptr], ptr @{API_SYMBOL}, i64 0, i64 {API.index(function)})"
        return self.value(f"load ptr, ptr {at}, !invariant.load !5")

    def call(self, function: str, type_: str, *operands: str) -> str:
        """Call a function of `API` for its value."""
        return self.value(f"call {type_} {self.api(function)}({', '.join(operands)})")

    def run(self, function: str, *operands: str) -> None:
        """Call a function of `API` that has no value."""
        self.do(f"call void {self.api(function)}({', '.join(operands)})")

    def field(self, at: int | str) -> str:
        """The address of a field of the context."""
        return self.value(f"getelementptr i8, ptr %ctx, i64 {OFFSET[at] if isinstance(at, str) else at}")

    def get(self, at: int | str, type_: str = "i64") -> str:
        """Read a field of the context."""
        return self.value(f"load {type_}, ptr {self.field(at)}, {CONTEXT}")

    def set(self, at: int | str, value: str, type_: str = "i64") -> None:
        """Write a field of the context."""
        self.do(f"store {type_} {value}, ptr {self.field(at)}, {CONTEXT}")

    def unlikely(self, condition: str, then: str, otherwise: str) -> None:
        """Branch, and go on at `otherwise`."""
        self.do(f"br i1 {condition}, label %{then}, label %{otherwise}, {COLD}")
        self.label(otherwise)

    def gas_out(self, gas: str) -> None:
        """Put all gas into the meter's cell."""
        total = self.value(f"add i64 {gas}, {self.get('reserve')}")
        number = self.call("PyLong_FromLongLong", "ptr", f"i64 {total}")
        self.call("PyCell_Set", "i32", f"ptr {self.get('cell', 'ptr')}", f"ptr {number}")
        self.run("Py_DecRef", f"ptr {number}")

    def gas_in(self) -> str:
        """Take a slice of the gas in the meter's cell; the rest is the reserve. More than compiled code can count
        comes out as -1 with a Python exception set."""
        number = self.call("PyCell_Get", "ptr", f"ptr {self.get('cell', 'ptr')}")
        total = self.call("PyLong_AsLongLong", "i64", f"ptr {number}")
        self.run("Py_DecRef", f"ptr {number}")
        slice_ = self.get("slice")
        less = self.value(f"icmp slt i64 {total}, {slice_}")
        gas = self.value(f"select i1 {less}, i64 {total}, i64 {slice_}")
        self.set("reserve", self.value(f"sub i64 {total}, {gas}"))
        return gas

    def refresh_memory(self) -> None:
        """Look where the memory is and how large: Python may have made it grow."""
        memory = self.get("memory", "ptr")
        self.set("base", self.call("PyByteArray_AsString", "ptr", f"ptr {memory}"), "ptr")
        self.set("size", self.call("PyByteArray_Size", "i64", f"ptr {memory}"))

    def to_python(self, value: str, kind: str) -> str:
        """A new reference to a Python object for a value."""
        if kind == "r":
            null = self.value(f"icmp eq i64 {value}, 0")
            pointer = self.value(f"inttoptr i64 {value} to ptr")
            made = self.value(f"select i1 {null}, ptr {self.api('_Py_NoneStruct')}, ptr {pointer}")
            self.run("Py_IncRef", f"ptr {made}")
            return made
        wide = value if kind == "I" else self.value(f"zext i32 {value} to i64")
        return self.call("PyLong_FromUnsignedLongLong", "ptr", f"i64 {wide}")

    def from_python(self, thing: str, kind: str, hold: bool) -> str:
        """The 64 bits of a value; `hold` keeps a referred object alive with the context.

        For an object that is no integer all bits are set and a Python exception is.
        """
        if kind != "r":
            return self.call("PyLong_AsUnsignedLongLongMask", "i64", f"ptr {thing}")
        null = self.value(f"icmp eq ptr {thing}, {self.api('_Py_NoneStruct')}")
        number = self.value(f"ptrtoint ptr {thing} to i64")
        if hold:
            self.do(f"call void @rt.hold(ptr %ctx, ptr {thing})")
        return self.value(f"select i1 {null}, i64 0, i64 {number}")

    def narrow(self, value: str, kind: str) -> str:
        """The value of its own type from 64 bits."""
        return self.value(f"trunc i64 {value} to i32") if kind == "i" else value


def prelude() -> str:
    """Declarations and what compiled functions of any machine call."""
    return "\n".join(
        [
            METADATA,
            f'@{API_SYMBOL} = externally_initialized global [{len(API)} x ptr] zeroinitializer, section ".data"',
            "declare ptr @llvm.frameaddress.p0(i32)",
            _refill(),
            _trap(),
            _fail(),
            _hold(),
        ]
    )


def _refill() -> str:
    """`rt.refill(ctx, gas, wanted)`: the gas in the register is less than the code ahead may need; hand over more.

    Returns at least `wanted`, or all there is, or FAILED. Between slices a Python function runs, in which CPython
    looks at signals and lets other threads have the interpreter.
    """
    f = Lines()
    f.label("entry")
    reserve = f.get("reserve")
    f.do(f"br i1 {f.value(f'icmp eq i64 {reserve}, 0')}, label %last, label %more")
    f.label("more")
    # Whatever runs meanwhile (a signal's handler, another thread) must not move the memory that registers point to:
    # a bytearray that is exported refuses to be resized.
    memory = f.get("memory", "ptr")
    f.do(f"br i1 {f.value(f'icmp eq ptr {memory}, null')}, label %tick, label %pin")
    f.label("pin")
    pin = f.call("PyMemoryView_FromObject", "ptr", f"ptr {memory}")
    f.do("br label %tick")
    f.label("tick")
    f.out.append(f" %pinned = phi ptr [null, %more], [{pin}, %pin]")
    answer = f.call("PyObject_Vectorcall", "ptr", f"ptr {f.get('tick', 'ptr')}", "ptr null", "i64 0", "ptr null")
    f.run("Py_DecRef", "ptr %pinned")
    f.unlikely(f.value(f"icmp eq ptr {answer}, null"), "interrupted", "goon")
    f.run("Py_DecRef", f"ptr {answer}")
    slice_ = f.get("slice")
    missing = f.value(f"sub i64 {slice_}, %gas")
    missing = f.value(f"add i64 {missing}, %wanted")
    less = f.value(f"icmp slt i64 {missing}, {reserve}")
    given = f.value(f"select i1 {less}, i64 {missing}, i64 {reserve}")
    f.set("reserve", f.value(f"sub i64 {reserve}, {given}"))
    gas = f.value(f"add i64 %gas, {given}")
    f.do("br label %last")
    f.label("last")
    f.out.append(f" %left = phi i64 [%gas, %entry], [{gas}, %goon]")
    f.unlikely(f.value("icmp slt i64 %left, 0"), "empty", "enough")
    f.do("ret i64 %left")
    f.label("empty")
    f.set("trap", str(OUT_OF_GAS))
    f.set("trap_gas", "%left")
    f.set("noted", "0")
    f.do(f"ret i64 {FAILED}")
    f.label("interrupted")
    f.set("trap", str(EXCEPTION))
    f.set("noted", "0")
    f.do(f"ret i64 {FAILED}")
    return function("internal preserve_mostcc i64", "rt.refill", "ptr noalias %ctx, i64 %gas, i64 %wanted", f, "#1")


def _trap() -> str:
    """`rt.trap(ctx, gas, word, function)`: say why and where a call fails, or only where one that failed was made.

    `word` is the trap's code (0: it was said already), then 24 bits of the place, then 32 of the gas to give back.
    """
    f = Lines()
    f.label("entry")
    code = f.value("and i64 %word, 255")
    f.do(f"br i1 {f.value(f'icmp eq i64 {code}, 0')}, label %note, label %new")
    f.label("new")
    f.set("trap", code)
    f.set("trap_gas", f.value(f"add i64 %gas, {f.value('lshr i64 %word, 32')}"))
    f.set("noted", "0")
    f.do("br label %note")
    f.label("note")
    noted = f.get("noted")
    f.do(f"br i1 {f.value(f'icmp ult i64 {noted}, {TRACE_LENGTH}')}, label %room, label %done")
    f.label("room")
    place = f.value(f"and i64 {f.value('lshr i64 %word, 8')}, 16777215")
    place = f.value(f"or i64 {place}, {f.value('shl i64 %function, 32')}")
    slot = f.value(f"getelementptr i64, ptr {f.field(TRACE)}, i64 {noted}")
    f.do(f"store i64 {place}, ptr {slot}, {CONTEXT}")
    f.set("noted", f.value(f"add i64 {noted}, 1"))
    f.do("br label %done")
    f.label("done")
    f.do("ret void")
    parameters = "ptr noalias %ctx, i64 %gas, i64 %word, i64 %function"
    return function("internal void", "rt.trap", parameters, f, "#1")


def _fail() -> str:
    """`rt.fail(ctx, gas, code)`: say why a function of the glue fails; its caller notes the place."""
    f = Lines()
    f.label("entry")
    f.set("trap", "%code")
    f.set("trap_gas", "%gas")
    f.set("noted", "0")
    f.do("ret void")
    return function("internal void", "rt.fail", "ptr noalias %ctx, i64 %gas, i64 %code", f, "#1")


def _hold() -> str:
    """`rt.hold(ctx, object)`: keep an object that compiled code now refers to alive with the context."""
    f = Lines()
    f.label("entry")
    key = f.call("PyLong_FromVoidPtr", "ptr", "ptr %thing")
    f.call("PyDict_SetItem", "i32", f"ptr {f.get('held', 'ptr')}", f"ptr {key}", "ptr %thing")
    f.run("Py_DecRef", f"ptr {key}")
    f.do("ret void")
    return function("internal void", "rt.hold", "ptr noalias %ctx, ptr %thing", f, "#2")


def function(head: str, name: str, parameters: str, lines: Lines, attributes: str) -> str:
    return f"define {head} @{name}({parameters}) {attributes} {{\n" + "\n".join(lines.out) + "\n}\n"


def string(name: str, content: str) -> str:
    """A C string."""
    return f'@{name} = internal constant [{len(content) + 1} x i8] c"{content}\\00"'
