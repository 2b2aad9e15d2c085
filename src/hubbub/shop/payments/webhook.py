"""
Stripe's webhook: it checks the sender of an event, and skips repeats. Pure.

The signature is that of https://docs.stripe.com/webhooks/signature: an HMAC with SHA-256
of the time and the body.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from datetime import datetime

import msgspec

from ...errors import Invalid, NotAllowed
from ..orders.order import ORDER_ID_CHARS_MAX

__all__ = ["EVENTS_SEEN_MAX", "WEBHOOK_BYTES_MAX", "Webhook", "WebhookEvent"]

# Bytes that are read before the signature is checked; Stripe's events have a few kilobytes.
WEBHOOK_BYTES_MAX = 128 * 1024
# The longest signature header, in characters.
SIGNATURE_CHARS_MAX = 4_096
# Signatures in one header: there are several while a secret is being replaced.
SIGNATURES_MAX = 16
# The longest id of an event, in characters.
EVENT_ID_CHARS_MAX = 255

TOLERANCE_SECONDS = 300
# Ids of events that are remembered, to skip repeats; the oldest is evicted first.
EVENTS_SEEN_MAX = 10_000
# Digits of the time in a signature: enough seconds for thousands of years.
TIME_DIGITS_MAX = 12


class WebhookEvent(msgspec.Struct, frozen=True):
    """
    An event from Stripe.

    Args:
        id: Stripe's id of the event.
        type: like ``payment_intent.succeeded``.
        order: the id of the order that it is about, if any.
    """

    id: str
    type: str
    order: str | None


class _Object(msgspec.Struct):
    metadata: dict[str, str] | None = None


class _Data(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    id: str
    type: str
    data: _Data


_decode = msgspec.json.Decoder(_Event).decode


class Webhook:
    """
    Reads events from Stripe.

    Args:
        secret: the signing secret of the endpoint, from Stripe's dashboard.

    Raises:
        Invalid: the secret is empty, so anyone could sign.
    """

    def __init__(self, secret: str) -> None:
        if not secret:
            raise Invalid("The webhook's secret is empty; use the whsec_… from Stripe's dashboard.")
        self._secret = secret.encode()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def read(self, body: bytes, signature: str, now: datetime) -> WebhookEvent | None:
        """
        Read an event; return None for a repeat.

        Args:
            body: the exact bytes of the request.
            signature: the header ``Stripe-Signature``.
            now: UTC.

        Raises:
            NotAllowed: the event is not from Stripe, or is more than five minutes old.
            Invalid: the request is from Stripe, but is not an event.
        """
        self._check(body, signature, now)
        try:
            told = _decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise Invalid(f"This is not an event of Stripe's: {error}.") from error
        if not 0 < len(told.id) <= EVENT_ID_CHARS_MAX:
            raise Invalid(f"An event id must have 1 to {EVENT_ID_CHARS_MAX} characters.")
        if told.id in self._seen:
            return None
        self._seen[told.id] = None
        if len(self._seen) > EVENTS_SEEN_MAX:
            self._seen.popitem(last=False)
        metadata = told.data.object.metadata or {}
        order = metadata.get("order")
        # The Stripe account may serve more than this shop, so the object can be anything.
        ours = order is not None and 0 < len(order) <= ORDER_ID_CHARS_MAX and _is_plain(order)
        return WebhookEvent(told.id, told.type, order if ours else None)

    def _check(self, body: bytes, signature: str, now: datetime) -> None:
        if len(signature) > SIGNATURE_CHARS_MAX:
            raise NotAllowed("The header Stripe-Signature is too long.")
        fields = [part.strip().partition("=") for part in signature.split(",")]
        times = [value for name, _, value in fields if name == "t"]
        given = [value for name, _, value in fields if name == "v1"]
        if len(times) != 1 or not _is_time(times[0]) or len(given) > SIGNATURES_MAX:
            raise NotAllowed("The header Stripe-Signature is missing or malformed.")
        signed = times[0].encode() + b"." + body
        good = hmac.new(self._secret, signed, hashlib.sha256).hexdigest().encode()
        if not any(hmac.compare_digest(good, one.encode(errors="replace")) for one in given):
            raise NotAllowed("The signature is wrong: this event is not from Stripe.")
        if abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
            raise NotAllowed("The signature is too old: this may be a replay.")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isalnum()


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= TIME_DIGITS_MAX
