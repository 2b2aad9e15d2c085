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

from ..errors import Invalid, NotAllowed

__all__ = ["EVENTS_SEEN_MAX", "Webhook", "WebhookEvent"]

TOLERANCE_SECONDS = 300
EVENTS_SEEN_MAX = 10_000
# A number of seconds has no more digits for some thousands of years.
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
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Invalid(f"This is no event of Stripe's: {error}.") from error
        if told.id in self._seen:
            return None
        self._seen[told.id] = None
        if len(self._seen) > EVENTS_SEEN_MAX:
            self._seen.popitem(last=False)
        metadata = told.data.object.metadata or {}
        return WebhookEvent(told.id, told.type, metadata.get("order"))

    def _check(self, body: bytes, signature: str, now: datetime) -> None:
        fields = [part.strip().partition("=") for part in signature.split(",")]
        times = [value for name, _, value in fields if name == "t"]
        given = [value for name, _, value in fields if name == "v1"]
        if len(times) != 1 or not _is_time(times[0]):
            raise NotAllowed("The header Stripe-Signature is missing, or wrong.")
        signed = times[0].encode() + b"." + body
        good = hmac.new(self._secret, signed, hashlib.sha256).hexdigest().encode()
        if not any(hmac.compare_digest(good, one.encode()) for one in given):
            raise NotAllowed("The signature is wrong: this is not from Stripe.")
        if abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
            raise NotAllowed("The signature is too old: this was sent before.")


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= TIME_DIGITS_MAX
