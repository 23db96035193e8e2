"""Counts results and prints them: failures one by one, skips by reason, the totals last.

Assertions are counted; the commands that set them up (`module`, `register`, `action`) count only when they fail. The
modules that the profile refuses for their floats are counted apart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TextIO

from tests.spec.pack import DEPENDENT, FLOAT, FLOAT_MODULE, LIMIT, OUTSIDE, TEXT
from tests.spec.script import Result, Verdict

REASONS = {
    FLOAT: "has float operands or results",
    FLOAT_MODULE: "refused for floats: its module names one",
    TEXT: "about the text format",
    OUTSIDE: "needs a feature outside the profile",
    DEPENDENT: "stands on a module of another class",
    LIMIT: "is beyond a limit of Rules",
}


@dataclass(slots=True)
class Summary:
    """Totals of a run."""

    passed: int = 0
    failures: list[Result] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    setups_skipped: Counter[str] = field(default_factory=Counter)
    refused_modules: int = 0
    misclassified: list[Result] = field(default_factory=list)
    reworded: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count one result."""
        if result.verdict is Verdict.FAILED:
            self.failures.append(result)
        elif result.verdict is Verdict.SKIPPED:
            (self.skipped if result.command.is_assertion else self.setups_skipped)[result.reason] += 1
            if result.evidence:
                self.misclassified.append(result)
            self.refused_modules += result.reason == FLOAT_MODULE and result.command.filename is not None
        elif result.command.is_assertion:
            self.passed += 1
            if not result.worded:
                self.reworded.append(result)

    @property
    def total_line(self) -> str:
        return f"{self.passed} passed, {len(self.failures)} failed, {self.skipped.total()} skipped"

    def print(self, out: TextIO, wording: bool = False) -> None:
        """Write failures, wordings when asked, the table of skips and the total line."""
        for failure in self.failures:
            print(f"FAILED {failure.command} (command {failure.command.number})", file=out)
            print(f"       expected {failure.expected}\n       got      {failure.got}", file=out)
        for result in self.misclassified:
            given = result.command.given_class
            print(f"MISCLASSIFIED {result.command} is {result.reason}, not {given}: {result.evidence}", file=out)
        if wording:
            for result in self.reworded:
                print(f"REWORDED {result.command}: the script says {result.command.body['text']!r}", file=out)
        if self.skipped or self.setups_skipped:
            print(f"{'skipped by reason':<16} {'assertions':>10} {'other':>6}", file=out)
            for reason in sorted({*self.skipped, *self.setups_skipped}):
                counts = f"{self.skipped[reason]:>10,} {self.setups_skipped[reason]:>6,}"
                print(f"  {reason:<15} {counts}  {REASONS.get(reason, '')}".rstrip(), file=out)
        if self.refused_modules:
            print(f"{self.refused_modules:,} modules refused, each naming its float", file=out)
        if self.reworded:
            print(f"{len(self.reworded):,} passed with a refusal worded otherwise (--wording lists them)", file=out)
        print(self.total_line, file=out)
