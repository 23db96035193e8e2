"""What happens when the compiler itself fails: it says so, and leaves a file that can be attached to a report.

The file has the sources, the options, the versions and the traceback; its name is a hash of them, so that the same bug
leaves one file. Never: sends anything, or hides an error of the author's or of the disk.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from contractvm import __version__
from contractvm.errors import ContractVMError, Fatal
from sdk.compiler.diagnostics import Reporter


class CompilerBug(Fatal):
    """The compiler failed on a source that it should have compiled or refused. `report` is the file to attach."""

    def __init__(self, error: BaseException, path: Path, report: Path | None) -> None:
        attach = f"attach {report} to a report (it has your source)" if report else "report it with the source"
        super().__init__(
            f"{path}: this is a bug of the compiler, not of the contract: {type(error).__name__}: {error}\n{attach}"
        )
        self.report = report


class Guard:
    """Surrounds one compilation; has its `reporter`. Raises: CompilerBug for what nobody raises on purpose."""

    def __init__(self, path: Path, contract: str | None) -> None:
        self.reporter = Reporter()
        self._path = path
        self._contract = contract

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, ContractVMError | OSError):
            raise CompilerBug(error, self._path, self._write(error)) from error

    def _write(self, error: BaseException) -> Path | None:
        """Write the report beside other temporary files; None where there is no room for it."""
        text = "\n".join(
            [
                f"contractvm {__version__}, python {platform.python_version()}, {sys.platform}",
                f"file: {self._path}, contract: {self._contract or 'the last'}",
                "",
                "".join(traceback.format_exception(error)),
                *(f"--- {source.path}\n{source.text}" for source in self.reporter.sources),
            ]
        )
        data = text.encode(errors="backslashreplace")
        report = Path(tempfile.gettempdir()) / f"contractvm-compiler-bug-{sha256(data).hexdigest()[:12]}.txt"
        try:
            report.write_bytes(data)
        except OSError:
            return None
        return report
