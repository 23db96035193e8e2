"""What goes wrong while a contract is built: the author's mistake, or a tool that is not installed."""

from __future__ import annotations

from contractvm.errors import ContractVMError


class BuildError(ContractVMError):
    """A source that does not become a contract; the text names the file, the place and the way out."""


class ToolMissing(BuildError):
    """A tool that this source needs is not installed; the text has the exact command."""

    def __init__(self, what: str, extra: str, command: str = "") -> None:
        """`extra` is one of contractvm's own, unless `command` says how else to get the tool."""
        needs = (
            f"needs {extra}: {command}" if command else f"needs the extra {extra!r}: pip install 'contractvm[{extra}]'"
        )
        super().__init__(f"{what} {needs}")
        self.extra = extra
