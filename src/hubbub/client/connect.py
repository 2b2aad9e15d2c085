"""Connecting to a server; it imports the client's libraries only when you connect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from random import Random, SystemRandom
from typing import TYPE_CHECKING

from ..clock import Clock, SystemClock, thaw
from ..extras import needs
from ..feature import Feature
from ..ids import Ids
from ..money import decimals_of
from .dial import Dial
from .server_url import server_url

if TYPE_CHECKING:
    from .connection import AskToken, TokenStore
    from .remote import RemoteSession

__all__ = ["connect", "open_dialer", "session_over"]


def connect(  # noqa: PLR0913
    url: str,
    *,
    token: str | Callable[[], Awaitable[str]] | None = None,
    nickname: str | None = None,
    guest: str | None = None,
    name: str | None = None,
    password: str | None = None,
    token_store: TokenStore | None = None,
    features: Sequence[Feature] = (),
    dialer: Callable[[str], Dial] | None = None,
) -> AbstractAsyncContextManager[RemoteSession]:
    """
    Connect to a server: ``async with hubbub.connect("http://127.0.0.1:8000") as session``.

    When the connection is lost, the session reconnects: it continues to follow its streams
    and repeats unanswered requests, so your code sees no more than a pause.

    Args:
        url: the server's URL, http or https, with the prefix it is mounted at, if any. Without a
            scheme, this machine is reached over http and every other host over https.
        token: a token from an earlier session, from the server or from the application. If the
            application's tokens expire soon, pass an async function that returns one: the client
            calls it before each sign-in, and a HubbubError that it raises ends the session.
        nickname: the name to show; without a token you sign in as a guest with this name.
        guest: the token of the guest that you were before: you take over their cart.
        name: the name of an account, with its
        password: instead of a token.
        token_store: stores the newest refresh token, with ``async`` methods ``load()`` and
            ``save(token)``, if it outlives the session or other processes use it as well.
        features: the application's own features on the server, for :meth:`Session.service`.
        dialer: opens connections instead of a socket: in tests
            ``hubbub.testing.in_memory(app)``, which connects to an application without a network.

    Raises:
        Invalid: on entering: it is not the URL of a server, or another argument is invalid.
        NotAllowed: on entering: the token, or the name or the password, is not valid.
        RateLimited: on entering: too many attempts.
        Closed: the server cannot be reached, or has ended the session.
        ImportError: on entering: the client's libraries are not installed.
    """
    url = server_url(url) if dialer is None else url
    # Idempotency keys come from it as well, so it must not be seeded.
    chance = SystemRandom()
    given: dict[str, object] = {
        "token": None if callable(token) else token,
        "nickname": nickname,
        "guest": guest,
        "name": name,
        "password": password,
    }
    return _session(
        url,
        partial(open_dialer, url, dialer, chance),
        given,
        chance,
        SystemClock(),
        features,
        token if callable(token) else None,
        token_store,
    )


def session_over(  # noqa: PLR0913
    dial: Dial,
    *,
    where: str = "The server",
    nickname: str | None = None,
    token: str | None = None,
    random: Random | None = None,
    clock: Clock | None = None,
    features: Sequence[Feature] = (),
) -> AbstractAsyncContextManager[RemoteSession]:
    """
    Connect to a server over a transport of your own: ``async with session_over(dial) as session``.

    Like the session of :func:`hubbub.connect`, it reconnects by itself: it calls ``dial`` again.

    Args:
        dial: opens a connection: returns an async context manager of a :class:`Transport`.
        where: the name of the server, for messages; it begins a sentence.
        nickname: the name to show; without a token you sign in as a guest with this name.
        token: a token from an earlier session, from the server or from the application.
        random: where the back-off's jitter and the idempotency keys come from; by default the
            operating system. Seed it only for a repeatable run: with the keys of an earlier
            session, commands would return that session's results.
        clock: the clock of the idempotency keys.
        features: the application's own features on the server, for :meth:`Session.service`.

    Raises:
        Invalid: on entering: an argument is invalid.
        NotAllowed: on entering: the token is not valid.
        RateLimited: on entering: too many attempts.
        Closed: the server cannot be reached, or has ended the session.
    """
    chance = random or SystemRandom()
    given: dict[str, object] = {"token": token, "nickname": nickname}
    open_dial = partial(open_dialer, where, lambda _: dial)
    return _session(where, open_dial, given, chance, clock or SystemClock(), features)


def _session(  # noqa: PLR0913
    where: str,
    open_dial: Callable[[], Dial],
    given: Mapping[str, object],
    random: Random,
    clock: Clock,
    features: Sequence[Feature],
    ask_token: AskToken | None = None,
    token_store: TokenStore | None = None,
) -> RemoteSession:
    thaw()
    from .remote import RemoteSession  # noqa: PLC0415  # keeps `import hubbub` fast

    sign_in: dict[str, object] = {what: value for what, value in given.items() if value is not None}
    ids = Ids(clock, random)
    return RemoteSession(where, open_dial, sign_in, ids, random, ask_token, token_store, features)


def open_dialer(
    url: str, dialer: Callable[[str], Dial] | None = None, random: Random | None = None
) -> Dial:
    """
    Make the function that opens connections; call it in a worker thread, because it reads files.

    Args:
        url: the server's URL.
        dialer: makes it, if not for sockets.
        random: the source of the handshakes' nonces.

    Raises:
        Invalid: it is not the URL of a server.
        ImportError: the client's libraries are not installed.
    """
    # Results contain money, and the table of currencies is read from a file.
    decimals_of("USD")
    if dialer is not None:
        return dialer(url)
    with needs("client", "hubbub.connect"):
        from . import transport  # noqa: PLC0415  # it needs an extra
    return transport.dialer(transport.socket_url(url), random)
