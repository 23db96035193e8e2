"""LLVM IR text to the bytes of an ELF relocatable object, for the processor this process runs on.

Source: llvmlite's binding layer, which drives LLVM's new pass manager and code generator. Whoever imports this module
has LLVM in the process (some 40 ms and 70 MB), and a fault inside LLVM ends the process: so only the compile worker
does. Never: executes or loads what it made, or reads or writes a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cache
from time import process_time
from types import MappingProxyType
from typing import Any, Final

from llvmlite import binding

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError


class PipelineError(ContractVMError):
    """LLVM does not take this text, or cannot generate for this processor: never the compiled module's fault."""


@dataclass(frozen=True, slots=True)
class Level:
    """How much work goes into the machine code.

    `codegen` is the code generator's level (0 to 3). `passes` run before it, over the whole module, in this order,
    named as llvmlite's `add_<name>_pass`; or else `speed`, when it is not None, runs LLVM's own pipeline of that level
    with the vectorizers off: `alone`, just its part that looks at one function at a time, and so inlines nothing.
    `switches` are settings of `SWITCHES` that differ from the ones there.
    """

    codegen: int
    passes: tuple[str, ...] = ()
    speed: int | None = None
    alone: bool = False
    switches: Mapping[str, str] = field(default_factory=dict)


SWITCHES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Turning a select into a branch costs a factor of 1.7 where the branch cannot be predicted (sorting), and in
        # no kernel gains anything: off.
        "x86-cmov-converter": "false",
        # Strength reduction finds little in loops as they come from wasm, and takes registers.
        "disable-lsr": "true",
        # Its compare-and-branch and address sinking change no kernel's time, and it takes a twentieth of LLVM's.
        "disable-cgp": "true",
        # Each of these takes longer than what it saves is worth: together an eighth of code generation, for half a
        # percent of running time.
        "enable-tail-merge": "false",
        "disable-constant-hoisting": "true",
        "disable-early-taildup": "true",
        # A wider loop counter is one more register: hash functions have none to spare.
        "indvars-widen-indvars": "false",
        "fast-isel": "false",
    }
)
"""Switches of LLVM, and how they stand unless a level says otherwise. LLVM passes over one that it does not know."""

_CLEAN: Final = ("simplify_cfg", "sroa", "sinking")
"""In this order: once `sroa` has turned the stores of a cold block into a phi's operand, `simplify_cfg` would take the
block away, and its constant would be made in the hot one (sieve and u256: 0.8 to 0.9 of the time)."""
LEVELS: Final[Mapping[str, Level]] = MappingProxyType(
    {
        # Some ten times faster than code generation at level 1; its frames grow with the function.
        "draft": Level(0, _CLEAN, switches=MappingProxyType({"fast-isel": "true"})),
        "light": Level(1, _CLEAN),
        # Loop invariants and loads found twice: some 4 % less running time for nearly twice the work of "light". Its
        # loops are tidy enough for strength reduction to gain more than the registers it takes.
        "medium": Level(1, speed=1, alone=True, switches=MappingProxyType({"disable-lsr": "false"})),
        # Inlines, so that frames may grow beyond what their weights allow.
        "full": Level(2, speed=2),
    }
)
"""The levels there are, the fastest compiler first."""

DEFAULT: Final = "light"


def emit(ir: str, level: str = DEFAULT, seconds: dict[str, float] | None = None) -> bytes:
    """Compile `ir` to an ELF object with position-independent code of the small model.

    The text's own triple and data layout are overruled by the host's. Functions that are to have their frame described
    in `.eh_frame` carry the attribute `uwtable` in the text; every level keeps it. `seconds`, when given, receives the
    processor time of each stage: `parse`, `optimise`, `emit`.

    Raises: PipelineError with LLVM's message for text that does not parse or verify; ValueError for an unknown level.
    """
    row = LEVELS.get(level)
    if row is None:
        raise ValueError(f"no level {level!r}; there are: {', '.join(LEVELS)}")
    spent: dict[str, float] = {} if seconds is None else seconds
    # Switches are the process's: each is set before every module, since another level may have set it otherwise.
    for name, setting in {**SWITCHES, **row.switches}.items():
        binding.set_option("contractvm", f"-{name}={setting}")
    start = process_time()
    machine = _machine(row.codegen)
    module = _parse(ir, machine)
    spent["parse"] = (parsed := process_time()) - start
    _optimise(module, machine, row)
    spent["optimise"] = (optimised := process_time()) - parsed
    try:
        data: bytes = machine.emit_object(module)
    except RuntimeError as problem:
        raise PipelineError(f"LLVM made no object: {problem}") from None
    spent["emit"] = process_time() - optimised
    return data


def target() -> tuple[str, str, str]:
    """LLVM's version, the triple and the processor's name, for messages."""
    return ".".join(map(str, binding.llvm_version_info)), binding.get_default_triple(), binding.get_host_cpu_name()


@cache
def _machine(codegen: int) -> Any:
    """LLVM's description of this processor at one code generator level."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    try:
        return binding.Target.from_default_triple().create_target_machine(
            cpu=binding.get_host_cpu_name(),
            features=binding.get_host_cpu_features().flatten(),
            opt=codegen,
            reloc="pic",
            codemodel="small",
        )
    except RuntimeError as problem:
        raise PipelineError(f"LLVM cannot compile for {binding.get_default_triple()}: {problem}") from None


def _parse(ir: str, machine: Any) -> Any:
    """A verified module: what the verifier would refuse can crash the passes, and the process with them."""
    if "\0" in ir:  # LLVM would see the text before it only
        raise PipelineError(f"the generated text has a NUL character at {ir.index(chr(0))}")
    try:
        module = binding.parse_assembly(ir)
        module.triple = binding.get_default_triple()
        module.data_layout = str(machine.target_data)
        module.verify()
    except RuntimeError as problem:
        raise PipelineError(f"LLVM refuses the generated text: {str(problem).strip()}") from None
    return module


def _optimise(module: Any, machine: Any, level: Level) -> None:
    """Run the level's passes over the module, in place."""
    tuning = binding.create_pipeline_tuning_options(speed_level=1 if level.speed is None else level.speed)
    tuning.loop_vectorization = False
    tuning.slp_vectorization = False
    builder = binding.create_pass_builder(machine, tuning)
    if level.speed is not None and level.alone:
        functions = builder.getFunctionPassManager()
        for function in module.functions:
            if not function.is_declaration:
                functions.run(function, builder)
    elif level.speed is not None:
        builder.getModulePassManager().run(module, builder)
    elif level.passes:
        manager = binding.create_new_module_pass_manager()
        for name in level.passes:
            getattr(manager, f"add_{name}_pass")()
        manager.run(module, builder)
