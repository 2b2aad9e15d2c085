"""
Ask a real server everything that its OpenAPI describes, by schemathesis: ``nox -s fuzz``.

    python -m tests.fuzzing.described SECONDS FOLDER

A guest and an admin ask (in a short run, one of them on each event loop), with arguments that
fit the description and others that do not. Every response must fit it as well. ``FOLDER`` keeps
the failures, which the next run tries first.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.blackbox.raw import Raw
from tests.blackbox.served import Backend, served

__all__ = ["ENDING", "commands"]

PASSWORD: Final = "correct horse battery"
# A client that is refused for its pace is not fuzzed, and neither is one whose token has expired.
SETTINGS: Final = (
    *("message_limit=1000000", "requests_per_second=1000000", "password_attempts=1000000"),
    "token_seconds=86400",
)
# They end the session that asks, so they are asked last.
ENDING: Final = ("users.sign_out", "users.change_password")
# They wait: for events, and for another player.
WAITING: Final = ("events", "games.find_match")
# The description does not have every rule: that a room must exist, or a text not be empty.
UNCHECKED: Final = ("positive_data_acceptance",)
# Each limit and each type that the description has, and what is just outside: always the same.
COVERAGE: Final = ("--phases", "coverage")
DRAWN: Final = (
    *("--phases", "fuzzing,stateful", "--max-examples", "20"),
    # Hypothesis itself keeps nothing in CI.
    *("--generation-database", "examples"),
)


def commands(address: str, tokens: Sequence[str], seconds: float) -> list[list[str]]:
    """
    Return the commands that ask a server: as each user, and at last what ends a session.

    Args:
        address: the server's, ``http://…``.
        tokens: of the users.
        seconds: for what is drawn, beside the cases that are always tried; may be 0.
    """
    others = [word for name in (*ENDING, *WAITING) for word in ("--exclude-operation-id", name)]
    ending = [word for name in ENDING for word in ("--include-operation-id", name)]
    found = [_command(address, token, COVERAGE, *others) for token in tokens]
    if (share := int(seconds / len(tokens))) > 0:
        drawn = (*DRAWN, "--max-time", str(share))
        found += [_command(address, token, drawn, *others) for token in tokens]
    return [*found, _command(address, tokens[0], COVERAGE, *ending)]


def _command(address: str, token: str, phases: Sequence[str], *operations: str) -> list[str]:
    return [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--checks", "all", "--exclude-checks", ",".join(UNCHECKED)),
        *("--warnings", "off", "--continue-on-failure", "--no-color"),
        *phases,
        *operations,
    ]


def ask(backend: Backend, seconds: float, folder: Path) -> int:
    """Ask a server on an event loop; return how many of the commands failed."""
    arguments = [word for setting in SETTINGS for word in ("--set", setting)]
    environment = {"HUBBUB_ADMIN_PASSWORD": PASSWORD}
    with (
        tempfile.TemporaryDirectory() as home,
        served(
            backend, Path(home), "--demo", "--admin", "root", *arguments, environment=environment
        ) as server,
    ):
        with Raw(server.port) as admin, Raw(server.port) as guest:
            admin.upgrade()
            root = admin.result("session.sign_in", name="root", password=PASSWORD)
            tokens = [guest.sign_in("Ann")["token"], root["token"]]
        # In a short run each server is asked as one of them.
        tokens = tokens if seconds else [tokens[backend == "trio"]]
        address = f"http://127.0.0.1:{server.port}"
        failed = [run(one, folder / backend) for one in commands(address, tokens, seconds)]
        # What fails in a task of its own is answered with no 500.
        assert server.alive, server.log[-2_000:]
        assert not server.tracebacks, server.log[-2_000:]
    return failed.count(True)


def run(command: Sequence[str], folder: Path) -> bool:
    """Run schemathesis where it keeps what it found; return whether it found a fault."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    counted = [line.strip() for line in done.stdout.splitlines() if " generated, " in line]
    failed = done.returncode != 0
    print(done.stdout + done.stderr if failed else f"{folder.name}: {counted}", flush=True)
    return failed


def main(seconds: str, where: str) -> int:
    """Ask a server on each event loop; return how many of the commands failed."""
    folder = Path(where).resolve()

    def on(backend: Backend) -> int:
        return ask(backend, float(seconds), folder)

    backends: tuple[Backend, Backend] = ("asyncio", "trio")
    with ThreadPoolExecutor(len(backends)) as pool:
        return sum(pool.map(on, backends))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
