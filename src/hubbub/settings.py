"""The settings of an application. Every limit has a name and a unit."""

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
    The settings of a hub and of its server.

    Args:
        clock: where time comes from.
        random: where ids, jitter, and the id and the secret of a new journal come from. Seed it
            for a repeatable run, and only there: a stranger can guess what a seed gives.
        secret: the key that signs guests' tokens; by default Hubbub generates it with the
            journal and stores it there.
        guests: whether strangers can sign in with only a nickname; if False, the server also
            refuses the tokens of existing guests.
        token_seconds: the lifetime of an access token.
        ticket_seconds: how long a ticket for server-sent events can stay unused.
        refresh_seconds: the lifetime of a refresh token: a user who is away for longer has to
            sign in again.
        refresh_grace_seconds: how long after its use a refresh token can be used once more, by
            a second tab or a client that has lost the response; any later use ends the sign-in.
        message_limit: the number of messages a user can send in any ``message_period``.
        message_period: its length in seconds.
        message_limiter: ``sliding_window`` is exact; ``token_bucket`` spaces
            messages evenly after a burst of ``message_limit``.
        text_chars_max: the longest message.
        name_chars_max: the longest room name, nickname or avatar.
        reactions_max: the number of reactions on a message, from all users together.
        room_members_max: the number of members of a room.
        rooms_joined_max: the number of rooms a user can be in; direct conversations do not count.
        page_max: the most items that one query returns.
        page_bytes_max: the bytes of events on one page of history, of search results or of a
            stream; a larger page is cut to fewer events, and at least one.
        key_chars_max: the longest idempotency key.
        calls_queued_max: the number of commands that wait for a decision; when the queue is full,
            callers in the process wait, and callers over the network get
            :exc:`Overloaded`.
        batch_calls_max: the number of commands decided and committed together.
        commit_seconds_max: how long one commit can take.
        match_grace_seconds: how long a player can be disconnected from a match before they forfeit.
        match_win_points: the points that the winner of a match gets on its board; 0 for none.
        match_idle_seconds: how long a match continues without a connected player and without an
            event, if its players have played without being connected.
        matches_begun_max: the number of running matches that a user has started over a network
            or found by matchmaking.
        rated_matches_max: the number of matches a day between the same two players that change
            their ratings.
        searches_max: the number of users who can search for a match at the same time.
        boards_made_max: the number of boards a user can create over a network.
        boards_max: the number of boards all users together can create over a network.
        season_seconds_min: the shortest season of a board that is created over a network.
        rating_range: how far apart the ratings of two players can be when they begin to search
            for a match.
        rating_range_per_second: how much further apart for each second that either has waited.
        currency: the currency of an empty cart: a code of ISO 4217.
        cart_lines_max: the number of products in a cart.
        cart_quantity_max: the quantity of each product.
        cart_days: how many days after its last change a cart expires.
        reservation_seconds: how long an order that is being paid reserves its stock.
        payment_seconds_max: how long the payment provider can take to authorize and capture a
            payment; after that Hubbub asks it for the payment's status.
        checkout_seconds_max: how long a checkout waits for its payment; after that it
            returns the order as pending, and Hubbub continues in the background.
        checkout_limit: the number of checkouts a user can begin in any ``checkout_period``.
        checkout_period: its length in seconds.
        orders_open_max: about how many orders can be paid or refunded at the same time; above
            that, a checkout raises :exc:`Overloaded`.
        price_seconds_max: how long a price source can take to answer.
        price_fresh_seconds: how long Hubbub uses a price before it asks the price source
            again.
        price_lookups_max: the number of price look-ups that run at the same time.
        price_lookups_per_user_max: how many of these can be for one user.
        states_max: the number of folded streams in memory, besides those in use.
        states_bytes_max: about how many bytes the folded streams in memory can take.
        key_days: how many days Hubbub remembers an idempotency key.
        frame_bytes_max: the largest frame that a client can send.
        requests_in_flight_max: the number of unanswered requests of one connection.
        requests_per_second: the number of requests a second that one connection can make, with a
            burst of twice as many.
        follows_max: the number of streams that one connection can follow.
        required_roles: a method, like ``games.submit`` -> the lowest role that can call it,
            ``moderator`` or ``admin``, where you want to require more than the default.
        password_checks_max: the number of passwords hashed at the same time, each in a thread;
            one thread is reserved for clients that have signed in from their address before.
        password_attempts: how often a client can try to sign in to one account from one
            address in any ``password_attempts_period``; ten times as often to all accounts
            together, or to an account that has been signed in to from that address before.
        password_attempts_period: its length in seconds.
        creations_period: the seconds in which the limits on creations refill: guests,
            accounts, rooms, direct conversations, boards, matches and orders. These limits apply
            over a network, and not to moderators and admins; an address has ten times the limit.
        guests_per_address: the number of guests that one address can create in a burst.
        accounts_per_address: the number of accounts that one address can create in a burst.
        rooms_per_user: the number of rooms that a user can create in a burst.
        directs_per_user: the number of direct conversations that a user can begin in a burst.
        boards_per_user: the number of boards that a user can create in a burst.
        matches_per_user: the number of matches that a user can start or search for in a burst.
        orders_per_user: the number of checkouts that a user can begin in a burst.
        score_limit: the number of scores a user can submit over a network in ``change_period``.
        change_limit: the number of reactions, edits, cart changes and other small changes that
            a user can make over a network in ``change_period``.
        change_period: its length in seconds.
        signal_limit: how often a user can signal over a network that they are typing or away,
            in ``signal_period``.
        presence_limit: how often in ``signal_period`` other users get a signal that a user
            connects, disconnects or is away; they get the last state when the limit refills.
        signal_period: its length in seconds.
        trusted_proxies: addresses and networks of the proxies in front of the server, whose
            ``X-Forwarded-For`` the server trusts; by default those on the same machine.
        metrics_token: the token that Prometheus sends for ``/metrics``; without one only clients
            on the same machine can read it.
        presence_grace_seconds: how long a user stays online after a lost connection, for
            example to reload a page.
        presence_followers_max: rooms with more followers get no presence signals; clients can
            query presence.
        connections_max: the number of sockets and followers over HTTP. `hubbub serve` lowers it
            to the limit of the operating system for the process.
        connections_per_address_max: the number of connections from one address, or from one /64
            of IPv6; never more than half of `connections_max`. A trusted proxy is not limited.
        connections_per_user_max: the number of sockets of one user; never more than a quarter
            of `connections_max`.
        allowed_origins: other sites whose pages can use the hub from a browser, like
            ``https://example.org``; ``*`` allows all. The hub's own page is always allowed.
        allowed_hosts: the host names of the server, without a port; empty allows
            every name. ``localhost`` and this machine's own addresses are always allowed.
        sign_in_seconds_max: how long a socket can stay open without signing in.
        hook_seconds_max: how long a hook of a feature (``before=``) can take for one command;
            after that the command is refused.
        drain_seconds_max: how long a stopping hub waits for accepted commands.
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
