"""What an application may set. Every limit has a name and a unit."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from .clock import Clock, SystemClock

__all__ = ["Settings"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """
    The settings of a hub and of the server around it.

    Args:
        clock: where time comes from.
        random: where ids and jitter come from; seed it for a repeatable run.
        secret: signs the guests' tokens; by default one is made with the
            journal and kept in it.
        token_seconds: how long an access token is good for.
        refresh_seconds: how long one may stay away, and be known without signing in anew.
        message_limit: how many messages a user may send in any ``message_period``.
        message_period: in seconds.
        message_limiter: ``sliding_window`` is exact; ``token_bucket`` spaces
            messages evenly after a burst of ``message_limit``.
        text_chars_max: the longest message.
        name_chars_max: the longest room name, nickname or avatar.
        page_max: the most that one query returns.
        key_chars_max: the longest idempotency key.
        calls_queued_max: commands that wait to be decided; when it is reached
            callers in the process wait, and callers over the network get
            :exc:`Overloaded`.
        batch_calls_max: commands decided and committed together.
        commit_seconds_max: how long one commit may take.
        match_grace_seconds: how long a player of a match may be gone before he forfeits.
        match_win_points: what the winner of a match gets on its board; 0 is nothing.
        rating_range: how far apart the ratings of players may be who have just come
            to look for a match.
        rating_range_per_second: how much further, for each second that one of them waits.
        currency: of a cart that is empty: a code of ISO 4217.
        cart_lines_max: how many products a cart may have.
        cart_quantity_max: how many of each.
        cart_days: how long a cart is kept that nobody changes.
        reservation_seconds: how long stock is put aside for an order that is being paid.
        payment_seconds_max: how long the payment provider may take to put money aside and take
            it; after that it is asked what became of it.
        checkout_seconds_max: how long a checkout waits for its payment; after that it
            returns the order as it is, pending, and the hub goes on with it.
        price_seconds_max: how long a price source may take for one answer.
        price_fresh_seconds: how long a price that it told is used before it is asked again.
        price_lookups_max: how many answers of it are waited for at one time.
        states_max: folded streams kept in memory besides those in use.
        states_bytes_max: about how many bytes of them.
        key_days: how long an idempotency key is remembered.
        frame_bytes_max: the largest frame a socket may send.
        requests_in_flight_max: requests of one connection that are being answered.
        requests_per_second: requests that one connection may make, with a burst
            of twice as many.
        follows_max: streams that one connection may follow.
        required_roles: a command, like ``games.submit`` -> the least role for it, where
            that is to be more than it is by itself: ``moderator`` or ``admin``.
        password_checks_max: passwords that are hashed at one time, each in a thread.
        password_attempts: how often one may try to sign in to an account, from wherever,
            in any ``password_attempts_period``; and ten times as often from one address.
        password_attempts_period: in seconds.
        trusted_proxies: addresses and networks of the proxies before the server, which tell by
            ``X-Forwarded-For`` where a client is; by default those on the same machine.
        metrics_token: what Prometheus sends for ``/metrics``; without one it is for those who
            are on the same machine.
        presence_grace_seconds: how long one whose connection was lost stays online: who
            reloads a page does not go.
        presence_followers_max: in a room that more follow, presence is not told: it can be
            asked for.
        connections_max: sockets, and followers over HTTP, at one time.
        sign_in_seconds_max: how long a socket may stay without signing in.
        drain_seconds_max: how long stopping waits for what was accepted.
    """

    clock: Clock = msgspec.field(default_factory=SystemClock)
    random: random.Random = msgspec.field(default_factory=random.SystemRandom)
    secret: str | None = None
    token_seconds: int = 900
    refresh_seconds: int = 30 * 24 * 3600
    message_limit: int = 10
    message_period: float = 60.0
    message_limiter: Literal["sliding_window", "token_bucket"] = "sliding_window"
    text_chars_max: int = 4_000
    name_chars_max: int = 100
    page_max: int = 500
    key_chars_max: int = 200
    calls_queued_max: int = 10_000
    batch_calls_max: int = 2_000
    commit_seconds_max: float = 30.0
    match_grace_seconds: float = 30.0
    match_win_points: int = 10
    rating_range: float = 100.0
    rating_range_per_second: float = 50.0
    currency: str = "USD"
    cart_lines_max: int = 100
    cart_quantity_max: int = 1_000
    cart_days: float = 30.0
    reservation_seconds: float = 900.0
    payment_seconds_max: float = 10.0
    checkout_seconds_max: float = 30.0
    price_seconds_max: float = 2.0
    price_fresh_seconds: float = 5.0
    price_lookups_max: int = 16
    states_max: int = 10_000
    states_bytes_max: int = 64 * 1024 * 1024
    key_days: float = 7.0
    frame_bytes_max: int = 64 * 1024
    requests_in_flight_max: int = 256
    requests_per_second: float = 500.0
    follows_max: int = 1_000
    required_roles: Mapping[str, str] = {}
    password_checks_max: int = 2
    password_attempts: int = 10
    password_attempts_period: float = 60.0
    trusted_proxies: Sequence[str] = ("127.0.0.1", "::1")
    metrics_token: str | None = None
    presence_grace_seconds: float = 3.0
    presence_followers_max: int = 100
    connections_max: int = 50_000
    sign_in_seconds_max: float = 10.0
    drain_seconds_max: float = 10.0
