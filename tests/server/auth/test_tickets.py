"""Tickets for server-sent events: each lets its user in once, and their browser again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import anyio
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import Settings
from hubbub.errors import NotAllowed
from hubbub.server import Gateway
from hubbub.server.auth import tickets as module
from hubbub.server.auth.tickets import TICKETS_USED_MAX, Tickets
from hubbub.server.auth.tokens import Identity, Tokens
from tests.event_loop import Backend
from tests.session.worlds import SetClock
from tests.users.node_kit import Cluster, in_cluster

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET = "s" * 32
ANN = Identity("ann", "moderator", (NOON + timedelta(minutes=10)).timestamp(), session="phone")
BOB = Identity("bob", session="laptop")


def tickets_at(clock: SetClock, secret: str = SECRET) -> Tickets:
    ids = count()
    return Tickets(secret, Settings(clock=clock), lambda: f"{next(ids):026}")


def test_a_ticket_lets_its_user_in_with_all_that_the_token_says() -> None:
    tickets = tickets_at(SetClock())
    identity = tickets.use(tickets.issue(ANN).ticket, {}).identity

    assert (identity.user, identity.role, identity.session) == ("ann", "moderator", "phone")
    assert identity.reference == ANN.reference


def test_it_is_for_one_use() -> None:
    tickets = tickets_at(SetClock())
    ticket = tickets.issue(ANN).ticket
    tickets.use(ticket, {})

    with pytest.raises(NotAllowed, match="POST /api/events/ticket"):
        tickets.use(ticket, {})


def test_it_expires_unused() -> None:
    clock = SetClock()
    tickets = tickets_at(clock)
    given = tickets.issue(ANN)
    clock.passed = float(given.expires_in)

    assert given.expires_in == Settings().ticket_seconds
    with pytest.raises(NotAllowed, match="has expired"):
        tickets.use(given.ticket, {})


def test_a_browser_with_its_cookie_comes_back_until_the_token_expires() -> None:
    clock = SetClock()
    tickets = tickets_at(clock)
    ticket = tickets.issue(ANN).ticket
    visit = tickets.use(ticket, {})
    assert visit.cookie is not None
    cookies = dict([visit.cookie])
    clock.passed = 599.0
    back = tickets.use(ticket, cookies)
    clock.passed = 600.0

    assert visit.seconds == 600
    assert (back.identity.user, back.cookie) == ("ann", None)
    with pytest.raises(NotAllowed):
        tickets.use(ticket, cookies)


def test_no_cookie_outlives_an_access_token_of_the_server() -> None:
    tickets = tickets_at(SetClock())
    visit = tickets.use(tickets.issue(BOB).ticket, {})

    assert visit.seconds == Settings().token_seconds


def test_two_tabs_of_a_sign_in_share_a_cookie_and_two_users_do_not() -> None:
    tickets = tickets_at(SetClock())
    first, second = tickets.issue(ANN).ticket, tickets.issue(ANN).ticket
    other = tickets.issue(BOB).ticket
    cookies = dict(
        visit.cookie for visit in (tickets.use(one, {}) for one in (first, second, other))
        if visit.cookie is not None
    )  # fmt: skip

    assert len(cookies) == 2
    assert [tickets.use(one, cookies).identity.user for one in (first, second, other)] == [
        "ann", "ann", "bob",
    ]  # fmt: skip


def test_the_cookie_of_another_user_does_not_count_under_any_name() -> None:
    tickets = tickets_at(SetClock())
    mine, theirs = tickets.issue(ANN).ticket, tickets.issue(BOB).ticket
    own, other = tickets.use(mine, {}).cookie, tickets.use(theirs, {}).cookie
    assert own is not None
    assert other is not None

    with pytest.raises(NotAllowed):
        tickets.use(mine, {own[0]: other[1], other[0]: other[1]})


def test_neither_is_a_token_nor_takes_the_place_of_the_other() -> None:
    clock = SetClock()
    tickets, tokens = tickets_at(clock), Tokens(SECRET, Settings(clock=clock))
    ticket = tickets.issue(ANN).ticket
    name, cookie = tickets.use(ticket, {}).cookie or ("", "")

    for sent in (ticket, cookie):
        with pytest.raises(NotAllowed):
            tokens.verify(sent)
    with pytest.raises(NotAllowed):
        tickets.use(cookie, {})
    with pytest.raises(NotAllowed):
        tickets.use(ticket, {name: ticket})
    with pytest.raises(NotAllowed):
        tickets.use(tokens.sign("ann"), {})


def test_another_server_s_ticket_is_refused() -> None:
    ticket = tickets_at(SetClock(), "t" * 32).issue(ANN).ticket

    with pytest.raises(NotAllowed):
        tickets_at(SetClock()).use(ticket, {})


def test_after_a_restart_an_older_ticket_is_for_the_browser_that_used_it() -> None:
    clock = SetClock()
    before = tickets_at(clock)
    unused, used = before.issue(ANN).ticket, before.issue(ANN).ticket
    cookie = before.use(used, {}).cookie
    assert cookie is not None
    clock.passed = 1.0
    after = tickets_at(clock)

    assert after.use(used, dict([cookie])).identity.user == "ann"
    for ticket in (unused, used):
        with pytest.raises(NotAllowed):
            after.use(ticket, {})


def test_used_tickets_are_forgotten_when_they_have_expired() -> None:
    clock = SetClock()
    tickets = tickets_at(clock)
    for _ in range(10):
        tickets.use(tickets.issue(ANN).ticket, {})
    clock.passed = 31.0
    tickets.use(tickets.issue(ANN).ticket, {})

    assert len(tickets._used) == len(tickets._expiries) == 1


def test_so_many_are_remembered_and_beyond_that_the_oldest_expire_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TICKETS_USED_MAX", 3)
    clock = SetClock()
    tickets = tickets_at(clock)
    old = tickets.issue(BOB).ticket
    used = []
    for _ in range(5):
        clock.passed += 1.0
        used.append(tickets.issue(ANN).ticket)
        tickets.use(used[-1], {})
    new = tickets.issue(BOB).ticket

    assert TICKETS_USED_MAX == 20_000
    assert len(tickets._used) == len(tickets._expiries) == 3
    assert tickets.use(new, {}).identity.user == "bob"
    for refused in (old, *used):
        with pytest.raises(NotAllowed):
            tickets.use(refused, {})


@given(made_up=st.text(), cookie=st.text())
def test_whatever_is_sent_as_a_ticket_or_a_cookie_is_refused(made_up: str, cookie: str) -> None:
    tickets = tickets_at(SetClock())
    ticket = tickets.issue(ANN).ticket
    name, _ = tickets.use(ticket, {}).cookie or ("", "")

    for sent in (made_up, ticket):
        with pytest.raises(NotAllowed):
            tickets.use(sent, {name: cookie})


@given(claims=st.dictionaries(st.sampled_from(["use", "exp", "until", "user"]), st.integers()))
def test_claims_that_are_not_a_ticket_s_are_refused(claims: dict[str, int]) -> None:
    tickets = tickets_at(SetClock())
    signed = jwt.encode(dict(claims), tickets._key, "HS256")

    with pytest.raises(NotAllowed):
        tickets.use(signed, {})


def test_a_ticket_is_used_once_on_all_nodes(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.node() as one:
            ticket = Gateway(one).tickets.issue(BOB).ticket
            # This node begins after the ticket was made.
            async with cluster.node() as two:
                visit = await Gateway(two).use_ticket(ticket, {})
                assert visit.identity.user == "bob"
                assert visit.cookie is not None
                for hub in (one, two):
                    with pytest.raises(NotAllowed):
                        await Gateway(hub).use_ticket(ticket, {})
                    back = await Gateway(hub).use_ticket(ticket, dict([visit.cookie]))
                    assert back.identity.user == "bob"
                late = Gateway(two).tickets.issue(BOB).ticket
                await anyio.sleep(one.settings.ticket_seconds + 1)
                with pytest.raises(NotAllowed):
                    await Gateway(one).use_ticket(late, {})

    in_cluster(backend, story)
