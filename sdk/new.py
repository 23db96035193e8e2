"""A new project: a contract that counts, its tests, a README and a pyproject.toml, in a folder of its own.

    for path in create(Path("vault"), "c"): print(path)

Templates have @NAME@ and the like to fill in; what differs between languages stands in `LANGUAGES`.
Never: writes into a folder that has anything in it.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from types import MappingProxyType

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError
from sdk.cargo import CRATE, INSTALL

TEMPLATES = Path(__file__).parent / "templates"
TAKEN = frozenset(
    {"contractvm", "gas", "state", "sdk", "chain", "accounts", "pytest", "mypy", "test", "core", "std", "alloc"}
)
"""Names of packages, crates and fixtures that a project's own would hide."""


@dataclass(frozen=True, slots=True)
class Language:
    """What a project in one language has."""

    package: str
    """What to install of contractvm."""
    files: tuple[tuple[str, str], ...]
    """Names and templates of the sources, the contract's first."""
    source: str
    """What is built."""
    tool: str = ""
    """A line on what else to install."""
    declared: bool = True
    """Whether the source says which functions it has."""


LANGUAGES = MappingProxyType(
    {
        "python": Language("contractvm", (("@NAME@.py", "counter.py.txt"),), "@NAME@.py"),
        "c": Language("contractvm[c]", (("@NAME@.c", "counter.c"),), "@NAME@.c"),
        "rust": Language(
            "contractvm",
            (
                ("src/lib.rs", "counter.rs"),
                ("Cargo.toml", "Cargo.toml.txt"),
                (".cargo/config.toml", "config.toml.txt"),
            ),
            "Cargo.toml",
            tool=f"\n# Rust for wasm: {INSTALL}",
        ),
        "wat": Language("contractvm[wat]", (("@NAME@.wat", "counter.wat"),), "@NAME@.wat", declared=False),
    }
)
DEFAULT = "python"
ABI = '\nABI = ("number() view returns (uint256)", "increment()")\n'
IGNORED = ".contractvm/\n.cargo/\nbuild/\ntarget/\n__pycache__/\n"


class ProjectError(ContractVMError):
    """A project that cannot be made here; the text says what to do."""


def create(folder: Path, language: str) -> tuple[Path, ...]:
    """Make the project in `folder`, whose last part is its name; return the files in the order to read them.

    Raises: ProjectError for a bad name, an unknown language, a folder in use, or one that cannot be written.
    """
    name = name_of(folder)
    if language not in LANGUAGES:
        raise ProjectError(f"no template for {language!r}; there are: {', '.join(LANGUAGES)}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ProjectError(f"{folder.name!r} is no project name: use small letters, digits and _, a letter first")
    if name in TAKEN:
        raise ProjectError(f"{name!r} is the name of something that the project needs; choose another")
    contents = _contents(name, LANGUAGES[language])
    paths = []
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ProjectError(f"{folder} exists and is not empty; choose another name")
        for file, text in contents.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            paths.append(path)
    except OSError as error:
        raise ProjectError(f"{folder} cannot be written: {error.strerror or error}") from None
    return tuple(paths)


def name_of(folder: Path) -> str:
    """A project's name, as Python and Rust can have it."""
    return folder.name.replace("-", "_")


def source_of(folder: Path, language: str) -> str:
    """What is built and deployed, as seen from the project's folder."""
    return LANGUAGES[language].source.replace("@NAME@", name_of(folder))


def _contents(name: str, language: Language) -> dict[str, str]:
    """Each file's text by its path."""
    words = {
        "@FILE@": language.files[0][0],
        "@SOURCE@": language.source,
        "@PACKAGE@": language.package,
        "@TOOL@": language.tool,
        "@ABI@": "" if language.declared else ABI,
        "@DECLARED@": "" if language.declared else ", abi=ABI",
        "@CRATE@": str(CRATE.resolve()),
        "@CLASS@": "".join(word.capitalize() for word in name.split("_")),
        "@NAME@": name,  # the last: the others contain it
    }
    files = [
        *language.files,
        ("test_@NAME@.py", "test_contract.py.txt"),
        ("README.md", "README.md.txt"),
        ("pyproject.toml", "pyproject.toml.txt"),
    ]
    filled = {_filled(file, words): _filled(_template(template), words) for file, template in files}
    return {**filled, ".gitignore": IGNORED}


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _template(file: str) -> str:
    return (TEMPLATES / file).read_text(encoding="utf-8")
