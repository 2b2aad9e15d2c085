"""The HTTP interface: a route for each method of the registry, and streams of events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar, get_origin
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute

from ...errors import Conflict, Invalid, NotAllowed, Overloaded
from ...journal.command import Call
from ...ratelimit import RateLimits, TokenBucket
from ...service import Service
from ...session import LocalSession
from ...task_group import open_task_group
from ...users.signing_in import SignedIn
from ...wire.messages import encode
from ..auth.sign_in import SignIn
from ..auth.tickets import Visit
from ..auth.tokens import Identity
from ..gateway import Gateway, Route
from .openapi import openapi
from .problem import MalformedRequest, TooLarge, Unknown, problem_of
from .sse import EventStream

__all__ = ["http_routes"]

# Users whose rate of HTTP requests is remembered.
PACES_MAX = 10_000
EVENTS_PATH = "/api/events"
URL_IS_LOGGED = (
    "Put no token in a URL, because servers and proxies log URLs. Send the header "
    "Authorization: Bearer …, or get a ticket with POST /api/events/ticket and give it as ticket=…"
)

Handler = Callable[[Request], Awaitable[Response]]
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])

Q = TypeVar("Q", bound=msgspec.Struct)


class EventsQuery(msgspec.Struct, frozen=True):
    """The query of ``/api/events``; the server ignores other names, except ``token``."""

    stream: str
    after: int | None = None
    journal_id: str | None = None
    ticket: str | None = None


def http_routes(gateway: Gateway) -> list[HttpRoute]:
    """Make the routes of the HTTP interface."""
    api = _Api(gateway)
    routes = [
        HttpRoute("/health", api.health),
        HttpRoute("/openapi.json", api.openapi),
        HttpRoute("/api/users/sign_in", _answering(api.sign_in), methods=["POST"]),
        HttpRoute(EVENTS_PATH, _answering(api.events)),
        HttpRoute(f"{EVENTS_PATH}/ticket", _answering(api.ticket), methods=["POST"]),
    ]
    for name, route in gateway.routes.items():
        path = "/api/" + name.replace(".", "/")
        verb = "POST" if route.method.changes else "GET"
        routes.append(HttpRoute(path, _answering(api.handler(route)), methods=[verb]))
    return routes


class _Api:
    """
    Answers requests.

    Each request has a short session of its own: it needs a token, and its user does not count
    as online.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        # Twice as many requests as in a second can come at once.
        burst = max(1, int(2 * gateway.settings.requests_per_second))
        self._paces = RateLimits(lambda: TokenBucket(burst, 2.0, what="requests"), PACES_MAX)
        self._openapi: dict[str, Any] | None = None

    async def health(self, request: Request) -> Response:
        """Tell whether the hub takes commands."""
        hub = self._gateway.hub
        health = {
            "status": ("ok" if hub.is_healthy else "failing") if hub.is_open else "closing",
            "journal_id": hub.journal.store.journal_id,
        }
        return _json(health, 200 if hub.is_healthy else 503)

    async def openapi(self, request: Request) -> Response:
        """Describe the interface."""
        if self._openapi is None:
            self._openapi = openapi(self._gateway)
        # If the application is mounted in another one, the paths begin there.
        servers = [{"url": request.scope.get("root_path") or "/"}]
        return _json({**self._openapi, "servers": servers})

    async def sign_in(self, request: Request) -> Response:
        """Give tokens for a guest's nickname, for a name and a password, or for a token."""
        sign_in = _decode(await self._body(request), msgspec.json.Decoder(SignIn))
        sign_ins = self._gateway.sign_ins
        address = self._address_of(request)
        self._check_load()
        self._check_pace(address)
        sessions: list[LocalSession] = []

        def on_done(session: LocalSession, call: Call[SignedIn]) -> None:
            sessions.append(session)

        try:
            identity = await sign_ins.identify_slowly(sign_in, address)
            call = sign_ins.call(sign_in, identity, address, on_done)
            call.waits = True
            signed_in = await self._gateway.hub.journal.wait_for(call)
        except NotAllowed as error:
            raise Unknown(error.message) from error
        return _json(sign_ins.answer(sign_in, identity, sessions[0], signed_in))

    async def events(self, request: Request) -> Response:
        """Send a stream's events as they come."""
        session, visit = await self._follower(request)
        last_id = request.headers.get("last-event-id")
        after = {"after": last_id} if last_id else {}
        query = _query(request, EventsQuery, **after)
        journal = self._gateway.hub.journal
        if query.journal_id not in (None, journal.store.journal_id):
            raise Conflict(
                "The history was reset: this is another journal. Follow the stream from 0."
            )
        following = journal.follow(session.actor.user, query.stream, query.after)
        answer = EventStream(self._gateway, following, session.actor)
        if visit is not None and visit.cookie is not None:
            _set_cookie(answer, request, visit.cookie, visit.seconds)
        # A refusal has to come before the response begins.
        await answer.enter()
        return answer

    async def ticket(self, request: Request) -> Response:
        """Give a ticket for one request to follow events."""
        identity = await self._identity(self._token(request), request)
        await self._session_of(identity, request)
        return _json(self._gateway.tickets.issue(identity))

    def handler(self, route: Route) -> Handler:
        """Make the handler of requests for a method."""

        async def handle(request: Request) -> Response:
            session = await self._session(request)
            arguments = await self._arguments(request, route)
            service: Service = getattr(session, route.service)
            if service.waits(route.method):
                work = partial(service.begin, route.method, arguments)
                return _json(await _while_connected(request, work))
            decision = service.begin(route.method, arguments)
            work = partial(session.actor.execute, decision)
            if decision.before is not None or decision.verdict is not None:
                return _json(await _while_connected(request, work))
            return _json(await work())

        return handle

    async def _arguments(self, request: Request, route: Route) -> dict[str, Any]:
        if not route.method.changes:
            return msgspec.structs.asdict(_query(request, route.method.arguments))
        body = await self._body(request)
        key = request.headers.get("idempotency-key")
        if route.method.keyed and key is not None:
            body = _with_key(body, key)
        return msgspec.structs.asdict(_decode(body, route.decoder))

    async def _body(self, request: Request) -> bytes:
        longest, body = self._gateway.settings.frame_bytes_max, b""
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > longest:
                    raise TooLarge(f"The body is larger than {longest} bytes; send less.")
        return body or b"{}"

    async def _follower(self, request: Request) -> tuple[LocalSession, Visit | None]:
        if "token" in request.query_params:
            raise Invalid(URL_IS_LOGGED)
        ticket = request.query_params.get("ticket")
        if ticket is None:
            return await self._session(request), None
        self._check_load()
        try:
            visit = await self._gateway.use_ticket(ticket, request.cookies)
        except NotAllowed as error:
            raise Unknown(error.message) from error
        return await self._session_of(visit.identity, request), visit

    async def _session(self, request: Request) -> LocalSession:
        identity = await self._identity(self._token(request), request)
        return await self._session_of(identity, request)

    def _token(self, request: Request) -> str:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not credentials.strip():
            raise Unknown("Sign in first, and send the token: Authorization: Bearer …")
        return credentials.strip()

    async def _identity(self, token: str, request: Request) -> Identity:
        self._check_load()
        try:
            return await self._gateway.sign_ins.identify_token(token, self._address_of(request))
        except NotAllowed as error:
            raise Unknown(error.message) from error

    async def _session_of(self, identity: Identity, request: Request) -> LocalSession:
        try:
            session = await self._gateway.sign_ins.session(identity, self._address_of(request))
        except NotAllowed as error:
            raise Unknown(error.message) from error
        self._check_pace(session.actor.user)
        return session

    def _address_of(self, request: Request) -> str:
        peer = request.client.host if request.client else ""
        return self._gateway.address_of(peer, request.headers.raw)

    def _check_load(self) -> None:
        if self._gateway.hub.journal.full:
            raise Overloaded("Too many commands are waiting; try again in a moment.")

    def _check_pace(self, who: str) -> None:
        self._paces.charge(who, self._gateway.settings.clock.monotonic())


