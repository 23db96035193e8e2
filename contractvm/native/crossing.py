"""LLVM IR of the crossings between Python and compiled code: entries as builtins, calls of Python functions.

Source: CPython's C API (METH_FASTCALL, vectorcall). Never: knows an instruction of any machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contractvm.native.context import EXCEPTION, FINISHED, METHODS_SYMBOL, NO_ROOM, WORD
from contractvm.native.glue import TYPES, Lines, failed, function, result_type, string


def operands_of(params: str) -> list[str]:
    """IR parameters of a compiled function for its operands."""
    return [f"{TYPES[kind]} %p{n}" for n, kind in enumerate(params)]


class Callout:
    """How compiled code calls a Python function of one signature.

    `mode` says what the function takes besides the operands: "host" the context's host first, "weight" the stack
    weight last, "plain" nothing. `constants` integers follow. A "quiet" call leaves gas alone: for what cannot charge.
    """

    __slots__ = ("constants", "memory", "mode", "name", "params", "results", "results_at")

    def __init__(self, params: str, results: str, mode: str, constants: int, memory: bool, results_at: int) -> None:
        self.params = params
        self.results = results
        self.mode = mode
        self.constants = constants
        self.memory = memory
        self.results_at = results_at
        self.name = f"callout.{mode}.{params}.{constants}.{results}"

    def call(self, gas: str, weight: str, callee: str, operands: Sequence[str], constants: Sequence[int]) -> str:
        """The text of a call."""
        given = [f"{TYPES[kind]} {operand}" for kind, operand in zip(self.params, operands, strict=True)]
        given += [f"i64 {constant}" for constant in constants]
        head = [f"ptr %ctx, i64 {gas}, i64 {weight}, ptr {callee}", *given]
        return f"call fastcc {result_type(self.results)} @{self.name}({', '.join(head)})"

    def text(self) -> str:
        """The function itself."""
        f = Lines()
        f.label("entry")
        things = len(self.params) + self.constants + (self.mode in ("host", "weight"))
        array = f.value(f"alloca [{things + 1} x ptr]")
        if self.mode != "quiet":
            f.gas_out("%gas")
        made = [f.to_python(f"%p{n}", kind) for n, kind in enumerate(self.params)]
        made += [f.to_python(f"%c{n}", "I") for n in range(self.constants)]
        arguments = list(made)
        if self.mode == "host":
            arguments.insert(0, f.get("host", "ptr"))
        elif self.mode == "weight":
            made.append(f.to_python("%weight", "I"))
            arguments.append(made[-1])
        for n, argument in enumerate(arguments, 1):
            f.do(f"store ptr {argument}, ptr {f.value(f'getelementptr ptr, ptr {array}, i64 {n}')}")
        first = f.value(f"getelementptr ptr, ptr {array}, i64 1")
        # The array's element before the first may be used by the callee: PY_VECTORCALL_ARGUMENTS_OFFSET.
        count = f"i64 {len(arguments) - (1 << 63)}"
        answer = f.call("PyObject_Vectorcall", "ptr", "ptr %callee", f"ptr {first}", count, "ptr null")
        for thing in made:
            f.run("Py_DecRef", f"ptr {thing}")
        f.unlikely(f.value(f"icmp eq ptr {answer}, null"), "raised", "fine")
        results = self._results(f, answer)
        f.run("Py_DecRef", f"ptr {answer}")
        gas = "%gas" if self.mode == "quiet" else f.gas_in()
        if self.memory and self.mode != "quiet":
            f.refresh_memory()
        for n, result in enumerate(results[1:], 1):
            f.set(self.results_at + WORD * n, result)
        if results:
            type_ = result_type(self.results)
            pair = f.value(f"insertvalue {type_} poison, i64 {gas}, 0")
            value = f"{TYPES[self.results[0]]} {f.narrow(results[0], self.results[0])}"
            f.do(f"ret {type_} {f.value(f'insertvalue {type_} {pair}, {value}, 1')}")
        else:
            f.do(f"ret i64 {gas}")
        if results:
            f.label("wrong")
            f.run("Py_DecRef", f"ptr {answer}")
            f.do("br label %raised")
        f.label("raised")
        f.set("trap", str(EXCEPTION))
        f.set("noted", "0")
        f.do(f"ret {failed(self.results)}")
        constants = [f"i64 %c{n}" for n in range(self.constants)]
        parameters = ["ptr noalias %ctx, i64 %gas, i64 %weight, ptr %callee", *operands_of(self.params), *constants]
        return function(f"internal fastcc {result_type(self.results)}", self.name, ", ".join(parameters), f, "#2")

    def _results(self, f: Lines, answer: str) -> list[str]:
        """The results, as 64 bits each, from what the Python function returned."""
        if not self.results:
            return []
        found = []
        for n, kind in enumerate(self.results):
            thing = answer
            if len(self.results) > 1:
                thing = f.call("PyTuple_GetItem", "ptr", f"ptr {answer}", f"i64 {n}")
                f.unlikely(f.value(f"icmp eq ptr {thing}, null"), "wrong", f"item{n}")
            found.append(f.from_python(thing, kind, hold=True))
            if kind != "r":
                f.unlikely(f.value(f"icmp eq i64 {found[-1]}, -1"), f"look{n}", f"good{n}")
                after = f.out.pop()
                f.label(f"look{n}")
                occurred = f.call("PyErr_Occurred", "ptr")
                f.do(f"br i1 {f.value(f'icmp eq ptr {occurred}, null')}, label %good{n}, label %wrong")
                f.out.append(after)
        return found


class Entry:
    """How Python enters compiled functions of one signature: a builtin that takes the operands and the stack weight.

    It returns what the function does; or, when the frame has ended itself meanwhile, its output as bytes.
    """

    __slots__ = ("arguments", "cc", "memory", "name", "operands_at", "params", "results", "results_at")

    def __init__(
        self, params: str, results: str, cc: str, memory: bool, results_at: int, operands_at: int, arguments: int
    ) -> None:
        """Operands after the first `arguments` are left in the context, from `operands_at` on."""
        self.operands_at = operands_at
        self.arguments = arguments
        self.params = params
        self.results = results
        self.cc = cc
        self.memory = memory
        self.results_at = results_at
        self.name = f"enter.{params}.{results}"

    def text(self) -> str:
        f = Lines()
        wanted = len(self.params) + 1
        f.label("entry")
        f.unlikely(f.value(f"icmp ne i64 %count, {wanted}"), "miscounted", "counted")
        f.do(f"%ctx = call ptr {f.api('PyByteArray_AsString')}(ptr %self)")
        here = f.value("ptrtoint ptr %frame to i64")
        f.do("br label %look")
        # A thread whose stack is not the one known asks once where its own lies.
        f.label("look")
        f.out.append(" %asked = phi i1 [false, %counted], [true, %known]")
        low, high, need = (f.get(name) for name in ("stack_low", "stack_high", "stack_need"))
        enough = f.value(f"icmp uge i64 {here}, {f.value(f'add i64 {low}, {need}')}")
        inside = f.value(f"icmp ult i64 {here}, {high}")
        f.do(f"br i1 {f.value(f'and i1 {enough}, {inside}')}, label %room, label %ask")
        f.label("ask")
        f.set("trap", str(NO_ROOM))
        f.do("br i1 %asked, label %tell, label %find")
        f.label("find")
        answer = f.call("PyObject_Vectorcall", "ptr", f"ptr {f.get('room', 'ptr')}", "ptr null", "i64 0", "ptr null")
        f.unlikely(f.value(f"icmp eq ptr {answer}, null"), "raised", "known")
        f.run("Py_DecRef", f"ptr {answer}")
        f.do("br label %look")
        f.label("room")
        gas = f.gas_in()
        f.unlikely(f.value(f"icmp slt i64 {gas}, 0"), "check", "rich")
        f.do("br label %convert")
        f.label("check")
        f.unlikely(f.value(f"icmp eq ptr {f.call('PyErr_Occurred', 'ptr')}, null"), "convert", "raised2")
        f.do("ret ptr null")
        f.label("convert")
        if self.memory:
            f.refresh_memory()
        values = []
        for n, kind in enumerate(self.params):
            pointer = f.value(f"getelementptr ptr, ptr %args, i64 {n}")
            values.append(f.from_python(f.value(f"load ptr, ptr {pointer}"), kind, hold=True))
        pointer = f.value(f"getelementptr ptr, ptr %args, i64 {len(self.params)}")
        weight = f.call("PyLong_AsLongLong", "i64", f"ptr {f.value(f'load ptr, ptr {pointer}')}")
        f.unlikely(f.value(f"icmp ne ptr {f.call('PyErr_Occurred', 'ptr')}, null"), "raised", "ready")
        f.set("trap", "0")
        f.set("noted", "0")
        operands = ["ptr swiftself %ctx", f"i64 {gas}", f"i64 {weight}"]
        operands += [f"{TYPES[k]} {f.narrow(v, k)}" for k, v in zip(self.params, values, strict=True)][: self.arguments]
        for n, value in enumerate(values[self.arguments :]):
            f.set(self.operands_at + WORD * n, value)
        type_ = result_type(self.results)
        got = f.value(f"call {self.cc} {type_} %code({', '.join(operands)})")
        left = f.value(f"extractvalue {type_} {got}, 0") if self.results else got
        f.unlikely(f.value(f"icmp slt i64 {left}, 0"), "failed", "ended")
        f.gas_out(left)
        f.do(f"ret ptr {self._answer(f, got)}")
        f.label("failed")
        trap = f.get("trap")
        f.do(f"br i1 {f.value(f'icmp eq i64 {trap}, {EXCEPTION}')}, label %raised, label %own")
        f.label("own")
        f.gas_out(f.get("trap_gas"))
        f.do(f"br i1 {f.value(f'icmp eq i64 {trap}, {FINISHED}')}, label %finished, label %tell")
        f.label("finished")
        output = f.value(f"getelementptr i8, ptr {f.get('base', 'ptr')}, i64 {f.get('output')}")
        size = f.get("output_size")
        f.do(f"ret ptr {f.call('PyBytes_FromStringAndSize', 'ptr', f'ptr {output}', f'i64 {size}')}")
        f.label("tell")
        answer = f.call("PyObject_Vectorcall", "ptr", f"ptr {f.get('fail', 'ptr')}", "ptr null", "i64 0", "ptr null")
        f.do(f"ret ptr {answer}")
        f.label("raised")
        f.do("ret ptr null")
        f.label("miscounted")
        f.run("PyErr_SetString", f"ptr {f.api('PyExc_TypeError')}", "ptr @rt.miscounted")
        f.do("ret ptr null")
        f.out.insert(1, " %frame = call ptr @llvm.frameaddress.p0(i32 0)")
        return function("internal ptr", self.name, "ptr %self, ptr %args, i64 %count, ptr %code", f, "#2")

    def _answer(self, f: Lines, got: str) -> str:
        """The Python object for what a function returned."""
        if not self.results:
            none = f.api("_Py_NoneStruct")
            f.run("Py_IncRef", f"ptr {none}")
            return none
        first = f.value(f"extractvalue {result_type(self.results)} {got}, 1")
        if len(self.results) == 1:
            return f.to_python(first, self.results)
        # All are taken out of the context before Python runs anything.
        further = [f.get(self.results_at + WORD * n) for n in range(1, len(self.results))]
        made = [f.to_python(first, self.results[0])]
        for value, kind in zip(further, self.results[1:], strict=True):
            made.append(f.to_python(f.narrow(value, kind), kind))
        answer = f.call("PyTuple_New", "ptr", f"i64 {len(made)}")
        for n, thing in enumerate(made):
            f.call("PyTuple_SetItem", "i32", f"ptr {answer}", f"i64 {n}", f"ptr {thing}")
        return answer


def methods(entries: Iterable[tuple[str, str]]) -> str:
    """Builtins for compiled functions, and the array of PyMethodDef that makes them.

    Each entry is a function's symbol and the name of its signature's `Entry`.
    """
    text, rows = [], []
    for number, (symbol, enter) in enumerate(entries):
        text.append(
            f"define internal ptr @entry.{number}(ptr %self, ptr %args, i64 %count) #0 {{\n"
            f" %r = tail call ptr @{enter}(ptr %self, ptr %args, i64 %count, ptr @{symbol})\n ret ptr %r\n}}\n"
        )
        # METH_FASTCALL is 0x80.
        rows.append(f"{{ptr, ptr, i64, ptr}} {{ptr @rt.name, ptr @entry.{number}, i64 128, ptr null}}")
    text.append(string("rt.name", "compiled"))
    text.append(string("rt.miscounted", "wrong number of operands for a compiled function"))
    array = f"[{len(rows)} x {{ptr, ptr, i64, ptr}}]"
    text.append(f"@{METHODS_SYMBOL} = constant {array} [{', '.join(rows)}]")
    return "\n".join(text) + "\n"
