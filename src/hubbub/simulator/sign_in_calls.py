"""Single calls that sign in and out, each over a connection of its own, with a plain answer."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

import anyio
import msgspec

from ..client.dial import Dial, Transport
from ..wire.connection_lost import ConnectionLost

__all__ = [
    "SIGN_IN_CALL_SECONDS_MAX",
    "VISITOR",
    "CallOutcome",
    "session_of",
    "stay_signed_in",
    "try_sign_in",
    "try_sign_out",
]

# How long a call waits for its answer, in seconds; after that, its outcome is unknown.
SIGN_IN_CALL_SECONDS_MAX = 60.0
# Begins the tokens that stand for a password: each gives its user a new sign-in.
VISITOR = "visitor of "
SIGNING_IN, SIGNING_OUT = 1, 2


class CallOutcome(NamedTuple):
    """
    The outcome of a call.

    Args:
        outcome: True if the server has accepted it, False if it has refused the token, None if
            the outcome is unknown, or nothing was done.
        said: the message of an error.
        token: the access token, after a sign-in.
        refresh_token: after a sign-in that has one.
    """

    outcome: bool | None
    said: str = ""
    token: str = ""
    refresh_token: str | None = None


UNKNOWN = CallOutcome(None)


async def try_sign_in(dial: Dial, token: str) -> CallOutcome:
    """
    Sign in, and disconnect.

    Args:
        dial: connects to a server.
        token: any token.
    """
    return await _outcome(dial, partial(_sign_in, token=token))


async def try_sign_out(dial: Dial, token: str, *, everywhere: bool) -> CallOutcome:
    """
    Sign in, and then out.

    Args:
        dial: connects to a server.
        token: any token.
        everywhere: whether all sign-ins of the user end.

    Returns:
        The answer to the sign-out; with ``outcome`` False if the token was refused.
    """

    async def sign_out(transport: Transport) -> CallOutcome:
        answer = await _sign_in(transport, token)
        if not answer.outcome:
            return answer
        return await _ask(transport, SIGNING_OUT, "users.sign_out", {"everywhere": everywhere})

    return await _outcome(dial, sign_out)


async def stay_signed_in(dial: Dial, token: str) -> None:
    """
    Sign in, and stay connected until the server ends the connection, or it is lost.

    Args:
        dial: connects to a server.
        token: any token.
    """
    accepted: bool | None = None
    try:
        async with dial() as transport:
            with anyio.move_on_after(SIGN_IN_CALL_SECONDS_MAX):
                accepted = (await _sign_in(transport, token)).outcome
            while accepted:
                await transport.receive()
    except ConnectionLost:
        return


def session_of(token: str) -> str:
    """Return the sign-in that one of the server's tokens belongs to."""
    body = token.split(".")[1]
    claims: dict[str, Any] = msgspec.json.decode(
        base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    )
    return str(claims["sid"])


async def _outcome(dial: Dial, call: Callable[[Transport], Awaitable[CallOutcome]]) -> CallOutcome:
    """Make a call over a connection of its own."""
    with anyio.move_on_after(SIGN_IN_CALL_SECONDS_MAX):
        try:
            async with dial() as transport:
                return await call(transport)
        except ConnectionLost:
            return UNKNOWN
    return UNKNOWN


async def _sign_in(transport: Transport, token: str) -> CallOutcome:
    return await _ask(transport, SIGNING_IN, "session.sign_in", {"token": token})


async def _ask(
    transport: Transport, number: int, method: str, params: dict[str, Any]
) -> CallOutcome:
    request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    await transport.send(msgspec.json.encode(request))
    while True:
        read = msgspec.json.decode(await transport.receive())
        for message in read if isinstance(read, list) else [read]:
            if message.get("id") == number:
                return _answer(message)


def _answer(message: dict[str, Any]) -> CallOutcome:
    error = message.get("error")
    if error is not None:
        refused = error.get("data", {}).get("code") == "not_allowed"
        return CallOutcome(False if refused else None, error["message"])
    result = message.get("result") or {}
    return CallOutcome(True, "", result.get("token", ""), result.get("refresh_token"))
