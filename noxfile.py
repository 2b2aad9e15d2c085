"""
Everything that is checked, one session each: ``nox`` runs the default ones, the cheap first.

``nox -s asyncio -- tests/chat -x`` hands arguments on to pytest; ``nox -s asyncio-3.13`` tests
on another Python; ``nox -R`` does not install again; ``nox --no-venv`` uses the environment that
is active. ``nox -l`` lists all sessions.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2026.10"
# uv makes an environment in seconds; pip does it as well.
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
# By itself `nox` runs side by side what needs one processor or less; the output of each session
# comes when it ends. A session that you name shows what it does at once.
if not sys.argv[1:]:
    nox.options.parallel = 3
# A Python that is missing is skipped, in one line.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
ROOT = Path(__file__).parent

# pyenv's commands answer only for the versions that are chosen: all are, the running one first.
RUNNING = ".".join(map(str, sys.version_info[:3]))
PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
if versions := [path.name for path in (PYENV / "versions").glob("3*")]:
    os.environ.setdefault("PYENV_ROOT", str(PYENV))
    ordered = sorted(versions, key=lambda version: (version != RUNNING, version))
    os.environ.setdefault("PYENV_VERSION", ":".join(ordered))

# Both plugins would claim every async test, so each runs with the other switched off.
ON_ASYNCIO = ["-p", "no:anyio", "--asyncio-mode=auto"]
ON_TRIO = ["-p", "no:asyncio", "--anyio-mode=auto"]
# The tests that do not depend on the event loop run once, on asyncio.
ASYNC_ONLY = "--async-only"

# CI measures the coverage, which doubles the time of the tests that are measured.
MEASURED = bool(os.environ.get("CI"))

# The attacks, the page and the examples have sessions of their own.
APART = ["tests/attack", "tests/browser", "tests/docs"]

# They reach what the others reach too, on another way: they are run, but not measured.
UNMEASURED = [
    *("tests/faults", "tests/journal/cluster", "tests/properties", "tests/pytest_hubbub"),
    *("tests/session", "tests/simulator", "tests/test_extras.py"),
]

# Where it matters which event loop it is: what is written for each, and what tests them all.
# The rest is the same on both, and measured on asyncio.
ON_A_LOOP = ["tests/client", "tests/server", "tests/testing"]

# Most tests write a database, and then wait for the disk more than they compute. A process that
# is killed leaves the same in memory; what is tested with a real disk has sessions of its own.
MEMORY = Path("/dev/shm")  # noqa: S108  (the folder is made there, with a random name)
MEMORY_BYTES_MIN = 2 * 2**30

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

# One of three tests waits for something that is not a processor. The files keep their order:
# those of the command line, which take longest, are among the first.
PARALLEL = ["--numprocesses=3", "--dist=loadfile", "--no-loadscope-reorder"]

# Hypothesis lists all characters when it draws a text for the first time, which takes seconds,
# and keeps the list.
DRAW_TEXT = """
from hypothesis import find, settings, strategies as st
find(st.text(st.characters(codec="utf-8")) | st.text(), len, settings=settings(database=None))
"""

# Where Debian installs it.
OLDEST_POSTGRES = Path("/usr/lib/postgresql/15/bin")
REDIS = Path("/usr/bin/redis-server")

# A part of everything: rules, the store, a server, sessions over a network, the house rules.
IN_THE_SDIST = [
    *("tests/test_tidy.py", "tests/test_hub.py", "tests/chat/rooms", "tests/journal/stores"),
    *("tests/server/http/test_api.py", "tests/session/test_rooms.py"),
]

# Modules without I/O, so tests reach almost every branch.
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
    "src/hubbub/games/boards/sorted_places.py",
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
# A session for clusters that takes so long tests all sessions on PostgreSQL as well.
CLUSTER_SECONDS = 300.0
# A simulation that takes so long also looks for bugs that are planted.
PLANTED_SECONDS = 300.0
# Where it keeps what it found; CI keeps the folder from one run to the next.
FUZZED = ".fuzz"
COVERED_MIN_PERCENT = 90
COVERED_PURE_MIN_PERCENT = 95


@nox.session(default=False)
def environment(session: nox.Session) -> None:
    """Make the environment that the other sessions share."""
    install(session, "dev")


@nox.session(requires=["environment"], venv_backend="none", allow_parallel=True)
def lint(session: nox.Session) -> None:
    """Style, format, types, layers and sizes."""
    run(session, "ruff", "check")
    run(session, "ruff", "format", "--check")
    run(session, "mypy")
    run(session, "lint-imports")
    run(session, "pytest", "-q", *ON_ASYNCIO, "tests/test_tidy.py")


@nox.session(requires=["environment"], venv_backend="none", allow_parallel=True)
def collect(session: nox.Session) -> None:
    """Compile the tests once, and list the characters; each process would do all of that again."""
    run(session, "pytest", "--collect-only", "-qq", *ON_ASYNCIO, *ignoring(APART), silent=True)
    run(session, "python", "-c", DRAW_TEXT)


@nox.session(requires=["environment"], venv_backend="none")
def asyncio(session: nox.Session) -> None:
    """Run all tests on asyncio, by pytest-asyncio, and measure in CI what they cover."""
    if is_measured(session):
        run_tests(session, ON_ASYNCIO, ignoring(UNMEASURED), measured=True)
        run_tests(session, ON_ASYNCIO, UNMEASURED)
    else:
        run_tests(session, ON_ASYNCIO, session.posargs)


@nox.session(requires=["environment"], venv_backend="none")
def trio(session: nox.Session) -> None:
    """Run on trio, by anyio's plugin, the tests that depend on the event loop."""
    if session.posargs:
        run_tests(session, ON_TRIO, session.posargs)
    elif is_measured(session):
        plugin = [*ON_TRIO, ASYNC_ONLY]
        run_tests(session, plugin, ON_A_LOOP, measured=True)
        run_tests(session, plugin, ignoring(ON_A_LOOP))
    else:
        run_tests(session, ON_TRIO, [ASYNC_ONLY])


