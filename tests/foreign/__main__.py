"""
Puts promises of other people's libraries to the test: ``nox -s foreign -- [--write] [NAME…]``.

It fails if a library does other than ``tests/foreign`` says. ``--write`` updates the table of
``docs/explanation/testing.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import anyio

from . import caches, locks, pools, queues, services, streams
from .case import Case, Outcome, tried
from .reproductions import REPRODUCTIONS, Reproduction

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "testing.md"
BEGIN, END = "<!-- made by nox -s foreign -->\n", "<!-- until here -->"
CASES = [*services.CASES, *caches.CASES, *queues.CASES, *streams.CASES, *locks.CASES, *pools.CASES]


def main(words: list[str]) -> int:
    """Try all cases, or those of some libraries; return how many surprise."""
    names = [word for word in words if not word.startswith("--")]
    chosen = [case for case in CASES if not names or case.library in names]
    surprises = 0
    rows: list[tuple[Case, list[Outcome | None]]] = []
    for case in chosen:
        outcomes = outcomes_of(case)
        rows.append((case, outcomes))
        print(row(case, outcomes))
        for outcome in outcomes:
            if outcome is not None and (outcome.error is None) != (case.breaks is None):
                surprises += 1
                print(f"SURPRISE in {case.run.__name__}:\n{outcome.error}")
    if not names:
        surprises += reproduced()
    if "--write" in words and not names and not surprises:
        write(rows)
    return surprises


def reproduced() -> int:
    """Reproduce without the simulation what it found; return how much could not be."""
    failed = 0
    for backend, functions in REPRODUCTIONS:
        for function in functions:
            # They sleep in real time, which a busy machine stretches.
            if any(happens(function, backend) for _ in range(3)):
                print(f"reproduced on plain {backend}: {function.__name__}")
            else:
                failed += 1
                print(f"NOT REPRODUCED on {backend}: {function.__name__}")
    return failed


def happens(function: Reproduction, backend: str) -> bool:
    """Return whether something happens on a plain event loop."""
    try:
        anyio.run(function, backend=backend)
    except AssertionError:
        return False
    return True


def outcomes_of(case: Case) -> list[Outcome | None]:
    """Try a case on both event loops, or None where the library is not for it."""
    return [
        tried(case, backend) if backend in case.backends else None
        for backend in ("asyncio", "trio")
    ]


def row(case: Case, outcomes: Iterable[Outcome | None]) -> str:
    """Return a row of the table."""
    seen = [
        "–" if outcome is None else "holds" if outcome.error is None else f"seed {outcome.seed}"
        for outcome in outcomes
    ]
    what = case.breaks or f"nothing in {case.seeds} seeds"
    known = f" ({case.known})" if case.known else ""
    return f"| {' | '.join([case.name, case.promise, *seen, what + known])} |"


def write(rows: list[tuple[Case, list[Outcome | None]]]) -> None:
    """Put the table onto the page, with what breaks first."""
    head = "| library | promise | asyncio | trio | found |\n| --- | --- | --- | --- | --- |\n"
    ordered = sorted(rows, key=lambda each: each[0].breaks is None)
    lines = [row(case, outcomes) + "\n" for case, outcomes in ordered]
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{head}{''.join(lines)}\n{END}{rest.split(END, 1)[1]}")


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 100))
