"""Whatever is used on another event loop than its own says so at once, and nothing hangs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, get_args

import anyio
import anyio.lowlevel
import httpx2
import msgspec
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

import hubbub
from hubbub.client.remote import RemoteSession
from hubbub.errors import error_from_code
from hubbub.feature_set import FeatureSet
from hubbub.journal.home import WrongLoop
from hubbub.keys.device import SealedBody
from hubbub.method import Method
from hubbub.server import Gateway, create_app
from hubbub.server.run import listen, serve
from hubbub.server.websocket.connection import Connection
from hubbub.testing import ASGIApplication, in_memory
from hubbub.users.accounts import Accounts
from tests.event_loop import Backend
from tests.server.memory_socket import MemorySocket
from tests.session.test_keys import KEY, signed

METHODS = FeatureSet(hubbub.FEATURES).methods
PATIENCE = 5.0


class Abroad:
    """A hub, sessions and iterators that are open on the loop of another thread."""

    hub: hubbub.Hubbub
    gateway: Gateway
    local: hubbub.Session
    remote: RemoteSession
    room: str

    def __init__(self, backend: Backend, portal: BlockingPortal) -> None:
        self.backend = backend
        self.portal = portal

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Abroad]:
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            self.hub = await enter(hubbub.open("memory://"))
            self.gateway = Gateway(self.hub)
            self.app = create_app(self.hub, gateway=self.gateway)
            self.local = await enter(self.hub.session("ann", role="admin"))
            dialer = in_memory(self.app)
            self.remote = await enter(hubbub.connect("http://test", dialer=dialer))
            self.room = (await self.remote.chat.create_room("Room")).id
            await self.local.chat.join(self.room)
            stream = f"room/{self.room}"
            self.events = await enter(self.local.follow(stream))
            self.signals = await enter(self.local.signals(stream))
            self.feed = await enter(self.hub.feed())
            self.remote_events = await enter(self.remote.follow(stream))
            self.remote_signals = await enter(self.remote.signals(stream))
            yield self

    def told(self, use: Callable[[], Awaitable[Any]]) -> BaseException | None:
        """Use it on a loop of this thread; return the error."""

        async def used() -> BaseException | None:
            try:
                with anyio.fail_after(PATIENCE):
                    await use()
            except Exception as error:
                return error
            return None

        return anyio.run(used, backend=self.backend)


@pytest.fixture(scope="module")
def abroad(backend: Backend) -> Iterator[Abroad]:
    with (
        start_blocking_portal(backend) as portal,
        portal.wrap_async_context_manager(Abroad(backend, portal).opened()) as abroad,
    ):
        yield abroad


# Arguments that a method takes: a refusal because of another would come first.
VALUES: dict[str, Any] = {
    "name": "Ann",
    "role": "user",
    "device": "abcdefgh",
    "devices": ["ann/abcdefgh"],
    "user_ids": ["ann"],
    "players": ["ann", "bob"],
    "signed": None,
    "user_key": KEY,
    "sealed": {"ann/abcdefgh": SealedBody(0, "abcd")},
    "entries": {"abcd": "abcd"},
    "one_time": {},
    "body": {},
    "price": hubbub.Money("1", "USD"),
}


def argument(name: str, kind: Any) -> Any:
    if name == "body" and kind is str:
        return "abcd"
    if name in VALUES:
        return VALUES[name]
    kinds = get_args(kind) or (kind,)
    return {str: "abcdefgh", int: 1, float: 1.0, bool: True}[kinds[0]]


@pytest.mark.parametrize("kind", ["local", "remote"])
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_method_of_a_session(abroad: Abroad, kind: str, method: Method) -> None:
    service, _, name = method.name.partition(".")
    call = getattr(getattr(getattr(abroad, kind), service), name)
    fields = msgspec.structs.fields(method.arguments)
    given = {field.name: argument(field.name, field.type) for field in fields if field.required}

    if "signed" in given:
        given["signed"] = signed(abroad.local, given["device"])

    assert isinstance(abroad.told(lambda: call(**given)), WrongLoop)


async def sleep() -> None:
    await anyio.lowlevel.checkpoint()


async def later(function: Callable[..., object], *arguments: object) -> None:
    await anyio.lowlevel.checkpoint()
    function(*arguments)


async def served(abroad: Abroad) -> None:
    with listen("127.0.0.1", 0) as listener:
        await serve(abroad.gateway, listener, anyio.sleep_forever)


async def requested(abroad: Abroad) -> None:
    transport = httpx2.ASGITransport(abroad.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        token = {"Authorization": f"Bearer {abroad.remote.token}"}
        answer = await client.get("/api/chat/rooms", headers=token)
    problem = answer.json()
    raise error_from_code(problem["code"], problem["detail"], reason=problem["reason"])


async def receive() -> dict[str, Any]:
    return {"type": "websocket.connect"}


async def send(message: object) -> None:
    """Send nothing."""


async def dialled(abroad: Abroad) -> None:
    app: ASGIApplication = abroad.app
    scope = {"type": "websocket", "path": "/ws", "headers": []}
    await app(scope, receive, send)


Way = Callable[[Abroad], Awaitable[Any]]

WAYS: dict[type, dict[str, Way]] = {
    hubbub.Hubbub: {
        "session": lambda it: it.hub.session("bob").__aenter__(),
        "feed": lambda it: it.hub.feed().__aenter__(),
        "drain": lambda it: it.hub.drain(),
        "start": lambda it: later(it.hub.start, sleep),
        "keep_running": lambda it: later(it.hub.keep_running, "a task", sleep),
    },
    hubbub.Session: {
        "follow": lambda it: it.local.follow(f"room/{it.room}").__aenter__(),
        "signals": lambda it: it.local.signals(f"room/{it.room}").__aenter__(),
        "read": lambda it: it.local.read(f"room/{it.room}"),
    },
    RemoteSession: {
        "follow": lambda it: it.remote.follow(f"room/{it.room}").__aenter__(),
        "signals": lambda it: it.remote.signals(f"room/{it.room}").__aenter__(),
        "read": lambda it: it.remote.read(f"room/{it.room}"),
    },
    Accounts: {
        "sign_in": lambda it: it.hub.accounts.sign_in("Ann", "correct horse", ""),
        "verify": lambda it: it.hub.accounts.verify("Ann", "correct horse", ""),
        "find": lambda it: it.hub.accounts.find("Ann"),
        "hash": lambda it: it.hub.accounts.hash("correct horse"),
    },
    Gateway: {
        "enter": lambda it: later(Connection, it.gateway, MemorySocket()),
        "enter_stream": lambda it: later(it.gateway.enter_stream, object()),
    },
}

# They look something up, or only note something, and so wait for nothing.
AT_ONCE: dict[type, set[str]] = {
    hubbub.Hubbub: {
        "accounts",
        "actor",
        "connect",
        "disconnect",
        "is_connected",
        "is_healthy",
        "is_open",
        "knows_presence",
        "new_guard",
        "new_service",
        "presence",
        "runtime",
        "session_of",
        "sign_in_command",
        "webhooks",
    },
    hubbub.Session: {"user", "journal_id", "service"},
    RemoteSession: {"user", "journal_id", "service", "token", "refresh_token", "role"},
    Accounts: {"charge"},
    Gateway: {
        "full",
        "address_of",
        "flush",
        "new_pace",
        "close_soon",
        "close_all",
        "enter_session",
        "leave_session",
        "leave_stream",
        "use_ticket",
        "stop",
    },
}


@pytest.mark.parametrize("kind", WAYS, ids=lambda kind: kind.__name__)
def test_every_public_name_is_here(kind: type) -> None:
    public = {name for name in vars(kind) if not name.startswith("_")}

    assert public == WAYS[kind].keys() | AT_ONCE[kind]


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(use, id=f"{kind.__name__}.{name}")
        for kind, ways in WAYS.items()
        for name, use in ways.items()
    ],
)
def test_a_way_in(abroad: Abroad, use: Way) -> None:
    assert isinstance(abroad.told(lambda: use(abroad)), WrongLoop)


@pytest.mark.parametrize("use", [served, requested, dialled])
def test_a_server(abroad: Abroad, use: Way) -> None:
    error = abroad.told(lambda: use(abroad))

    assert isinstance(error, hubbub.Conflict)
    assert error.reason == "wrong_loop"


@pytest.mark.parametrize("name", ["events", "signals", "feed", "remote_events", "remote_signals"])
def test_what_was_opened_elsewhere_and_waits(abroad: Abroad, name: str) -> None:
    iterator: AsyncIterator[object] = getattr(abroad, name)

    async def wait() -> object:
        return await anext(iterator)

    assert isinstance(abroad.told(wait), WrongLoop)


def test_it_goes_on_at_home(abroad: Abroad) -> None:
    message = abroad.portal.call(abroad.remote.chat.send, abroad.room, "hello")

    assert message.text == "hello"