@nox.session(requires=["environment"], venv_backend="none", default=False)
def postgres(session: nox.Session) -> None:
    """Test stores and sessions on the oldest PostgreSQL that is supported, if it is installed."""
    if not OLDEST_POSTGRES.exists():
        session.skip(f"There is no {OLDEST_POSTGRES}.")
    env = {"HUBBUB_TEST_POSTGRES": str(OLDEST_POSTGRES)}
    tests = session.posargs or ["tests/journal/stores", "tests/session"]
    for plugin in (ON_ASYNCIO, ON_TRIO):
        run(session, "pytest", "-q", "-k", "postgres", *plugin, *PARALLEL, *tests, env=env)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def redis(session: nox.Session) -> None:
    """Test the bus on Redis, its cluster and its sentinels, if it is installed."""
    if not REDIS.exists():
        session.skip(f"There is no {REDIS}.")
    test_redis(session, *session.posargs)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def cluster(session: nox.Session) -> None:
    """Trouble real clusters, and test sessions on them: ``nox -s cluster -- 3600 [SEED]``."""
    seconds, first, *_ = [*session.posargs, *["60", "0"][len(session.posargs) :]]
    whole = float(seconds) >= CLUSTER_SECONDS
    worlds = ["nodes", "postgres"] if whole else ["nodes"]
    for plugin in (ON_ASYNCIO, ON_TRIO) if whole else (ON_ASYNCIO,):
        flags = ["-q", *plugin, *PARALLEL, "tests/session"]
        with in_memory() as env:
            chosen = {"HUBBUB_TEST_WORLDS": ",".join(worlds)}
            run(session, "pytest", *flags, env={**env, **chosen})
    if whole and REDIS.exists():
        test_redis(session)
    elif whole:
        session.log(f"There is no {REDIS}.")
    run(session, "python", "-m", "tests.cluster.night", seconds, first)


@nox.session(requires=["environment"], venv_backend="none", allow_parallel=True)
def docs(session: nox.Session) -> None:
    """Run the examples of the README and of docs/."""
    with in_memory() as env:
        flags = [*ON_ASYNCIO, "--numprocesses=2"]
        run(session, "pytest", *flags, "tests/docs", *session.posargs, env=env)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def site(session: nox.Session) -> None:
    """Build the documentation site in build/site; ``nox -s site -- serve`` shows it."""
    command = session.posargs or ["build", "--strict"]
    run(session, "mkdocs", *command, "--config-file", ".mkdocs/mkdocs.yml")


@nox.session(requires=["environment"], venv_backend="none", default=False)
def image(session: nox.Session) -> None:
    """Run the Dockerfile's installation, without Docker, in an environment of its own."""
    env = {"HUBBUB_TEST_IMAGE": "1"}
    run(session, "pytest", "-q", *ON_ASYNCIO, "tests/docs/test_docker.py", env=env)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def uvloop(session: nox.Session) -> None:
    """Run on uvloop, by pytest-asyncio, what touches sockets, threads and timers."""
    session.env["HUBBUB_TEST_LOOP"] = "uvloop"
    run_tests(session, ON_ASYNCIO, session.posargs or [ASYNC_ONLY, *ON_UVLOOP])
    if not session.posargs:
        # uvicorn with our protocol class, in the place of our own server.
        session.env["HUBBUB_TEST_SERVER"] = "uvicorn"
        run_tests(session, ON_ASYNCIO, [ASYNC_ONLY, "tests/server"])