def _set_cookie(answer: Response, request: Request, cookie: tuple[str, str], seconds: int) -> None:
    # A proxy that ends TLS says so. A client that only pretends it loses its own cookie.
    proxied = request.headers.get("x-forwarded-proto", "")
    answer.set_cookie(
        *cookie,
        max_age=seconds,
        path=request.scope.get("root_path", "") + EVENTS_PATH,
        secure="https" in (request.url.scheme, proxied),
        httponly=True,
        samesite="strict",
    )


def _with_key(body: bytes, key: str) -> bytes:
    fields = _decode(body, _fields)
    if bytes(fields.get("key", b"null")) == b"null":
        fields["key"] = msgspec.Raw(msgspec.json.encode(key))
    return msgspec.json.encode(fields)


def _answering(handle: Handler) -> Handler:
    async def answer(request: Request) -> Response:
        try:
            return await handle(request)
        except ClientDisconnect:
            # The client is gone.
            return Response(status_code=400)
        except Exception as error:  # the client gets it, and the log
            return problem_of(error)

    return answer


async def _while_connected(request: Request, work: Callable[[], Awaitable[object]]) -> object:
    """Do work that may take long; cancel it when the client disconnects."""
    found: list[object] = []

    async def cancel_when_disconnected() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        tasks.cancel_scope.cancel()

    async with open_task_group() as tasks:
        tasks.start_soon(cancel_when_disconnected)
        found.append(await work())
        tasks.cancel_scope.cancel()
    if not found:
        raise ClientDisconnect
    return found[0]


def _decode(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"The body is wrong: {error}.") from error
    except RecursionError as error:
        raise MalformedRequest("The body is nested too deeply.") from error


def _query(request: Request, kind: type[Q], **more: str) -> Q:
    given: dict[str, Any] = {}
    several = {
        field.name for field in msgspec.structs.fields(kind) if get_origin(field.type) is list
    }
    text = request.scope["query_string"].decode("latin-1")
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name in several:
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    try:
        return msgspec.convert({**given, **more}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"The query is wrong: {error}.") from error


def _json(result: object, status: int = 200) -> Response:
    return Response(encode(result), status, media_type="application/json")
