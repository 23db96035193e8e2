"""Stubs: what mypy says of calls through them, names that cannot be Python's, and JSON that is no ABI."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

from sdk.bindings import class_name, read_json, snake_case, stub
from sdk.errors import BuildError
from sdk.interface import Interface

ROOT = Path(__file__).parents[2]
TOKEN = Interface().extended(
    [
        "constructor(uint256 supply)",
        "transfer(address to, uint256 amount) returns (bool)",
        "balanceOf(address) view returns (uint256)",
        "f(uint8 from, bytes4) returns (uint8 a, (string,bool)[] b)",
        "f(string x)",
        "move(struct Point(int8 x, int8 y)[2] path) returns (bytes32)",
        "import(uint8 import) returns (address)",
        "address() view returns (address)",
    ]
)


BODY = 5
"""The line of a file that is checked where its function's body begins."""


def checked(folder: Path, *lines: str) -> list[tuple[int, str]]:
    """What mypy says, by line, of a function of `t: Token` and `chain: MockChain` with these lines."""
    (folder / "token_types.pyi").write_text(stub("Token", TOKEN), encoding="utf-8")
    body = "".join(f"    {line}\n" for line in lines)
    imports = "from pathlib import Path\nfrom sdk.testing import Deployed, MockChain\nfrom token_types import Token\n"
    source = f"{imports}def f(t: Token, chain: MockChain) -> None:\n{body}"
    (folder / "use.py").write_text(source, encoding="utf-8")
    config = folder / "mypy.ini"
    config.write_text(f"[mypy]\nstrict = True\nmypy_path = {folder}:{ROOT}\nfollow_imports = silent\n")
    files = [str(folder / "use.py"), str(folder / "token_types.pyi")]
    said, problem, _ = api.run(["--config-file", str(config), "--cache-dir", str(folder / "cache"), *files])
    assert not problem, problem
    places = [line.split(":", 2) for line in said.splitlines() if ".py" in line]
    return [(int(number), text) for _, number, text in places]


def test_calls_that_fit(tmp_path: Path) -> None:
    said = checked(
        tmp_path,
        "done: bool = t.transfer(bytes(20), 5, sender=bytes(20))",
        "have: int = t.balance_of(t) + t.balanceOf('0x00')",
        "gas: int = t.transfer.tx(to=t, amount=4).gas_used",
        "data: bytes = t.transfer.encode(t, 4)",
        "number, pairs = t.f(5, b'abcd')",
        "text: str = pairs[0][0]",
        "t.f('x')",
        "word: bytes = t.move([(1, 2), (3, 4)])",
        "who: bytes = t.import_(import_=3)",
        "deployed: Token = chain.deploy(Token, 5, sender=t, label='t')",
        "any_other: Deployed = chain.deploy(Path('token.c'), 5, value=1)",
    )
    assert said == []


MISTAKES = {
    "t.transfer('0x00')": 'Missing positional argument "amount"',
    "t.transfer('0x00', 'five')": 'incompatible type "str"; expected "int"',
    "t.balanceOf(who='0x00')": "argument",
    "s: str = t.balanceOf('0x00')": "Incompatible types in assignment",
    "t.f()": "overload variants",
    "chain.deploy(Token)": '"deploy" of "MockChain"',
    "chain.deploy(Token, 'five')": '"deploy" of "MockChain"',
}


def test_calls_that_do_not_fit(tmp_path: Path) -> None:
    said = checked(tmp_path, *MISTAKES)
    for number, (line, problem) in enumerate(MISTAKES.items(), BODY):
        assert any(place == number and problem in text for place, text in said), f"{line}: {said}"


@pytest.mark.parametrize(
    ("name", "snake"),
    [("balanceOf", "balance_of"), ("DOMAIN_SEPARATOR", "DOMAIN_SEPARATOR"), ("tokenURI", "token_uri"), ("f", "f")],
)
def test_names_as_python_spells_them(name: str, snake: str) -> None:
    assert snake_case(name) == snake


def test_only_names_that_the_kit_knows_are_there() -> None:
    text = stub("T", Interface().extended(["tokenURI(uint256)", "ownerOf(uint256)"]))
    assert "    owner_of: _OwnerOf\n" in text
    assert "    tokenURI: _TokenURI\n" in text
    assert "token_uri" not in text


def test_class_names_come_from_files() -> None:
    names = [class_name(Path(name)) for name in ("my-token.abi.json", "token.c", "7up.json")]
    assert names == ["MyToken", "Token", "Contract7up"]


def test_json_that_is_no_abi_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "abi.json"
    for text in ("{", '{"abi": 3}', '[{"type": "function"}]'):
        path.write_text(text)
        with pytest.raises(BuildError, match=r"abi\.json: "):
            read_json(path)
    path.write_text('{"abi": [{"type": "function", "name": "f", "stateMutability": "view"}]}')
    assert read_json(path).functions == ("f() view",)
