"""
Everything that is checked, one session each: ``nox`` runs them in order, the cheap first.

``nox -s asyncio -- tests/chat -x`` hands arguments on to pytest; ``nox -R`` does not install
again; ``nox --no-venv`` uses the environment that is active.
"""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2026.10"
# uv makes an environment in seconds; pip does it as well.
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True

PROJECT = nox.project.load_toml("pyproject.toml")
ROOT = Path(__file__).parent

# Both plugins would claim every async test, so each runs with the other switched off.
ON_ASYNCIO = ["-p", "no:anyio", "--asyncio-mode=auto"]
ON_TRIO = ["-p", "no:asyncio", "--anyio-mode=auto"]

# What the tests cover is measured in CI: it takes as long again as to test.
MEASURED = bool(os.environ.get("CI"))

# Where it matters which event loop it is: what is written for each, and what tests them all.
# To measure takes as long again as to test, and the rest is the same on both.
ON_A_LOOP = ["tests/client", "tests/server", "tests/testing"]

# The rest would do the same there as on asyncio's own loop.
ON_UVLOOP = [
    *("tests/client", "tests/faults", "tests/journal", "tests/server", "tests/session"),
    "tests/test_hub.py",
    # On asyncio the server that they start is on uvloop already.
    *("--ignore=tests/faults/test_junk.py", "--ignore=tests/faults/test_rpc_fuzz.py"),
]

# The page is the same whatever serves it; that it is served, and what ends and loses a
# connection, is tried with both.
BROWSER_ON_TRIO = "two_windows or loses_the_network or to_sign_out or play_to_the_end"

# One of three tests waits for something that is not a processor.
PARALLEL = ["--numprocesses=3", "--dist=loadfile"]

# What is pure is easily tested to the last branch.
PURE = [
    "src/hubbub/errors.py",
    "src/hubbub/ids.py",
    "src/hubbub/money.py",
    "src/hubbub/permissions.py",
    "src/hubbub/ratelimit.py",
    "src/hubbub/service.py",
    "src/hubbub/settings.py",
    "src/hubbub/text.py",
    "src/hubbub/journal/schedule.py",
    "src/hubbub/journal/event.py",
    "src/hubbub/server/address.py",
    "src/hubbub/server/websocket/frames.py",
    "src/hubbub/wire/*",
    "src/hubbub/chat/events.py",
    "src/hubbub/chat/rooms/room.py",
    "src/hubbub/games/boards/board.py",
    "src/hubbub/games/matches/ending.py",
    "src/hubbub/games/events.py",
    "src/hubbub/games/matches/game.py",
    "src/hubbub/games/matches/match.py",
    "src/hubbub/games/matchmaking/pool.py",
    "src/hubbub/games/matches/commands.py",
    "src/hubbub/games/boards/ranking.py",
    "src/hubbub/games/matches/rating.py",
    "src/hubbub/games/matches/rules.py",
    "src/hubbub/games/boards/commands.py",
    "src/hubbub/shop/carts/cart.py",
    "src/hubbub/shop/catalog/coupon.py",
    "src/hubbub/shop/events.py",
    "src/hubbub/shop/carts/commands.py",
    "src/hubbub/shop/orders/order.py",
    "src/hubbub/shop/orders/commands.py",
    "src/hubbub/shop/carts/totals.py",
    "src/hubbub/shop/catalog/product.py",
    "src/hubbub/shop/carts/tax.py",
    "src/hubbub/users/account.py",
    "src/hubbub/users/events.py",
    "src/hubbub/users/user.py",
]
# A whole round of fuzzing takes about so long.
FUZZ_SECONDS = 120.0
COVERED_MIN_PERCENT = 90
COVERED_PURE_MIN_PERCENT = 95


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format, types, layers and sizes."""
    install(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports")
    session.run("pytest", "-q", *ON_ASYNCIO, "tests/test_tidy.py")


@nox.session
def asyncio(session: nox.Session) -> None:
    """Run all tests on asyncio, by pytest-asyncio, and measure in CI what they cover."""
    install(session, "test")
    run_tests(session, ON_ASYNCIO, session.posargs, measured=MEASURED)


@nox.session
def trio(session: nox.Session) -> None:
    """Run all tests on trio, by anyio's plugin, and measure in CI what asyncio does not run."""
    install(session, "test")
    if session.posargs or not MEASURED:
        run_tests(session, ON_TRIO, session.posargs)
        return
    run_tests(session, ON_TRIO, ON_A_LOOP, measured=True)
    run_tests(session, ON_TRIO, [f"--ignore={path}" for path in ON_A_LOOP])


@nox.session
def uvloop(session: nox.Session) -> None:
    """Run on uvloop, by pytest-asyncio, what touches sockets, threads and timers."""
    install(session, "test")
    session.env["HUBBUB_TEST_LOOP"] = "uvloop"
    run_tests(session, ON_ASYNCIO, session.posargs or ON_UVLOOP)


