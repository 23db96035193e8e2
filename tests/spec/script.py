"""Runs the commands of one script on one tier and judges each.

Source: WebAssembly/spec, `interpreter/README.md`, "Scripts". A malformed module must be refused as malformed, an
invalid one as invalid, and so on; trap texts are compared by prefix as the specification's runner does. The wording of
other refusals is compared too, but only reported: it differs between the suite's own runners.
Never: counts a module that was refused for its floats as anything but a skip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contractvm.errors import ContractVMError, Invalid, Malformed, ModuleError, Trap, Unlinkable
from contractvm.rules import bare_rules
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.decode import FloatRefused
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import Extern, Global
from contractvm.wasm.instance import Instance
from contractvm.wasm.opcodes import FLOAT_NAMES, FLOAT_TYPES, PREFIX
from gas.meter import MILLI, Meter
from tests.spec.pack import DEPENDENT, FLOAT, FLOAT_MODULE, INT, LIMIT, OUTSIDE, Command, Pack, class_of
from tests.spec.spectest import externs
from tests.spec.values import ValueFormError, all_match, argument, show

GAS = 10**12
"""Whole gas of a command: above the price of any operand, so that what is too big traps rather than runs out of gas."""

CRASHES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a broken engine raises: a failure of its command, not the end of the run."""


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """A command's verdict. `reason` is the class that a skip is listed under and `evidence`, when the pack says another
    class, what shows it; `worded` is False for a right refusal in other words than the script's."""

    command: Command
    verdict: Verdict
    reason: str = ""
    evidence: str = ""
    expected: str = ""
    got: str = ""
    worded: bool = True


@dataclass(frozen=True, slots=True)
class Absent:
    """Stands where a module would be, with the class of the command that did not make one."""

    reason: str


class _Mismatch(Exception):
    """A command that did not go as it must."""

    def __init__(self, expected: str, got: str, cause: BaseException | None = None) -> None:
        super().__init__(expected, got)
        self.expected, self.got, self.cause = expected, got, cause


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


