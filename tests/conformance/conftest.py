"""One server, as it is shipped, for all cases of a run; each case has a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial

import pytest

from tests.blackbox.served import Backend, Served, served

Start = Callable[[], AbstractContextManager[Served]]

# So long the server waits here for a sign-in, and for a head that comes byte by byte.
HASTY_SECONDS = 1.0


class Keeper:
    """Keeps a server, and starts another one if a case has ended it: each fails for itself."""

    def __init__(self, stack: ExitStack, start: Start) -> None:
        self._stack = stack
        self._start = start
        self._server: Served | None = None

    def server(self) -> Served:
        """Return a server that is alive."""
        if self._server is None or not self._server.accepts():
            self._server = self._stack.enter_context(self._start())
        return self._server


@pytest.fixture(scope="session")
def keepers(
    backend: Backend, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Keeper]]:
    """Keep a server for each choice of settings."""
    hasty = ("--set", f"sign_in_seconds_max={HASTY_SECONDS}")
    choices: dict[str, tuple[str, ...]] = {"server": (), "hasty_server": hasty}

    def start(*args: str) -> AbstractContextManager[Served]:
        return served(backend, tmp_path_factory.mktemp("served"), *args)

    with ExitStack() as stack:
        yield {name: Keeper(stack, partial(start, *args)) for name, args in choices.items()}


@pytest.fixture
def server(keepers: dict[str, Keeper]) -> Served:
    """Serve with the usual settings."""
    return keepers["server"].server()


@pytest.fixture
def hasty_server(keepers: dict[str, Keeper]) -> Served:
    """Serve with little patience for clients that do not sign in."""
    return keepers["hasty_server"].server()


@pytest.fixture(autouse=True)
def _nothing_breaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail what ends the server, or makes it log a traceback, whatever else a case looks at."""
    names = {"server", "hasty_server"} & set(request.fixturenames)
    servers: list[Served] = [request.getfixturevalue(name) for name in names]
    before = [len(server.tracebacks) for server in servers]
    yield
    for server, count in zip(servers, before, strict=True):
        assert server.alive, server.log[-1_000:]
        assert not server.tracebacks[count:]