@nox.session(default=MEASURED)
def coverage(session: nox.Session) -> None:
    """Say what the last run on each event loop left untested."""
    if session.virtualenv.is_sandboxed:
        session.install("coverage>=7.17")
    session.run("coverage", "combine", "--keep", "--quiet")
    report = ["coverage", "report", "--keep-combined"]
    session.run(*report, f"--fail-under={COVERED_MIN_PERCENT}")
    pure = f"--include={','.join(PURE)}"
    session.run(*report, pure, f"--fail-under={COVERED_PURE_MIN_PERCENT}")


@nox.session
def browser(session: nox.Session) -> None:
    """Use the web page in Chromium; screenshots are kept in screenshots/."""
    install(session, "browser")
    flags = [*ON_ASYNCIO, "--numprocesses=2", "--dist=loadfile"]
    session.run("pytest", *flags, *(session.posargs or ["tests/browser"]))
    if not session.posargs:
        trio = {"HUBBUB_TEST_BACKEND": "trio"}
        session.run("pytest", *flags, "tests/browser", "-k", BROWSER_ON_TRIO, env=trio)


@nox.session
def docs(session: nox.Session) -> None:
    """Run the examples of the README and of docs/."""
    install(session, "docs")
    session.run("pytest", *ON_ASYNCIO, "--numprocesses=2", "tests/docs", *session.posargs)


@nox.session(default=False)
def site(session: nox.Session) -> None:
    """Build the documentation site in build/site; ``nox -s site -- serve`` shows it."""
    install(session, "docs")
    command = session.posargs or ["build", "--strict"]
    session.run("mkdocs", *command, "--config-file", ".mkdocs/mkdocs.yml")


@nox.session(default=False)
def image(session: nox.Session) -> None:
    """Carry out the Dockerfile's installation, without Docker, in an environment of its own."""
    install(session, "docs")
    env = {"HUBBUB_TEST_IMAGE": "1"}
    session.run("pytest", "-q", *ON_ASYNCIO, "tests/docs/test_docker.py", env=env)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Drive the properties for some seconds, 60 by default: ``nox -s fuzz -- 600``."""
    install(session, "test")
    seconds = float(session.posargs[0]) if session.posargs else 60.0
    ends = time.monotonic() + seconds

    # Each round draws anew, and one that has begun is finished: for a minute it is a short one.
    profile = "fuzz" if seconds >= FUZZ_SECONDS else "short"
    flags = ["-m", "hypothesis", f"--hypothesis-profile={profile}", "--timeout=900"]
    flags += ["--tb=short", "-q", "--numprocesses=2"]
    for plugin in itertools.cycle([ON_ASYNCIO, ON_TRIO]):
        session.run("pytest", *flags, *plugin)
        if time.monotonic() >= ends:
            break


@nox.session(default=False)
def junk(session: nox.Session) -> None:
    """Send junk to a real server on each event loop: ``nox -s junk -- 20000 [SEED]``."""
    install(session, "test")
    connections, seed, *_ = [*session.posargs, *["20000", ""][len(session.posargs) :]]
    env = {"HUBBUB_JUNK_CONNECTIONS": connections, "HUBBUB_JUNK_SEED": seed}
    run_on_each(session, "tests/faults/test_junk.py", env)


@nox.session(default=False)
def attack(session: nox.Session) -> None:
    """Attack a real server in every way, each for some seconds: ``nox -s attack -- 20 [NAME]``."""
    install(session, "test")
    seconds, *names = session.posargs or ["20"]
    flags = ["-k", " or ".join(names)] if names else []
    run_on_each(session, "tests/attack", {"HUBBUB_ATTACK_SECONDS": seconds}, *flags)


@nox.session(default=False)
def autobahn(session: nox.Session) -> None:
    """Run Autobahn's cases on each event loop, all or some groups: ``nox -s autobahn -- 1 7``."""
    install(session, "conformance")
    session.run("python", "-m", "tests.conformance.autobahn", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure: ``nox -s bench -- --help`` says what."""
    install(session, "browser")
    session.run("python", "tests/bench/run.py", *session.posargs)


def install(session: nox.Session, group: str) -> None:
    if session.virtualenv.is_sandboxed:
        groups = nox.project.dependency_groups(PROJECT, group)
        session.install("--editable", ".[all]", *groups)


def run_on_each(session: nox.Session, tests: str, env: dict[str, str], *flags: str) -> None:
    """Run tests that print figures on each event loop, also if they fail on the first."""
    failed = []
    for plugin in (ON_ASYNCIO, ON_TRIO):
        try:
            session.run("pytest", "-q", "-s", "--tb=short", *plugin, tests, *flags, env=env)
        except CommandFailed as error:
            failed.append(str(error))
    if failed:
        session.error(f"The tests failed on {len(failed)} of 2 event loops.")


def run_tests(
    session: nox.Session, plugin: list[str], args: list[str], *, measured: bool = False
) -> None:
    python = ["python"]
    if measured:
        session.env["COVERAGE_FILE"] = str(ROOT / f".coverage.{session.name}")
        session.run("coverage", "erase")
        python = ["coverage", "run"]
    # The attacks, the page and the examples have sessions of their own.
    apart = [f"--ignore=tests/{name}" for name in ("attack", "browser", "docs")]
    flags = [*plugin, *apart, *PARALLEL]
    session.run(*python, "-m", "pytest", *flags, *args)