@nox.session(requires=["environment"], venv_backend="none", default=MEASURED)
def coverage(session: nox.Session) -> None:
    """Say what the last run on each event loop left untested."""
    run(session, "coverage", "combine", "--keep", "--quiet")
    report = ["coverage", "report", "--keep-combined"]
    run(session, *report, f"--fail-under={COVERED_MIN_PERCENT}")
    pure = f"--include={','.join(PURE)}"
    run(session, *report, pure, f"--fail-under={COVERED_PURE_MIN_PERCENT}")


@nox.session(requires=["environment"], venv_backend="none", default=False)
def browser(session: nox.Session) -> None:
    """Use the web page in Chromium; screenshots are kept in screenshots/."""
    flags = [*ON_ASYNCIO, "--numprocesses=2", "--dist=loadfile"]
    run(session, "pytest", *flags, *(session.posargs or ["tests/browser"]))
    if not session.posargs:
        trio = {"HUBBUB_TEST_BACKEND": "trio"}
        run(session, "pytest", *flags, "tests/browser", "-k", BROWSER_ON_TRIO, env=trio)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def fuzz(session: nox.Session) -> None:
    """Fuzz for some seconds, 60 by default, in three ways: ``nox -s fuzz -- 600``."""
    seconds = float(session.posargs[0]) if session.posargs else 60.0
    ends = time.monotonic() + seconds

    # Each is fuzzed in its way, also if another has failed; what fails is kept in .fuzz/.
    failed = []
    for name, fuzzing in (
        ("the HTTP interface", described),
        ("the readers of bytes", guided),
        ("the properties", properties),
    ):
        try:
            fuzzing(session, seconds, ends)
        except CommandFailed:
            failed.append(name)
    if failed:
        session.error(f"Faults were found in {' and '.join(failed)}; {FUZZED}/ keeps them.")


def described(session: nox.Session, seconds: float, ends: float) -> None:
    """Ask everything that the OpenAPI describes; a short session draws nothing in addition."""
    drawn = seconds / 4 if seconds >= FUZZ_SECONDS else 0
    run(session, "python", "-m", "tests.fuzzing.described", f"{drawn:.0f}", f"{FUZZED}/described")


def guided(session: nox.Session, seconds: float, ends: float) -> None:
    """Fuzz what reads bytes, guided by coverage, where there is atheris."""
    run(session, "python", "-m", "tests.fuzzing.guided", f"{seconds / 4:.0f}", f"{FUZZED}/guided")


def properties(session: nox.Session, seconds: float, ends: float) -> None:
    """Draw new examples for every property until the time is over, at least once."""
    # Each round runs to its end, so a short session has short rounds.
    profile = "fuzz" if seconds >= FUZZ_SECONDS else "short"
    flags = ["-m", "hypothesis", f"--hypothesis-profile={profile}", "--timeout=900"]
    flags += ["--tb=short", "-q", "--numprocesses=2"]
    for plugin in itertools.cycle([ON_ASYNCIO, ON_TRIO]):
        run(session, "pytest", *flags, *plugin)
        if time.monotonic() >= ends:
            break


