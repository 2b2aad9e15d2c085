"""What a payment provider tells by itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ...errors import Invalid
from ...hub import Hubbub
from ...shop.payments.webhook import WEBHOOK_BYTES_MAX, Webhook
from .problem import TooLarge, problem_of

__all__ = ["STRIPE_PATH", "stripe_routes"]

STRIPE_PATH = "/webhooks/stripe"


class Malformed(Invalid):
    """What was sent with the right signature is no event."""

    http_status = 400


def stripe_routes(hub: Hubbub, secret: str) -> Sequence[BaseRoute]:
    """
    Make the route that Stripe calls when it knows more of a payment.

    It is only ever a reason to ask Stripe what became of the order: nothing is believed
    that it says.

    Args:
        hub: whose orders these are.
        secret: the endpoint's signing secret.
    """
    webhook = Webhook(secret)

    async def told(request: Request) -> Response:
        try:
            body = await _body(request)
            signature = request.headers.get("stripe-signature", "")
            event = webhook.read(body, signature, hub.settings.clock.now())
        except ClientDisconnect:
            # There is nobody to be told.
            return Response(status_code=400)
        except Invalid as error:
            return problem_of(Malformed(error.message))
        except Exception as error:  # one request that fails ends alone, and is logged
            return problem_of(error)
        if event is not None and event.order is not None:
            hub.storefront.processor.look_at(event.order)
        return Response(status_code=204)

    return [Route(STRIPE_PATH, told, methods=["POST"])]


async def _body(request: Request) -> bytes:
    """Read a body that may come from anybody: so much of it, and no more."""
    too_large = TooLarge(f"An event has up to {WEBHOOK_BYTES_MAX:,} bytes.")
    body = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > WEBHOOK_BYTES_MAX:
                # The rest is not read: the server closes the connection.
                raise too_large
    return bytes(body)
