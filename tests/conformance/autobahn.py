"""
Autobahn's cases against our sockets: ``python -m tests.conformance.autobahn [GROUP ...]``.

Without arguments all of groups 1 to 7, 9 and 10 run, on asyncio (uvloop) and on trio. A case
passes as Autobahn counts it: OK, NON-STRICT and INFORMATIONAL do. Groups 12 and 13 are about
compression, which is not offered. Exit status 1 if any case fails.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import anyio
import kosoku

if TYPE_CHECKING:
    from kosoku._kosoku import CaseResult

GROUPS: Final = ("1", "2", "3", "4", "5", "6", "7", "9", "10")
BACKENDS: Final = ("asyncio", "trio")
# The kernel and the echo share the machine with the cases; more at one time is not faster.
CASES_AT_ONCE = 4


def main(groups: Sequence[str]) -> int:
    """Run the groups on each backend, print a line for each case that fails, and count."""
    failed = 0
    for backend in BACKENDS:
        began = time.perf_counter()
        results = run(backend, [f"{group}.*" for group in groups])
        wrong = [result for result in results if not result.passed]
        for result in wrong:
            print(f"{backend}: {line_of(result)}")
        verdicts = Counter(result.behavior.value for result in results)
        counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        seconds = time.perf_counter() - began
        passed = f"{len(results) - len(wrong)} of {len(results)} pass"
        print(f"{backend}: {passed} in {seconds:.0f} s ({counts})")
        failed += len(wrong) + (not results)
    return 1 if failed else 0


def run(backend: str, cases: Sequence[str]) -> list[CaseResult]:
    """Start an echo, and run cases against it."""
    command = [sys.executable, "-m", "tests.conformance.echo", backend]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as echo:
        assert echo.stdin is not None
        assert echo.stdout is not None
        url = echo.stdout.readline().decode().strip()
        try:
            return anyio.run(results_of, url, cases)
        finally:
            echo.stdin.close()


async def results_of(url: str, cases: Sequence[str]) -> list[CaseResult]:
    """Return the outcome of each case, also if some fail."""
    try:
        return list(await kosoku.run_fuzzingclient(url, cases, concurrency=CASES_AT_ONCE))
    except kosoku.FailureError as error:
        return list(error.results)


def line_of(result: CaseResult) -> str:
    """Say what was wrong with a case."""
    close = f"close: {result.behavior_close.value} ({result.result_close})"
    return f"case {result.case_id}: {result.behavior.value}, {close}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or GROUPS))
