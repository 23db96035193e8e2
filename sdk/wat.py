"""Assembles WebAssembly text, with the assembler that the `wasmtime` package brings.

Source: WebAssembly core specification, section 6 (text format).
Never: runs anything with wasmtime.
"""

from __future__ import annotations

from pathlib import Path

from sdk.errors import BuildError, ToolMissing


def assemble(path: Path) -> bytes:
    """Assemble the text in `path`; names stay in the module. Raises: ToolMissing, BuildError with line and column."""
    try:
        import wasmtime
    except ImportError:
        raise ToolMissing(f"{path}: assembling WebAssembly text", "wat") from None
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BuildError(f"{path}: byte {error.start} is not UTF-8") from None
    try:
        return bytes(wasmtime.wat2wasm(text))
    except wasmtime.WasmtimeError as error:
        raise BuildError(f"{path}: it does not assemble\n{str(error).strip()}") from None
