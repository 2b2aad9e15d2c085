"""The environment of every test; noxfile.py chooses the plugin and the event loop by flags."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from hubbub.local_servers import postgres_server
from tests.event_loop import LOOP, Backend, depends_on_it, of_this_run
from tests.local_servers.places import reachable

if TYPE_CHECKING:
    # Its driver takes a quarter of a second, in every process of every run.
    from hubbub.journal.stores.postgres.store import PostgresStore

TESTS = Path(__file__).parent
# Whose tests fail if they leave a task, a thread, an open descriptor or a generator behind.
NO_LEAKS = {"pytest_hubbub", "session", "testing"}

# A busy machine is no reason to fail: pytest-timeout bounds a test, hypothesis need not.
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=False,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
# What fails is kept and tried first by the next run, also where CI restores the folder:
# hypothesis itself keeps nothing in CI.
KEPT = DirectoryBasedExampleDatabase(Path(__file__).parents[1] / ".fuzz" / "examples")
settings.register_profile(
    "fuzz",
    settings.get_profile("ci"),
    database=KEPT,
    max_examples=300,
    stateful_step_count=100,
)
settings.register_profile(
    "short", settings.get_profile("ci"), database=KEPT, max_examples=40, stateful_step_count=50
)
settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    parser.addoption(
        "--async-only",
        action="store_true",
        help="run only the tests that depend on the event loop of this run",
    )
    # pyproject.toml sets it, and --strict-config wants it known where the plugin is off.
    if not pluginmanager.hasplugin("asyncio"):
        parser.addini("asyncio_default_fixture_loop_scope", "for pytest-asyncio")


def pytest_configure() -> None:
    """Let the programs that the tests start be stopped with Ctrl-C."""
    # A shell lets what it starts in the background ignore it, and so would what that starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the collector of garbage pass over what is there for all tests: a million objects."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that must leave nothing, and leave out what is the same on every loop."""
    for item in items:
        if item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).parts[0] in NO_LEAKS:
            item.add_marker(pytest.mark.no_leaks)
    if not config.getoption("--async-only"):
        return
    kept = [item for item in items if depends_on_it(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tell pytest-asyncio which event loop to make."""
    if LOOP == "uvloop":
        import uvloop  # noqa: PLC0415  (there is none for every platform)

        return {"uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Backend:
    """Name the event loop of this run, for a test that starts one itself."""
    return of_this_run(request.config)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Say where anyio's plugin runs the async tests."""
    return "trio"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Run PostgreSQL for all tests of this process, and name a database that they share."""
    binaries = os.environ.get("HUBBUB_TEST_POSTGRES")
    # What is killed is the process, not the machine.
    settings = {"fsync": "off", "max_connections": "200"}
    with (
        reachable() as directory,
        postgres_server(
            directory, settings=settings, binaries=Path(binaries) if binaries else None
        ) as server,
    ):
        yield server.url


@pytest.fixture(scope="session")
def postgres_stores(postgres_url: str) -> Iterator[list[PostgresStore]]:
    """Keep the stores that tests share, and close them at the end."""
    stores: list[PostgresStore] = []
    yield stores
    for store in stores:
        store.close()


@pytest.fixture(autouse=True, scope="session")
def _blocking_is_an_error(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail whatever in hubbub blocks the event loop; only asyncio's loop can be watched."""
    if of_this_run(request.config) != "asyncio" or LOOP != "asyncio":
        yield
        return
    # A simulated disk does its work in the event loop, in no virtual time.
    with blockbuster_ctx("hubbub", excluded_modules=["hubbub.testing"]) as watch:
        # What measures coverage has a lock of its own, for an instant.
        watch.functions["threading.Lock.acquire"].can_block_in("coverage/collector.py", "lock_data")
        yield
