"""The files that a contract is made of, for tools that show them.

Of Python the map in the debug module names them; of other languages they are those that lie beside the contract's own.
Never: files of the SDK or of a toolchain.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from contractvm.errors import Malformed

MOST_BYTES: Final = 1 << 20
"""Of all texts of a contract; files beyond are left out."""


def source_files(path: Path) -> tuple[Path, ...]:
    """The files that a source in another language may be made of: those beside it; of a crate, all of its sources."""
    if path.is_dir() or path.name == "Cargo.toml":
        crate = path if path.is_dir() else path.parent
        return tuple(sorted((*crate.glob("Cargo.*"), *crate.glob("src/**/*.rs"))))
    return path, *(sorted(path.parent.glob("*.[ch]")) if path.suffix == ".c" else ())


def source_texts(path: Path, debug: bytes) -> dict[str, str]:
    """Texts by file name, as the map in `debug` names them where there is one; the contract's own file first."""
    texts: dict[str, str] = {}
    left = MOST_BYTES
    for file in dict.fromkeys(_mapped(debug) or source_files(path)):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        left -= len(text.encode())
        if left < 0:
            break
        texts[str(file)] = text
    return texts


def _mapped(debug: bytes) -> tuple[Path, ...]:
    from sdk.compiler.back.debug import read_map  # a part of the compiler, which other languages do not need

    try:
        known = read_map(debug)
    except Malformed:
        return ()
    return () if known is None else known.files
