"""
Tickets for a browser's ``EventSource``, which cannot send a header.

A URL is written to logs, so it must not hold a token. A ticket is for one use and expires
soon. The browser reconnects by itself, with the same URL: the first response sets a cookie, and
the ticket counts again for the browser that has it. Neither is enough alone, so a page of another
site cannot use the cookie, and a reader of logs cannot use the ticket.

One node remembers in memory which tickets were used. Nodes that share a store charge a limit of one
use for each ticket, so that they agree about which node has seen it first.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import Literal

import jwt
import msgspec
from jwt.types import Options

from ...errors import NotAllowed, RateLimited
from ...journal.actor import Actor
from ...settings import Settings
from ...shown import repr_without
from ...users.accounts import charge_command
from ...users.attempts import TICKET_LIMIT
from .tokens import ALGORITHM, PARSING_ERRORS, Identity, check_token, read_claims

__all__ = ["TICKETS_USED_MAX", "EventTicket", "Tickets", "Visit"]

# Used tickets that are remembered until they expire; when there are more, the oldest tickets
# expire early, used or not.
TICKETS_USED_MAX = 20_000
COOKIE = "hubbub_events_"
# A key of their own, so that no ticket is ever taken for a token.
PURPOSE = b"hubbub: tickets for events"
REFUSED = "The ticket was used or has expired; get another one: POST /api/events/ticket."

OPTIONS: Options = {"verify_exp": False, "verify_iat": False, "require": ["exp"]}


class EventTicket(msgspec.Struct, frozen=True):
    """
    The answer to ``POST /api/events/ticket``.

    Args:
        ticket: give it as ``ticket`` in the query of ``/api/events``, once.
        expires_in: seconds after which it expires if nobody uses it.
    """

    ticket: str
    expires_in: int

    def __repr__(self) -> str:
        return repr_without(self, "ticket")


class Visit(msgspec.Struct, frozen=True):
    """
    The use of a ticket.

    Args:
        identity: the user who got the ticket.
        cookie: the name and the value of the cookie to set; None if the browser has it.
        seconds: how long the cookie lasts.
    """

    identity: Identity
    cookie: tuple[str, str] | None = None
    seconds: int = 0

    def __repr__(self) -> str:
        return repr_without(self, "cookie")


class _Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    use: Literal["ticket", "reconnect"]
    made: float
    exp: float
    # When the cookie expires.
    until: float
    user: str
    role: str
    session: str | None = None
    issued: float = 0.0
    gen: int | None = None
    jti: str = ""


class Tickets:
    """
    Makes tickets, and accepts each once.

    Args:
        secret: the server's; the key that signs tickets comes from it.
        settings: the clock, and how long tickets and tokens last.
        new_id: makes the id of a ticket.
    """

    def __init__(self, secret: str, settings: Settings, new_id: Callable[[], str]) -> None:
        self._key = hmac.digest(secret.encode(), PURPOSE, "sha256").hex()
        self._settings = settings
        self._new_id = new_id
        # Used tickets, and when each expires, the first in front. Tickets that were made before
        # `_since`, or expire at `_floor` or before, may have been used and forgotten.
        self._since = self._now()
        self._used: set[str] = set()
        self._expiries: list[tuple[float, str]] = []
        self._floor = -math.inf

    def issue(self, identity: Identity) -> EventTicket:
        """Make a ticket for a user whose token was read."""
        now, seconds = self._now(), self._settings.ticket_seconds
        until = min(now + self._settings.token_seconds, identity.expires or math.inf)
        claims = _Claims(
            "ticket",
            now,
            min(now + seconds, until),
            until,
            identity.user,
            identity.role,
            identity.session,
            identity.issued,
            identity.generation,
            self._new_id(),
        )
        return EventTicket(self._sign(claims), seconds)

    def use(self, ticket: str, cookies: Mapping[str, str]) -> Visit:
        """
        Use a ticket: once, and again by the browser that has its cookie.

        Args:
            ticket: as it came.
            cookies: those of the request.

        Raises:
            NotAllowed: the server did not make it, or it was used or has expired.
        """
        claims = self._read(ticket, "ticket")
        if self._is_new(claims):
            self._remember(claims)
            return self._first(claims)
        return self._again(claims, cookies)

    async def use_on_any_node(self, ticket: str, cookies: Mapping[str, str], hub: Actor) -> Visit:
        """
        Use a ticket as :meth:`use` does, where other nodes may have seen it.

        Args:
            ticket: as it came.
            cookies: those of the request.
            hub: the actor of the hub's own commands.

        Raises:
            NotAllowed: no node has made it, or it was used or has expired.
        """
        claims = self._read(ticket, "ticket")
        if claims.exp > self._now() and await _is_first_use(claims.jti, hub):
            return self._first(claims)
        return self._again(claims, cookies)

    def _first(self, claims: _Claims) -> Visit:
        kept = msgspec.structs.replace(claims, use="reconnect", exp=claims.until, jti="")
        seconds = math.ceil(claims.until - self._now())
        cookie = _cookie_name(claims), self._sign(kept)
        return Visit(_identity_of(claims), cookie, seconds)

    def _again(self, claims: _Claims, cookies: Mapping[str, str]) -> Visit:
        name = _cookie_name(claims)
        if name not in cookies:
            raise NotAllowed(REFUSED)
        kept = self._read(cookies[name], "reconnect")
        if _sign_in_of(kept) != _sign_in_of(claims) or kept.exp <= self._now():
            raise NotAllowed(REFUSED)
        return Visit(_identity_of(kept))

    def _is_new(self, claims: _Claims) -> bool:
        expired = claims.exp <= max(self._now(), self._floor)
        return not expired and claims.made >= self._since and claims.jti not in self._used

    def _remember(self, claims: _Claims) -> None:
        now = self._now()
        while self._expiries and self._expiries[0][0] <= now:
            self._used.discard(heappop(self._expiries)[1])
        if len(self._used) >= TICKETS_USED_MAX:
            self._floor, oldest = heappop(self._expiries)
            self._used.discard(oldest)
        self._used.add(claims.jti)
        heappush(self._expiries, (claims.exp, claims.jti))

    def _sign(self, claims: _Claims) -> str:
        return jwt.encode(msgspec.to_builtins(claims), self._key, algorithm=ALGORITHM)

    def _read(self, signed: str, use: str) -> _Claims:
        check_token(signed)
        found = read_claims(signed, self._key, [ALGORITHM], OPTIONS)
        try:
            claims = msgspec.convert(found, _Claims)
        except PARSING_ERRORS as error:
            raise NotAllowed(REFUSED) from error
        if claims.use != use:
            raise NotAllowed(REFUSED)
        return claims

    def _now(self) -> float:
        return self._settings.clock.now().timestamp()


async def _is_first_use(ticket: str, hub: Actor) -> bool:
    try:
        await hub.execute(charge_command([(TICKET_LIMIT, ticket)]))
    except RateLimited:
        return False
    return True


def _sign_in_of(claims: _Claims) -> tuple[str, str | None]:
    return claims.user, claims.session


def _cookie_name(claims: _Claims) -> str:
    # One for each sign-in: of two users in one browser neither loses theirs.
    named = msgspec.json.encode(_sign_in_of(claims))
    return COOKIE + hashlib.blake2b(named, digest_size=8).hexdigest()


def _identity_of(claims: _Claims) -> Identity:
    return Identity(
        claims.user,
        claims.role,
        claims.until,
        session=claims.session,
        issued=claims.issued,
        generation=claims.gen,
    )