@nox.session(requires=["environment"], venv_backend="none", default=False)
def simulate(session: nox.Session) -> None:
    """Simulate whole systems on both event loops: ``nox -s simulate -- 3600 [FIRST_SEED]``."""
    seconds, first, *_ = [*session.posargs, *["60", "0"][len(session.posargs) :]]
    # Planted bugs show that the checks still find what they are for; that takes minutes.
    if float(seconds) >= PLANTED_SECONDS:
        run_on_each(session, "tests/simulator/test_planted.py", {"HUBBUB_PLANTED": "1"})
    run(session, "python", "-m", "tests.simulator.night", seconds, first)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def junk(session: nox.Session) -> None:
    """Send junk to a real server on each event loop: ``nox -s junk -- 20000 [SEED]``."""
    connections, seed, *_ = [*session.posargs, *["20000", ""][len(session.posargs) :]]
    env = {"HUBBUB_JUNK_CONNECTIONS": connections, "HUBBUB_JUNK_SEED": seed}
    run_on_each(session, "tests/faults/test_junk.py", env)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def kill(session: nox.Session) -> None:
    """Kill a process under load, on each event loop: ``nox -s kill -- 100 [SEED]``."""
    kills, seed, *_ = [*session.posargs, *["100", ""][len(session.posargs) :]]
    env = {"HUBBUB_KILLS": kills, "HUBBUB_KILL_SEED": seed}
    run_on_each(session, "tests/faults/test_killed_under_load.py", env)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def damage(session: nox.Session) -> None:
    """Damage files in many ways, verify and repair them: ``nox -s damage -- 1000 [FIRST]``."""
    seeds, first, *_ = [*session.posargs, *["1000", "0"][len(session.posargs) :]]
    env = {"HUBBUB_DAMAGE_SEEDS": seeds, "HUBBUB_DAMAGE_FIRST": first}
    flags = [*ON_ASYNCIO, "--numprocesses=2"]
    run(session, "pytest", "-q", *flags, "tests/faults/test_damaged_files.py", env=env)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def leaks(session: nox.Session) -> None:
    """Load a real server for some seconds, and look for what is left: ``nox -s leaks -- 300``."""
    seconds, *_ = [*session.posargs, "300"]
    run_on_each(session, "tests/faults/test_leaks.py", {"HUBBUB_LEAK_SECONDS": seconds})


@nox.session(requires=["environment"], venv_backend="none", default=False)
def attack(session: nox.Session) -> None:
    """Attack a real server in every way, each for some seconds: ``nox -s attack -- 20 [NAME]``."""
    seconds, *names = session.posargs or ["20"]
    flags = ["-k", " or ".join(names)] if names else []
    run_on_each(session, "tests/attack", {"HUBBUB_ATTACK_SECONDS": seconds}, *flags)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def autobahn(session: nox.Session) -> None:
    """Run Autobahn's cases on each event loop, all or some groups: ``nox -s autobahn -- 1 7``."""
    run(session, "python", "-m", "tests.conformance.autobahn", *session.posargs)


@nox.session(default=False)
def foreign(session: nox.Session) -> None:
    """Try other people's libraries with the simulation; ``-- --write`` updates their table."""
    session.install("--editable", ".[testing]", "-r", "tests/foreign/requirements.txt")
    session.run("python", "-W", "error", "-m", "tests.foreign", *session.posargs)


@nox.session(requires=["environment"], venv_backend="none", default=False)
def bench(session: nox.Session) -> None:
    """Measure: ``nox -s bench -- --help`` says what."""
    run(session, "python", "tests/bench/run.py", *session.posargs)


@nox.session(requires=["environment"], default=False)
def profile(session: nox.Session) -> None:
    """Draw where a server's time goes: ``nox -s profile -- A asyncio build/profile.svg``."""
    session.install("py-spy")
    path = f"{session.bin}{os.pathsep}{os.environ['PATH']}"
    folder = Path(bin_file(session, "environment").read_text())
    command = [str(folder / "python"), "-m", "tests.bench.profile", *session.posargs]
    session.run(*command, env={"PATH": path}, external=True)


@nox.session(default=False)
def dist(session: nox.Session) -> None:
    """Build the sdist, and from it the wheel, and check what is in them."""
    session.install("build>=1.6", "check-wheel-contents>=0.6", "twine>=7.0")
    folder = dist_of(session)
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(folder), silent=True)
    made = sorted(map(str, folder.iterdir()))
    session.run("check-wheel-contents", *made[:1])
    session.run("twine", "check", "--strict", *made)


@nox.session(requires=["dist"], reuse_venv=False, default=False)
def package(session: nox.Session) -> None:
    """Install the wheel without extras, with all, and test what the sdist has."""
    wheel, sdist = sorted(dist_of(session).iterdir())
    folder = session.create_tmp()
    shutil.unpack_archive(sdist, folder, filter="data")
    (project,) = Path(folder).glob("hubbub-*")
    with session.chdir(project):
        session.install(str(wheel))
        session.run("python", "-m", "tests.packaging.installed", "bare")
        session.install(f"{wheel}[all]")
        session.run("python", "-m", "tests.packaging.installed", "all")
        session.install(f"{wheel}[testing]", *nox.project.dependency_groups(PROJECT, "test"))
        for plugin in (ON_ASYNCIO, ON_TRIO):
            flags = ["-q", "--numprocesses=2", *plugin]
            session.run("python", "-m", "pytest", *flags, *IN_THE_SDIST)


