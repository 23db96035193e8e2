"""`contractvm demo`: the whole way once, on a chain of its own: source, wasm, deployment, calls, proof, restart.

Each line tells what was just done or measured. Never: a canned answer; a step that fails ends the demo with its error.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from contractvm.chain import Chain
from contractvm.cli.facts import Mined
from contractvm.cli.frame import COMMON, Command, Settings, pass_settings
from contractvm.cli.local import LocalChain, outcome
from contractvm.cli.output import number, seconds
from contractvm.cli.parts import gas_by_part
from contractvm.cli.problem import Problem
from contractvm.cli.send import Sending, transact
from contractvm.cli.signer import Signer
from contractvm.cli.storage import check
from contractvm.cli.tiers import machines, tier_option
from contractvm.cli.values import checksum, ether
from contractvm.devaccounts import dev_accounts
from contractvm.errors import Fatal
from contractvm.execute import Message
from contractvm.rules import contract_rules
from contractvm.types import Address
from contractvm.wasm.decode import FloatRefused, decode
from contractvm.wasm.validate import validate
from sdk.abi import Event, Function, show
from sdk.build import build
from sdk.compiler.layout import prefix
from state.directory import open_store

SOURCE = Path("contracts/token/token.py")
GOLDEN = Path(__file__).parent / "golden" / "token.wasm"
"""The same contract built beforehand, for where the source is not; a test builds it again and compares."""
FLOATS = Path(__file__).parent / "golden" / "floats.wasm"
SUPPLY = 1_000_000 * 10**18
TRANSFER = Function.parse("transfer(address,uint256)(bool)")
BALANCE_OF = Function.parse("balanceOf(address)(uint256)")
TRANSFERRED = Event.parse("Transfer(address indexed from, address indexed to, uint256 value)")
NOTHING_CHOSEN = Sending(value=0, gas_limit=None, gas_price=None, priority_gas_price=None, nonce=None, legacy=False)


@click.command(cls=Command)
@tier_option
@pass_settings
def demo(settings: Settings, tier: str) -> None:
    """Show everything once, on a chain of its own.

    Uses a temporary directory, or the one that --data names, which must not exist yet and is kept.
    """
    if settings.json:
        raise Problem("the demo is for people", "the commands it names at its end all take --json")
    given = click.get_current_context().find_root().meta.get(f"{COMMON}data")
    if given is not None:
        if Path(given).exists():
            raise Problem(f"{given} exists already", "name a directory that does not, or leave --data out")
        Demo(settings, Path(given), tier).run()
        Teller.line(f"The chain is kept in {given}: contractvm --data {given} block")
        return
    with tempfile.TemporaryDirectory(prefix="contractvm-demo-") as folder:
        Demo(settings, Path(folder) / "chain", tier).run()


def tokens(amount: int) -> str:
    """An amount of the demo's token, which has ether's 18 decimals."""
    whole, dot, decimals = ether(amount).partition(".")
    return f"{number(int(whole))}{dot}{decimals} CVM"


class Teller:
    """Prints the story: numbered steps, facts below them."""

    def __init__(self) -> None:
        self._step = 0

    def step(self, title: str, why: str) -> None:
        self._step += 1
        click.echo()
        click.echo(f"{click.style(f'{self._step}. {title}', fg='green', bold=True)}  {click.style(why, dim=True)}")

    def fact(self, label: str, value: object) -> None:
        click.echo(f"   {click.style(label.ljust(14), fg='cyan')} {value}")

    @contextmanager
    def timed(self, label: str) -> Iterator[list[str]]:
        """Time the block; what it appends to the list is told with the time."""
        said: list[str] = []
        started = time.perf_counter()
        yield said
        took = time.perf_counter() - started
        self.fact(label, "  ".join([*said, click.style(f"[{seconds(took)}]", dim=True)]))

    @staticmethod
    def line(text: str) -> None:
        click.echo(text)


class Demo:
    """One run of the demo, on a data directory that does not exist yet."""

    def __init__(self, settings: Settings, folder: Path, tier: str) -> None:
        self.folder = folder
        self.machines = machines(settings, tier)
        self.tell = Teller()
        self.accounts = [Signer(account.address, account.secret) for account in dev_accounts()[:3]]

    def run(self) -> None:
        """All steps in order. Raises: what a step raises."""
        self.tell.line("A token in Python, from its source to a Merkle proof of a balance, all of it here and now.")
        code = self.build()
        self.validate(code)
        with Chain(open_store(self.folder, create=True), machines=self.machines) as chain:
            token = self.deploy(chain, code)
            receipt = self.transfer(chain, token)
            self.explain_gas(chain, token, receipt)
            self.estimate(chain, token)
            self.revert(chain, token)
            self.prove(chain, token)
            root, balance = chain.head.state_root, self.balance(chain, token, self.accounts[1].address)
        self.reopen(token, root, balance)
        self.refuse_floats()
        self.next_steps()

    def build(self) -> bytes:
        source = next((root / SOURCE for root in (Path(), *Path(__file__).parents) if (root / SOURCE).is_file()), None)
        if source is None:
            self.tell.step("Build", "the examples are not installed here, so the token comes as it was built before")
        else:
            lines = len(source.read_text(encoding="utf-8").splitlines())
            self.tell.step("Build", f"{SOURCE}, {lines} lines of typed Python")
        with self.tell.timed("token.wasm") as said:
            artifact = build(GOLDEN if source is None else source)
            said.append(f"{number(len(artifact.code))} bytes of WebAssembly")
        return artifact.code

    def validate(self, code: bytes) -> None:
        self.tell.step("Validate", "every rule of the specification, every limit of the chain, no floats anywhere")
        rules = contract_rules()
        with self.tell.timed("accepted") as said:
            module = decode(code, rules)
            validate(module, rules)
            instructions = sum(len(f.code.ops) for f in module.functions)
            said.append(f"{len(module.functions)} functions, {number(instructions)} instructions")
        self.tell.fact("imports", " ".join(i.name for i in module.imports))

    def deploy(self, chain: Chain, code: bytes) -> Address:
        self.tell.step("Deploy", "a signed transaction; the constructor runs; one synced batch holds the block")
        data = code + SUPPLY.to_bytes(32, "big")
        with self.tell.timed("block 1") as said:
            receipt = self.sent(chain, self.accounts[0], None, data)
            said.append(f"{number(receipt.gas_used)} gas")
        if receipt.created is None:
            raise Fatal(f"the token was not deployed: {receipt}")
        self.tell.fact("token", checksum(receipt.created))
        self.tell.fact("supply", f"{tokens(SUPPLY)}, all of it account 0's")
        return receipt.created

    def transfer(self, chain: Chain, token: Address) -> Mined:
        self.tell.step("Transfer", "two transactions, two blocks")
        first, second, third = self.accounts
        receipt = None
        for sender, target, amount in ((first, second, 250), (second, third, 100)):
            with self.tell.timed(f"{amount} CVM") as said:
                data = TRANSFER.encode(target.address, amount * 10**18)
                receipt = self.sent(chain, sender, token, data)
                said.append(f"{checksum(sender.address)[:8]} -> {checksum(target.address)[:8]}")
                said.append(f"{number(receipt.gas_used)} gas")
        if receipt is None or not receipt.ok:
            raise Fatal(f"a transfer failed: {receipt}")
        log = receipt.logs[0]
        sender_, target_, value = TRANSFERRED.decode_log(log.topics, log.data)
        self.tell.fact("event", f"Transfer({show(sender_)}, {show(target_)}, {show(value)})")
        for index, account in enumerate(self.accounts):
            self.tell.fact(f"account {index}", tokens(self.balance(chain, token, account.address)))
        return receipt

    def explain_gas(self, chain: Chain, token: Address, receipt: Mined) -> None:
        self.tell.step("Receipt", "where the gas went: the same transfer again with one group of prices at zero")
        included = chain.transaction(receipt.transaction_hash)
        if included is None:
            raise Fatal("a mined transaction is not on the chain")
        tx, block = included.transaction, receipt.block_number
        message = Message(tx.sender, token, 0, tx.data, tx.gas_limit)
        spent, parts = gas_by_part(chain.rules, message, lambda: chain.world(block - 1), chain.context(block))
        for part in parts:
            self.tell.fact(number(part.gas).rjust(14), part.name)
        self.tell.fact(number(spent).rjust(14), f"gas in all, {ether(receipt.gas_used * receipt.gas_price)} ether")

    def estimate(self, chain: Chain, token: Address) -> None:
        self.tell.step("Estimate", "the smallest limit that works, and proof that it is the smallest")
        first, second, _ = self.accounts
        message = Message(first.address, token, 0, TRANSFER.encode(second.address, 10**18))
        found = chain.estimate(message)
        less = chain.call(replace(message, gas_limit=found.gas - 1), "pending")
        self.tell.fact(number(found.gas), "succeeds")
        self.tell.fact(number(found.gas - 1), outcome(less).reason)

    def revert(self, chain: Chain, token: Address) -> None:
        self.tell.step("Revert", "account 2 sends more than it has; the state stays as it was")
        third, first = self.accounts[2], self.accounts[0]
        data = TRANSFER.encode(first.address, 500 * 10**18)
        receipt = self.sent(chain, third, token, data, gas_limit=100_000)
        self.tell.fact("mined", f"status {int(receipt.ok)}, {number(receipt.gas_used)} gas of {number(100_000)}")
        self.tell.fact("because", receipt.reason)
        self.tell.fact("account 2", tokens(self.balance(chain, token, third.address)))

    def prove(self, chain: Chain, token: Address) -> None:
        self.tell.step("Prove", "the state root commits to every balance; any Ethereum tool can check this proof")
        key = prefix("Token.balance_of") + self.accounts[1].address
        with self.tell.timed("checked") as said:
            proof = chain.proof(token, [key])
            check(chain.head.state_root, token, [key], proof)
            nodes = [*proof.proof, *proof.storage[0].proof]
            said.append(f"{len(nodes)} nodes, {number(sum(map(len, nodes)))} bytes")
        self.tell.fact("state root", f"0x{chain.head.state_root.hex()}")
        self.tell.fact("account 1", f"{tokens(int.from_bytes(proof.storage[0].value, 'little'))}, proven")

    def reopen(self, token: Address, root: bytes, balance: int) -> None:
        self.tell.step("Reopen", "close the database, open it again, look")
        with self.tell.timed("opened") as said:
            chain = Chain(open_store(self.folder, create=False), machines=self.machines)
            said.append(f"{chain.identity.backend}, block {chain.head.number}")
        with chain:
            if (chain.head.state_root, self.balance(chain, token, self.accounts[1].address)) != (root, balance):
                raise Fatal("the chain came back different")
            self.tell.fact("the same", f"state root, and account 1's {tokens(balance)}")

    def refuse_floats(self) -> None:
        self.tell.step(
            "Refuse", "a module that mentions floats never gets in, because rounding is not the same everywhere"
        )
        try:
            decode(FLOATS.read_bytes(), contract_rules())
        except FloatRefused as refusal:
            self.tell.fact("refused", refusal)
        else:
            raise Fatal("a module with floats was accepted")

    def next_steps(self) -> None:
        program = os.path.relpath(sys.argv[0])
        where = "" if shutil.which("contractvm") else f" (contractvm is {program})"
        self.tell.line(f"\nNow yourself{where}:")
        for command, what in (
            ("contractvm new mytoken", "a project with a contract and its test"),
            ("contractvm node", "the chain, for web3.py, ethers, viem, cast and your browser"),
            ("contractvm run contracts/lessons/hello.wat", "any wasm, metered"),
            ("contractvm inspect contracts/token/token.py --code", "what each line of code costs"),
            ("contractvm --help", "the rest"),
        ):
            click.echo(f"   {click.style(command.ljust(52), bold=True)} {what}")

    def sent(
        self, chain: Chain, signer: Signer, to: Address | None, data: bytes, *, gas_limit: int | None = None
    ) -> Mined:
        """Send a transaction and see it mined."""
        chosen = replace(NOTHING_CHOSEN, gas_limit=gas_limit)
        return transact(LocalChain(chain, self.folder), signer, to, data, chosen)

    def balance(self, chain: Chain, token: Address, owner: Address) -> int:
        answer = chain.call(Message(owner, token, 0, BALANCE_OF.encode(owner)))
        if not answer.ok:
            raise Fatal(f"balanceOf failed: {outcome(answer).reason}")
        return int.from_bytes(answer.output, "big")
