from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import Invalid, NotAllowed
from hubbub.shop.payments import webhook as w
from hubbub.shop.payments.webhook import (
    EVENT_ID_CHARS_MAX,
    EVENTS_SEEN_MAX,
    SIGNATURE_CHARS_MAX,
    SIGNATURES_MAX,
    TIME_DIGITS_MAX,
    Webhook,
    WebhookEvent,
)

SECRET = "whsec_12345"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def told(event_id: str = "evt_1", metadata: Any = None) -> bytes:
    body = {
        "id": event_id,
        "type": "payment_intent.succeeded",
        "data": {"object": {"metadata": {"order": "1"} if metadata is None else metadata}},
    }
    return msgspec.json.encode(body)


def signed(body: bytes, at: datetime = NOON, secret: str = SECRET) -> str:
    seconds = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest},v0=old"


def test_what_stripe_tells_is_read() -> None:
    event = Webhook(SECRET).read(told(), signed(told()), NOON)

    assert event == WebhookEvent("evt_1", "payment_intent.succeeded", "1")


@pytest.mark.parametrize("metadata", [{}, {"else": "1"}])
def test_it_may_be_about_no_order(metadata: Any) -> None:
    body = told(metadata=metadata)
    event = Webhook(SECRET).read(body, signed(body), NOON)

    assert event is not None
    assert event.order is None


def test_what_was_told_before_is_passed_over() -> None:
    webhook = Webhook(SECRET)
    webhook.read(told(), signed(told()), NOON)

    assert webhook.read(told(), signed(told()), NOON) is None
    assert webhook.read(told("evt_2"), signed(told("evt_2")), NOON) is not None


def test_one_of_several_signatures_is_enough() -> None:
    header = signed(told()).replace("v1=", "v1=00,v1=")

    assert Webhook(SECRET).read(told(), header, NOON) is not None


@given(st.data())
def test_any_changed_byte_is_refused(data: st.DataObject) -> None:
    body = bytearray(told())
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(NotAllowed):
        Webhook(SECRET).read(bytes(body), signed(told()), NOON)


@given(st.text())
def test_any_other_header_is_refused(header: str) -> None:
    with pytest.raises(NotAllowed):
        Webhook(SECRET).read(told(), header, NOON)


@pytest.mark.parametrize(
    "header",
    [
        "", "t=,v1=", signed(told(), secret="other"), signed(told()).replace("v1", "v2"),
        signed(told()) + ",t=1", f"t={'1' * (TIME_DIGITS_MAX + 1)},v1=0", "t=-5,v1=0",
        f"t={'1' * TIME_DIGITS_MAX},v1=é",
    ],
)  # fmt: skip
def test_a_wrong_signature_is_refused(header: str) -> None:
    with pytest.raises(NotAllowed):
        Webhook(SECRET).read(told(), header, NOON)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_signature_is_refused(seconds: int) -> None:
    header = signed(told(), NOON + timedelta(seconds=seconds))

    with pytest.raises(NotAllowed, match="too old"):
        Webhook(SECRET).read(told(), header, NOON)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_clocks_may_differ_a_little(seconds: int) -> None:
    header = signed(told(), NOON + timedelta(seconds=seconds))

    assert Webhook(SECRET).read(told(), header, NOON) is not None


DEEP = b'{"id":"d","type":"t","data":{"object":{"x":%b}}}' % (b"[" * 30_000 + b"]" * 30_000)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b'{"id":1}', b"[" * 30_000 + b"]" * 30_000, DEEP, told(""),
        told("x" * (EVENT_ID_CHARS_MAX + 1)), told(metadata={"order": 5}), told(metadata=[1]),
        b'{"id":"\xff","type":"t","data":{"object":{}}}',
        b'{"id":"e","type":"t","data":{"object":{"metadata":{"order":"\\ud800"}}}}',
    ],
)  # fmt: skip
def test_what_is_no_event_is_invalid(body: bytes) -> None:
    with pytest.raises(Invalid):
        Webhook(SECRET).read(body, signed(body), NOON)


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(msgspec.json.encode))
def test_any_signed_body_is_an_event_or_invalid(body: bytes) -> None:
    with pytest.raises(Invalid):
        Webhook(SECRET).read(body, signed(body), NOON)


@pytest.mark.parametrize("order", ["", "../cart/ann", "a/b", "\0", "x" * 65, "é"])
def test_what_can_be_no_order_of_ours_is_not_looked_at(order: str) -> None:
    body = told(metadata={"order": order})
    event = Webhook(SECRET).read(body, signed(body), NOON)

    assert event == WebhookEvent("evt_1", "payment_intent.succeeded", None)


@pytest.mark.parametrize(
    "header",
    [
        signed(told()) + "x" * SIGNATURE_CHARS_MAX,
        signed(told()).replace("v1=", "v1=00," * SIGNATURES_MAX + "v1="),
    ],
)
def test_a_header_has_its_limits(header: str) -> None:
    with pytest.raises(NotAllowed):
        Webhook(SECRET).read(told(), header, NOON)


def test_the_oldest_events_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    assert EVENTS_SEEN_MAX > 2
    monkeypatch.setattr(w, "EVENTS_SEEN_MAX", 2)
    webhook = Webhook(SECRET)
    for event_id in ("1", "2", "3"):
        webhook.read(told(event_id), signed(told(event_id)), NOON)

    assert webhook.read(told("3"), signed(told("3")), NOON) is None
    assert webhook.read(told("1"), signed(told("1")), NOON) is not None
