"""
What Stripe tells by itself: who says it is checked, and that it is not said again. Pure.

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

# Bytes that are read before the signature is checked; Stripe's events have some kilobytes.
WEBHOOK_BYTES_MAX = 128 * 1024
# The longest signature header, in characters.
SIGNATURE_CHARS_MAX = 4_096
# Signatures in one header: while a secret is replaced there are several.
SIGNATURES_MAX = 16
# The longest id of an event, in characters.
EVENT_ID_CHARS_MAX = 255

TOLERANCE_SECONDS = 300
# Ids of events that are remembered, to skip repeats; the oldest goes first.
EVENTS_SEEN_MAX = 10_000
# Digits of the time in a signature: enough seconds for some thousands of years.
TIME_DIGITS_MAX = 12


class WebhookEvent(msgspec.Struct, frozen=True):
    """
    What Stripe tells.

    Args:
        id: Stripe's.
        type: like ``payment_intent.succeeded``.
        order: the id of the order that it is about, if it is about one.
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
    Reads what Stripe tells.

    Args:
        secret: the signing secret of the endpoint, from Stripe's dashboard.

    Raises:
        Invalid: it is empty, so anybody could sign.
    """

    def __init__(self, secret: str) -> None:
        if not secret:
            raise Invalid("The webhook's secret is empty; Stripe shows it as whsec_….")
        self._secret = secret.encode()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def read(self, body: bytes, signature: str, now: datetime) -> WebhookEvent | None:
        """
        Read an event; None if it was told before.

        Args:
            body: exactly as it came.
            signature: the header ``Stripe-Signature``.
            now: UTC.

        Raises:
            NotAllowed: it is not from Stripe, or is more than five minutes old.
            Invalid: it is from Stripe, and no event.
        """
        self._check(body, signature, now)
        try:
            told = _decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise Invalid(f"This is no event of Stripe's: {error}.") from error
        if not 0 < len(told.id) <= EVENT_ID_CHARS_MAX:
            raise Invalid(f"An event's id has 1 to {EVENT_ID_CHARS_MAX} characters.")
        if told.id in self._seen:
            return None
        self._seen[told.id] = None
        if len(self._seen) > EVENTS_SEEN_MAX:
            self._seen.popitem(last=False)
        metadata = told.data.object.metadata or {}
        order = metadata.get("order")
        # An account of Stripe's may be used for more than this shop: it may be anything.
        ours = order is not None and 0 < len(order) <= ORDER_ID_CHARS_MAX and _is_plain(order)
        return WebhookEvent(told.id, told.type, order if ours else None)

    def _check(self, body: bytes, signature: str, now: datetime) -> None:
        if len(signature) > SIGNATURE_CHARS_MAX:
            raise NotAllowed("The header Stripe-Signature is too long.")
        fields = [part.strip().partition("=") for part in signature.split(",")]
        times = [value for name, _, value in fields if name == "t"]
        given = [value for name, _, value in fields if name == "v1"]
        if len(times) != 1 or not _is_time(times[0]) or len(given) > SIGNATURES_MAX:
            raise NotAllowed("The header Stripe-Signature is missing, or wrong.")
        signed = times[0].encode() + b"." + body
        good = hmac.new(self._secret, signed, hashlib.sha256).hexdigest().encode()
        if not any(hmac.compare_digest(good, one.encode(errors="replace")) for one in given):
            raise NotAllowed("The signature is wrong: this is not from Stripe.")
        if abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
            raise NotAllowed("The signature is too old: this was sent before.")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isalnum()


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= TIME_DIGITS_MAX