class ScriptRunner:
    """One script's modules: the current one, the named ones, the registered externs, and its own `spectest`."""

    def __init__(self, pack: Pack, script: str, tier: str) -> None:
        self._pack, self._script = pack, script
        self._engine = Engine(bare_rules(), tier)
        self._meter = Meter(GAS)
        self._imports: dict[tuple[str, str], Extern] = externs()
        self._current: Instance | Absent = Absent("no module yet")
        self._named: dict[str, Instance | Absent] = {}
        self._definitions: dict[str | None, Compiled | Absent] = {}
        self._unregistered: set[str] = set()
        """Names that skipped modules would have been registered under."""
        self._kinds: Mapping[str, Callable[[Command], bool]] = {
            "module": self._module,
            "module_definition": self._module_definition,
            "module_instance": self._module_instance,
            "register": self._register,
            "action": self._action,
            "assert_return": self._assert_return,
            "assert_trap": self._assert_trap,
            "assert_exhaustion": self._assert_trap,
            "assert_uninstantiable": self._assert_trap,
            "assert_malformed": self._assert_malformed,
            "assert_invalid": self._assert_invalid,
            "assert_unlinkable": self._assert_unlinkable,
        }

    def run(self) -> Iterator[Result]:
        """Every command's result, in order. Raises: tests.spec.pack.PackError."""
        for command in self._pack.commands(self._script):
            self._meter.left = GAS * MILLI
            try:
                yield self._judge(command)
            except _Mismatch as error:
                yield self._failed(command, error)
            except (ContractVMError, ValueFormError, *CRASHES) as error:
                yield self._failed(command, _Mismatch(_wanted(command), _describe(error), error))

    def _failed(self, command: Command, mismatch: _Mismatch) -> Result:
        """A failure, unless what happened shows that the command is of another class than the pack says."""
        shown = self._class_shown(command, mismatch.cause)
        self._put_absent(command, shown[0] if shown else "module that failed")
        if shown:
            return Result(command, Verdict.SKIPPED, *shown)
        return Result(command, Verdict.FAILED, expected=mismatch.expected, got=mismatch.got)

    def _class_shown(self, command: Command, error: BaseException | None) -> tuple[str, str] | None:
        """The class that a refusal shows the command to have, with the evidence, or None.

        A float must really be at the byte that the refusal names, and a missing import be one of a skipped module.
        """
        if not isinstance(error, ModuleError) or command.filename is None:
            return None
        data = self._pack.file(self._script, command.filename)
        if isinstance(error, FloatRefused):
            return (FLOAT_MODULE, str(error)) if _float_at(data, error.place.offset) else None
        if isinstance(error, Unlinkable):
            wanted = {found.module for found in self._engine.load(data).module.imports} & self._unregistered
            return (DEPENDENT, f"{error}; {', '.join(sorted(wanted))} is of class outside") if wanted else None
        if "not in the profile" in error.reason:
            return OUTSIDE, str(error)
        return (LIMIT, str(error)) if "the limit is" in error.reason else None

    def _judge(self, command: Command) -> Result:
        kind = self._class(command)
        if kind == INT:
            handler = self._kinds.get(command.kind)
            if handler is None:
                raise _Mismatch("a known command", command.kind)
            return Result(command, Verdict.PASSED, worded=handler(command))
        if kind in (FLOAT, FLOAT_MODULE):
            self._check_refused(command)
        self._put_absent(command, kind)
        return Result(command, Verdict.SKIPPED, reason=kind)

    def _class(self, command: Command) -> str:
        """The command's class; where the pack gives none, floats are found by trying."""
        kind = class_of(command)
        if command.given_class is not None or kind != INT:
            return kind
        if command.filename is None:
            return FLOAT_MODULE if self._target(command) == Absent(FLOAT_MODULE) else INT
        try:
            self._load(command)
        except FloatRefused:
            return FLOAT_MODULE
        except ModuleError:
            pass
        return INT

    def _check_refused(self, command: Command) -> None:
        """A float command's module must be refused naming the float, or have been so before."""
        if command.filename is not None:
            try:
                self._load(command)
            except FloatRefused:
                return
            except ModuleError as error:
                raise _Mismatch("refused naming its float", _describe(error), error) from None
            raise _Mismatch("refused naming its float", "accepted")
        target = self._target(command)
        if not isinstance(target, Absent):
            raise _Mismatch("its module refused for floats", "a module that was accepted")

    def _put_absent(self, command: Command, reason: str) -> None:
        if command.kind in ("module", "module_instance"):
            self._put(command, Absent(reason))
        elif command.kind == "module_definition":
            self._definitions[command.body.get("name")] = Absent(reason)
        elif command.kind == "register":
            self._unregistered.add(command.body["as"])

    def _put(self, command: Command, module: Instance | Absent) -> None:
        self._current = module
        name = command.body.get("instance" if command.kind == "module_instance" else "name")
        if name is not None:
            self._named[name] = module

    def _target(self, command: Command) -> Instance | Absent:
        """The module that an action or a register is about."""
        name = command.action.get("module") if command.action else command.body.get("name")
        return self._current if name is None else self._named.get(name, Absent(f"module named {name}"))

    def _instance(self, command: Command) -> Instance:
        target = self._target(command)
        if isinstance(target, Absent):
            raise _Mismatch("its module", f"none ({target.reason})")
        return target

    def _load(self, command: Command) -> Compiled:
        """Decode and validate the command's module. Raises: Malformed, Invalid."""
        if command.filename is None or command.body.get("module_type") == "text":
            raise _Mismatch("a binary module", command.filename or "no file")
        return self._engine.load(self._pack.file(self._script, command.filename))

    def _instantiate(self, compiled: Compiled) -> Instance:
        return self._engine.instantiate(compiled, self._imports, self._meter)

    def _module(self, command: Command) -> bool:
        self._put(command, self._instantiate(self._load(command)))
        return True

    def _module_definition(self, command: Command) -> bool:
        self._definitions[command.body.get("name")] = self._load(command)
        return True

    def _module_instance(self, command: Command) -> bool:
        compiled = self._definitions.get(command.body.get("module"), Absent("definition"))
        if isinstance(compiled, Absent):
            raise _Mismatch("its definition", f"none ({compiled.reason})")
        self._put(command, self._instantiate(compiled))
        return True

    def _register(self, command: Command) -> bool:
        module, exports = command.body["as"], self._instance(command).exports
        self._imports = {key: extern for key, extern in self._imports.items() if key[0] != module}
        self._imports |= {(module, name): extern for name, extern in exports.items()}
        return True

    def _perform(self, command: Command) -> list[object]:
        instance, action = self._instance(command), command.action
        if action["type"] == "get":
            extern = instance.exports[action["field"]]
            if not isinstance(extern, Global):
                raise _Mismatch("a global", type(extern).__name__)
            return [extern.value]
        arguments: list[Any] = [argument(value) for value in action.get("args", ())]
        return list(self._engine.invoke(instance, action["field"], arguments))

    def _action(self, command: Command) -> bool:
        self._perform(command)
        return True

    def _assert_return(self, command: Command) -> bool:
        got, expected = self._perform(command), command.body["expected"]
        if not all_match(expected, got):
            raise _Mismatch(show(expected), repr(got))
        return True

    def _assert_trap(self, command: Command) -> bool:
        text = command.body["text"]
        try:
            if command.filename is not None:
                self._instantiate(self._load(command))
                got = "an instance"
            else:
                got = repr(self._perform(command))
        except Trap as trap:
            if _same_words(text, str(trap.code)):
                return True
            got = _describe(trap)
        raise _Mismatch(f"trap: {text}", got)

    def _assert_malformed(self, command: Command) -> bool:
        return self._refused(command, Malformed, self._load)

    def _assert_invalid(self, command: Command) -> bool:
        return self._refused(command, Invalid, self._load)

    def _assert_unlinkable(self, command: Command) -> bool:
        compiled = self._load(command)
        return self._refused(command, Unlinkable, lambda _: self._instantiate(compiled))

    def _refused(self, command: Command, kind: type[ModuleError], attempt: Callable[[Command], object]) -> bool:
        """Whether the refusal is in the script's words; a mismatch when it is no refusal of that kind."""
        try:
            attempt(command)
        except kind as error:
            if isinstance(error, FloatRefused):
                raise _Mismatch(_wanted(command), _describe(error), error) from None
            return _same_words(command.body["text"], error.reason)
        raise _Mismatch(_wanted(command), "accepted")


def _float_at(data: bytes, offset: int | None) -> bool:
    """Whether the byte there is a float type or begins a float instruction."""
    if offset is None or offset + 1 >= len(data):
        return False
    code = data[offset] << 8 | data[offset + 1] if data[offset] == PREFIX else data[offset]
    return code in FLOAT_NAMES or code in FLOAT_TYPES


def _same_words(text: str, got: str) -> bool:
    """Prefix comparison; the suite sometimes says more than a code can ("uninitialized element 2")."""
    return got.startswith(text) or text.startswith(got)


def _wanted(command: Command) -> str:
    """What a command asks for, for people."""
    kind = command.kind.removeprefix("assert_").replace("_", " ")
    if "expected" in command.body:
        return show(command.body["expected"])
    return f"{kind}: {command.body['text']}" if "text" in command.body else "success"
