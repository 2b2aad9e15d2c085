"""Calls of providers, such as that of payments: ``POST /webhooks/NAME``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ...errors import Invalid
from ...feature import Receiver
from ...hub import Hubbub
from .problem import TooLarge, problem_of

__all__ = ["WEBHOOKS_PATH", "webhook_routes"]

WEBHOOKS_PATH = "/webhooks/"


class Malformed(Invalid):
    """The body has the right signature, but is no event."""

    http_status = 400


def webhook_routes(hub: Hubbub, secrets: Mapping[str, str]) -> Sequence[BaseRoute]:
    """
    Make the routes that providers call.

    Args:
        hub: the hub whose features take the calls.
        secrets: the name of a webhook, like ``stripe`` -> the endpoint's signing secret.

    Raises:
        Invalid: no feature of the hub takes the calls of one of these providers.
    """
    return [
        Route(WEBHOOKS_PATH + name, _answering(hub, receiver), methods=["POST"])
        for name, receiver in hub.webhooks(secrets).items()
    ]


def _answering(hub: Hubbub, receiver: Receiver) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            body = await _body(request, receiver.body_bytes_max)
            receiver.receive(body, request.headers, hub.journal.clock.now())
        except ClientDisconnect:
            # The client is gone.
            return Response(status_code=400)
        except Invalid as error:
            return problem_of(Malformed(error.message))
        except Exception as error:  # only this request fails, and the log has it
            return problem_of(error)
        return Response(status_code=204)

    return answer


async def _body(request: Request, longest: int) -> bytes:
    """Read a body that anybody can send, up to its limit."""
    too_large = TooLarge(f"An event has up to {longest:,} bytes.")
    body = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > longest:
                # The server does not read the rest, and closes the connection.
                raise too_large
    return bytes(body)