def on_python(version: str) -> None:
    """Add the sessions of a Python: ``nox -s asyncio-3.13``. Each has an environment of its own."""

    def asyncio_on(session: nox.Session) -> None:
        """Run all tests on asyncio, on another Python."""
        install(session, "test")
        asyncio(session)

    def trio_on(session: nox.Session) -> None:
        """Run the tests that depend on the event loop on trio, on another Python."""
        install(session, "test")
        trio(session)

    def bench_on(session: nox.Session) -> None:
        """Measure on another Python."""
        install(session, "test")
        bench(session)

    for name, work in (("asyncio", asyncio_on), ("trio", trio_on), ("bench", bench_on)):
        nox.session(name=f"{name}-{version}", python=version, default=False)(work)
    name = f"package-{version}"
    nox.session(name=name, python=version, requires=["dist"], reuse_venv=False, default=False)(
        package
    )


for python in PYTHONS:
    on_python(python)


@nox.session(default=False)
def recording(session: nox.Session) -> None:
    """Record docs/images/hubbub.svg, and take the pictures of the page beside it."""
    install(session, "recording")
    session.run("python", "-m", "tests.recording.record")


def install(session: nox.Session, group: str) -> None:
    """Install Hubbub and a group, if pyproject.toml says another thing than when it last was."""
    where = bin_file(session, session.name)
    if not session.virtualenv.is_sandboxed:
        where.unlink(missing_ok=True)
        return
    where.write_text(session.bin)
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    installed = Path(session.virtualenv.location) / "installed"
    if not installed.exists() or installed.read_text() != project:
        session.install("--editable", ".[all]", *nox.project.dependency_groups(PROJECT, group))
        installed.write_text(project)


def is_measured(session: nox.Session) -> bool:
    """Return whether it is measured what the tests cover: once, on the Python that runs nox."""
    return MEASURED and "-" not in session.name and not session.posargs


def dist_of(session: nox.Session) -> Path:
    """Return the folder with the wheel and the sdist."""
    return session.cache_dir.resolve() / "dist"


def bin_file(session: nox.Session, environment: str) -> Path:
    """Return the file that names the folder of an environment's programs."""
    return session.cache_dir / f"{environment}.bin"


def run(
    session: nox.Session,
    program: str,
    *args: str,
    env: Mapping[str, str] = {},
    silent: bool = False,
) -> None:
    """Run a program of the environment that sessions share, or of the active one."""
    own = session.virtualenv.is_sandboxed
    where = bin_file(session, session.name if own else "environment")
    path = os.environ["PATH"]
    if where.exists():
        folder = Path(where.read_text())
        program, path = str(folder / program), f"{folder}{os.pathsep}{path}"
    # The tests start many programs: only the first must compile all modules.
    others = {"PATH": path, "PYTHONDONTWRITEBYTECODE": None}
    session.run(program, *args, env={**others, **env}, silent=silent, external=True)


def run_on_each(session: nox.Session, tests: str, env: dict[str, str], *flags: str) -> None:
    """Run tests that print figures on each event loop, also if they fail on the first."""
    failed = []
    for plugin in (ON_ASYNCIO, ON_TRIO):
        try:
            run(session, "pytest", "-q", "-s", "--tb=short", *plugin, tests, *flags, env=env)
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
        run(session, "coverage", "erase")
        python = ["coverage", "run"]
    flags = [*plugin, *ignoring(APART), *PARALLEL]
    with in_memory() as env:
        run(session, *python, "-m", "pytest", *flags, *args, env=env)


def test_redis(session: nox.Session, *args: str) -> None:
    """Run the tests of the bus on Redis, on each event loop."""
    env = {"HUBBUB_TEST_VALKEY": str(REDIS)}
    tests = args or ("tests/journal/cluster",)
    for plugin in (ON_ASYNCIO, ON_TRIO):
        run(session, "pytest", "-q", "-k", "valkey", *plugin, *PARALLEL, *tests, env=env)


def ignoring(paths: list[str]) -> list[str]:
    """Return pytest's options that leave out some tests."""
    return [f"--ignore={path}" for path in paths]


@contextmanager
def in_memory() -> Iterator[dict[str, str]]:
    """Make a folder for temporary files in memory, where that has room; give the variables."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < MEMORY_BYTES_MIN:
        yield {}
        return
    with TemporaryDirectory(prefix="hubbub-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        # As root, PostgreSQL runs as another user, who must get to its own folder in there.
        Path(folder).chmod(0o711)
        yield {"TMPDIR": folder}
