"""Where compiled modules come from: the object cache on disk, or the compile worker.

One object serves all instances of a module under some rules. A module that cannot be had natively (a function's frame
larger than its weight allows, a compile that overran) is remembered as such, in the cache too, and stays on the
portable tier. Never: imports LLVM, or runs what it finds.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from contractvm.host import facts, row, table
from contractvm.native import context
from contractvm.native.cache import ObjectCache
from contractvm.native.compiler import CompileFailed, Compiler, Job, Overrun, Refused, Result
from contractvm.native.elf import BadObject
from contractvm.native.identity import cache_key, sources_digest
from contractvm.native.loader import NoExecutableMemory
from contractvm.rules import Rules
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.mapped import NativeCode

GENERATOR: Final = "contractvm.wasm.llvmgen:generate"
"""The code generator, by the name that the worker imports."""
KEPT_DIGESTS: Final = 16
"""Sets of rules whose digest is not worked out anew."""


def payload(code: bytes, rules: Rules) -> bytes:
    """What the generator in the worker's process needs to know."""
    import pickle  # which a process that finds all its objects has no use for

    return pickle.dumps((code, rules))


def payload_of(data: bytes) -> tuple[bytes, Rules]:
    """Code and rules, from a process that is trusted: this one's parent."""
    import pickle

    code, rules = pickle.loads(data)
    return code, rules


@cache
def generator_digest() -> bytes:
    """Of the sources that decide what an object contains: an object of others is never found."""
    here, native = Path(__file__).parent, Path(context.__file__).parent
    names = (
        "sections",
        "opcodes",
        "flat",
        "decode",
        "bodies",
        "binary",
        "compiled",
        "constant",
        "module",
        "foundry",
        "replay",
    )
    files = [*sorted(here.glob("llvm*.py")), *(here / f"{name}.py" for name in names)]
    shared = (
        "context",
        "crossing",
        "elf",
        "glue",
        "image",
        "link",
        "pipeline",
        "reading",
        "relocate",
        "stack",
        "stacksize",
        "worker",
    )
    files += [native / f"{name}.py" for name in shared]
    files += [Path(facts.__file__), Path(row.__file__), Path(table.__file__)]
    return sources_digest(files)


class Foundry:
    """Finds or makes the compiled form of modules."""

    __slots__ = ("_digests", "cache", "compiler")

    def __init__(self, cache_: ObjectCache | None = None, compiler: Compiler | None = None) -> None:
        self.cache = cache_ or ObjectCache()
        self.compiler = compiler or Compiler()
        self._digests: dict[int, tuple[Rules, bytes]] = {}
        """Of rules, by their identity; it holds them, so that no others can take it, and only the latest."""

    def find(self, compiled: Compiled, code_hash: bytes | None = None) -> NativeCode | None:
        """The compiled form, if the cache has it.

        Raises: Refused when it is known that there is none; NoExecutableMemory.
        """
        if compiled.native is None:
            key = self._key(compiled, code_hash)
            data = self.cache.get(key)
            if data is not None:
                compiled.native = self._load(compiled, key, data)
            else:
                reason = self.cache.get_refusal(key)
                if reason is not None:
                    raise Refused(reason)
        return compiled.native

    def make(self, compiled: Compiled, code_hash: bytes | None = None) -> NativeCode:
        """The compiled form, waiting for the worker if it must.

        Raises: Refused, also when the compile overran; CompileFailed, Unavailable, NoExecutableMemory.
        """
        found = self.find(compiled, code_hash)
        if found is None:
            key = self._key(compiled, code_hash)
            try:
                data = self.compiler.compile(self._job(compiled))
            except Refused as problem:
                self.cache.put_refusal(key, problem.reason)
                raise
            except Overrun as problem:
                # The next time it is known, and refused: so it is the first time too.
                self.cache.put_refusal(key, str(problem))
                raise Refused(str(problem)) from problem
            try:
                found = compiled.native = NativeCode(compiled, data)
            except BadObject as problem:
                raise CompileFailed(f"what the compiler made cannot be loaded: {problem}") from None
            self.cache.put(key, data)
        return found

    def order(self, compiled: Compiled, code_hash: bytes) -> None:
        """Have a module compiled in the background: `compiled.native` is there when it is."""
        key = self._key(compiled, code_hash)

        def keep(result: Result) -> None:
            if result.data is not None:
                self.cache.put(key, result.data)
                with suppress(NoExecutableMemory):  # then nobody has it, and the portable tier serves
                    compiled.native = self._load(compiled, key, result.data)
            elif isinstance(result.problem, (Refused, Overrun)):
                self.cache.put_refusal(key, str(result.problem))

        self.compiler.submit(self._job(compiled), keep)

    def _load(self, compiled: Compiled, key: bytes, data: bytes) -> NativeCode | None:
        """Map an object; one that cannot be is forgotten, so that another is made."""
        try:
            return NativeCode(compiled, data)
        except BadObject:
            self.cache.forget(key)
            return None

    def _job(self, compiled: Compiled) -> Job:
        return Job(GENERATOR, payload(compiled.code, compiled.rules))

    def _key(self, compiled: Compiled, code_hash: bytes | None) -> bytes:
        hash_ = code_hash or hashlib.sha256(compiled.code).digest()
        rules = compiled.rules
        known = self._digests.get(id(rules))
        if known is None:
            if len(self._digests) >= KEPT_DIGESTS:
                del self._digests[next(iter(self._digests))]
            known = self._digests[id(rules)] = rules, rules.digest
        return cache_key(hash_, known[1], generator_digest())


@cache
def foundry() -> Foundry:
    """The process's own: one worker, one cache folder."""
    return Foundry()
