"""What a running node says: a greeting and a line a block on a terminal, one JSON object a line elsewhere.

A line that the reader does not take is dropped and counted, never waited for: a node must not stand still because
nobody reads its pipe. Never: shows a private key, other than those of the public test phrase.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from typing import IO, TYPE_CHECKING, Protocol

import click

from contractvm.cli.frame import Settings
from contractvm.cli.output import number
from contractvm.cli.problem import say
from contractvm.cli.values import checksum, ether
from contractvm.errors import ContractVMError

if TYPE_CHECKING:
    from contractvm.node.feed import News
    from contractvm.node.node import Node
    from contractvm.transaction import Transaction

WAITING = 10_000
"""Lines that may wait for a reader."""
PAUSE = 0.02
"""Seconds that lines gather before they are written: to wake a thread for each costs more than a line."""


class Lines(Protocol):
    """Listens to a node's feed, and tells of its beginning and its end."""

    def listening(self, node: Node, url: str) -> None: ...

    def sealed(self, news: News) -> None: ...

    def arrived(self, transaction: Transaction) -> None: ...

    def fell_back(self, code_hash: bytes, problem: ContractVMError) -> None: ...

    def ended(self) -> None: ...

    def close(self) -> None: ...


class JsonLines:
    """For programs: `event` says what a line is about; amounts of gas and heights are numbers. `quiet`: no blocks."""

    def __init__(self, stream: IO[str], quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._queue: queue.Queue[dict[str, object] | None] = queue.Queue(WAITING)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="contractvm-log", daemon=True)
        self._thread.start()

    def listening(self, node: Node, url: str) -> None:
        chain = node.chain
        self._say(
            event="listening",
            url=url,
            chainId=chain.chain_id,
            height=chain.head.number,
            data=None if node.config.data is None else str(node.config.data),
            accounts=["0x" + address.hex() for address in node.keys],
        )

    def sealed(self, news: News) -> None:
        if self._quiet:
            return
        header = news.block.header
        self._say(
            event="block",
            number=header.number,
            hash="0x" + header.hash.hex(),
            transactions=len(news.block.transactions),
            gasUsed=header.gas_used,
            timestamp=header.timestamp,
        )

    def arrived(self, transaction: Transaction) -> None:
        """Its block tells of it."""

    def fell_back(self, code_hash: bytes, problem: ContractVMError) -> None:
        self._say(event="portable", codeHash="0x" + code_hash.hex(), reason=str(problem))

    def ended(self) -> None:
        self._say(event="ended")

    def close(self) -> None:
        """Write what waits, for as long as somebody reads."""
        try:
            self._queue.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(1)

    def _say(self, **facts: object) -> None:
        try:
            if self._dropped:
                self._queue.put_nowait({"event": "dropped", "lines": self._dropped})
                self._dropped = 0
            self._queue.put_nowait(facts)
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while (facts := self._queue.get()) is not None:
            try:
                self._stream.write(json.dumps(facts) + "\n")
                if self._queue.empty():
                    self._stream.flush()
                    time.sleep(PAUSE)
            except (OSError, ValueError):  # nobody reads any more
                return


class Terminal:
    """For people."""

    def __init__(self, settings: Settings) -> None:
        self._quiet = settings.quiet
        self._node: Node | None = None

    def listening(self, node: Node, url: str) -> None:
        from contractvm.devaccounts import TEST_PHRASE

        self._node = node
        chain, config = node.chain, node.config
        where = "in memory: it is gone when the node ends" if config.data is None else f"in {config.data}"
        public = config.mnemonic == TEST_PHRASE
        click.echo()
        for index, (address, secret) in enumerate(node.keys.items() if not self._quiet else ()):
            balance = f"{ether(chain.world().balance(address))} ether"
            key = f"  0x{secret.hex()}" if public else ""
            click.echo(f"  {index:>3}  {checksum(address)}  {balance}{click.style(key, dim=True)}")
        if node.keys and not self._quiet:
            click.echo()
            known = "the keys are public: never send anything of worth to these accounts"
            click.secho(f"  {known if public else 'the keys are those of --mnemonic'}\n", fg="yellow")
        click.echo(f"  chain {chain.chain_id}, block {number(chain.head.number)}, {where}")
        click.secho(f"  listening on {url}", fg="green", bold=True)
        click.echo("  Ctrl-C ends it\n")

    def sealed(self, news: News) -> None:
        header, transactions = news.block.header, news.block.transactions
        if self._quiet or (self._node is not None and not self._node.talkative):
            return
        failed = sum(not receipt.ok for receipt in news.receipts) if transactions else 0
        count = len(transactions)
        what = f"{number(count)} transaction{'s' * (count != 1)}" if count else "empty"
        text = f"  {time.strftime('%H:%M:%S')}  block {number(header.number):<9}  {what:<18}"
        if count:
            text += f"  {number(header.gas_used):>12} gas"
        click.echo(text + (click.style(f"  {failed} failed", fg="red") if failed else ""))

    def arrived(self, transaction: Transaction) -> None:
        """Its block tells of it."""

    def fell_back(self, code_hash: bytes, problem: ContractVMError) -> None:
        say(f"code 0x{code_hash.hex()[:8]}.. runs on the portable tier: {problem}", label="warning")

    def ended(self) -> None:
        click.echo("\n  ended; every block is kept" if not self._quiet else "", nl=not self._quiet)

    def close(self) -> None:
        """Nothing waits."""
