"""What an application may set. Every limit has a name and a unit."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from .clock import Clock, SystemClock
from .shown import repr_without

__all__ = ["Settings"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """
    The settings of a hub and of the server around it.

    Args:
        clock: where time comes from.
        random: where ids and jitter come from; seed it for a repeatable run.
        secret: signs the guests' tokens; by default one is made with the
            journal and kept in it.
        guests: whether strangers may sign in with a nickname only; if not, guests who came
            before are refused as well.
        token_seconds: how long an access token is good for.
        ticket_seconds: how long a ticket for server-sent events may stay unused.
        refresh_seconds: how long a refresh token lasts: a user who stays away longer signs in
            anew.
        refresh_grace_seconds: how long after its use a refresh token may be used once more, by
            a second tab or a client that has lost the answer; later use of it ends the sign-in.
        message_limit: how many messages a user may send in any ``message_period``.
        message_period: in seconds.
        message_limiter: ``sliding_window`` is exact; ``token_bucket`` spaces
            messages evenly after a burst of ``message_limit``.
        text_chars_max: the longest message.
        name_chars_max: the longest room name, nickname or avatar.
        reactions_max: how many reactions a message may have, of all users together.
        room_members_max: how many members a room may have.
        rooms_joined_max: how many rooms a user may be in, besides direct conversations.
        page_max: the most that one query returns.
        page_bytes_max: bytes of the events that a page of history, of a search or of a stream
            is made of; a page that would be larger has fewer, and at least one.
        key_chars_max: the longest idempotency key.
        calls_queued_max: commands that wait to be decided; when it is reached
            callers in the process wait, and callers over the network get
            :exc:`Overloaded`.
        batch_calls_max: commands decided and committed together.
        commit_seconds_max: how long one commit may take.
        match_grace_seconds: how long a player of a match may be gone before they forfeit.
        match_win_points: what the winner of a match gets on its board; 0 is nothing.
        match_idle_seconds: how long a match may go on without a connected player and without an
            event, if players have played in it without being connected.
        matches_begun_max: how many matches that a user has started over a network, or found by
            matchmaking, may be under way at one time.
        rated_matches_max: how many matches between the same two players count for their
            ratings in a day.
        searches_max: how many users may search for a match at one time.
        boards_made_max: how many boards one user may make over a network.
        boards_max: how many boards all users together may make over a network.
        season_seconds_min: the shortest season of a board that is made over a network.
        rating_range: how far apart the ratings of players may be who have just begun to search for
            a match.
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
        checkout_limit: how many checkouts a user may begin in any ``checkout_period``.
        checkout_period: in seconds.
        orders_open_max: orders that are being paid or refunded at one time; when it is reached
            a checkout gets :exc:`Overloaded`.
        price_seconds_max: how long a price source may take for one answer.
        price_fresh_seconds: how long a price that the source gave is used before it is asked
            again.
        price_lookups_max: how many look-ups of prices run at one time.
        price_lookups_per_user_max: how many of these are for one user.
        states_max: folded streams kept in memory besides those in use.
        states_bytes_max: about how many bytes the folded streams in memory may take.
        key_days: how long an idempotency key is remembered.
        frame_bytes_max: the largest frame a socket may send.
        requests_in_flight_max: requests of one connection that are being answered.
        requests_per_second: requests that one connection may make, with a burst
            of twice as many.
        follows_max: streams that one connection may follow.
        required_roles: a command, like ``games.submit`` -> the least role for it, where
            that is to be more than it is by itself: ``moderator`` or ``admin``.
        password_checks_max: passwords that are hashed at one time, each in a thread; one of them
            is kept for clients who have signed in from their address before.
        password_attempts: how often a client may try to sign in to one account from one
            address in any ``password_attempts_period``; ten times as often to all accounts
            together, or where somebody has signed in to the account before.
        password_attempts_period: in seconds.
        creations_period: seconds in which the limits of creations refill: those of guests,
            accounts, rooms, directs, boards, matches and orders. They apply over a network, and
            not to moderators and admins; one address has ten times what a user has.
        guests_per_address: guests that one address may create at once.
        accounts_per_address: accounts that one address may create at once.
        rooms_per_user: rooms that a user may create at once.
        directs_per_user: direct conversations that a user may begin at once.
        boards_per_user: boards that a user may create at once.
        matches_per_user: matches that a user may start, or search for, at once.
        orders_per_user: checkouts that a user may begin at once.
        score_limit: scores that a user may submit over a network in ``change_period``.
        change_limit: reactions, edits, changes of a cart and other small changes that a user
            may make over a network in ``change_period``.
        change_period: in seconds.
        signal_limit: how often a user may signal, over a network, that they are typing or away, in
            ``signal_period``.
        presence_limit: how often others are told in ``signal_period`` that a user comes, goes or
            looks away; after that they are told the last state when the limit refills.
        signal_period: in seconds.
        trusted_proxies: addresses and networks of the proxies before the server, which tell by
            ``X-Forwarded-For`` where a client is; by default those on the same machine.
        metrics_token: what Prometheus sends for ``/metrics``; without one only clients on the same
            machine may read it.
        presence_grace_seconds: how long a user who has lost the connection stays online, to reload
            a page for example.
        presence_followers_max: in a room with more followers presence is not told; clients can ask
            for it.
        connections_max: sockets, and followers over HTTP, at one time. `hubbub serve` lowers it
            to what the operating system lets the process have.
        connections_per_address_max: connections from one address at one time, or from one /64
            of IPv6; never more than half of `connections_max`. A trusted proxy is not limited.
        connections_per_user_max: sockets of one user at one time; never more than a quarter
            of `connections_max`.
        allowed_origins: pages of other sites that may use the hub from a browser, like
            ``https://example.org``; ``*`` allows all. The hub's own page always may.
        allowed_hosts: names that the server may be called by, without a port; empty allows
            every name. ``localhost`` and this machine's own addresses always are.
        sign_in_seconds_max: how long a socket may stay without signing in.
        hook_seconds_max: how long a hook of a feature (``before=``) may take for one command;
            the command is refused after that.
        drain_seconds_max: how long stopping waits for what was accepted.
    """

    clock: Clock = msgspec.field(default_factory=SystemClock)
    random: random.Random = msgspec.field(default_factory=random.SystemRandom)
    secret: str | None = None
    guests: bool = True
    token_seconds: int = 900
    ticket_seconds: int = 30
    refresh_seconds: int = 30 * 24 * 3600
    refresh_grace_seconds: float = 60.0
    message_limit: int = 10
    message_period: float = 60.0
    message_limiter: Literal["sliding_window", "token_bucket"] = "sliding_window"
    text_chars_max: int = 4_000
    name_chars_max: int = 100
    reactions_max: int = 1_000
    room_members_max: int = 10_000
    rooms_joined_max: int = 10_000
    page_max: int = 500
    page_bytes_max: int = 2 * 1024 * 1024
    key_chars_max: int = 200
    calls_queued_max: int = 10_000
    batch_calls_max: int = 2_000
    commit_seconds_max: float = 30.0
    match_grace_seconds: float = 30.0
    match_win_points: int = 10
    match_idle_seconds: float = 24 * 3600.0
    matches_begun_max: int = 50
    rated_matches_max: int = 5
    searches_max: int = 2_000
    boards_made_max: int = 50
    boards_max: int = 10_000
    season_seconds_min: float = 3_600.0
    rating_range: float = 100.0
    rating_range_per_second: float = 50.0
    currency: str = "USD"
    cart_lines_max: int = 100
    cart_quantity_max: int = 1_000
    cart_days: float = 30.0
    reservation_seconds: float = 900.0
    payment_seconds_max: float = 10.0
    checkout_seconds_max: float = 30.0
    checkout_limit: int = 60
    checkout_period: float = 60.0
    orders_open_max: int = 10_000
    price_seconds_max: float = 2.0
    price_fresh_seconds: float = 5.0
    price_lookups_max: int = 16
    price_lookups_per_user_max: int = 8
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
    creations_period: float = 3_600.0
    guests_per_address: int = 1_000
    accounts_per_address: int = 100
    rooms_per_user: int = 100
    directs_per_user: int = 200
    boards_per_user: int = 100
    matches_per_user: int = 500
    orders_per_user: int = 200
    score_limit: int = 30_000
    change_limit: int = 1_200
    change_period: float = 60.0
    signal_limit: int = 1_200
    presence_limit: int = 60
    signal_period: float = 60.0
    trusted_proxies: Sequence[str] = ("127.0.0.1", "::1")
    metrics_token: str | None = None
    presence_grace_seconds: float = 3.0
    presence_followers_max: int = 100
    connections_max: int = 50_000
    connections_per_address_max: int = 1_000
    connections_per_user_max: int = 100
    allowed_origins: Sequence[str] = ()
    allowed_hosts: Sequence[str] = ()
    sign_in_seconds_max: float = 10.0
    hook_seconds_max: float = 5.0
    drain_seconds_max: float = 10.0

    def __repr__(self) -> str:
        return repr_without(self, "secret", "metrics_token")
