"""What a payment provider tells by itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ..errors import HubbubError
from ..hub import Hubbub
from ..shop.webhook import Webhook
from .problem import problem_of

__all__ = ["STRIPE_PATH", "stripe_routes"]

STRIPE_PATH = "/webhooks/stripe"


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
        body, longest = b"", hub.settings.frame_bytes_max
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                # What is too much is read to its end, and not kept.
                body = (body + chunk)[: longest + 1]
        if len(body) > longest:
            return Response(status_code=413)
        try:
            signature = request.headers.get("stripe-signature", "")
            event = webhook.read(body, signature, hub.settings.clock.now())
        except HubbubError as error:
            return problem_of(error)
        if event is not None and event.order is not None:
            hub.shopfront.till.look_at(event.order)
        return Response(status_code=204)

    return [Route(STRIPE_PATH, told, methods=["POST"])]
