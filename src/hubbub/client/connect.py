"""Connecting to a server; what that needs is imported by those who do it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING

from ..clock import SystemClock
from ..feature import Feature
from ..ids import Ids
from ..money import decimals_of
from .server_url import server_url

if TYPE_CHECKING:
    from .connection import Dial, TokenStore
    from .remote import RemoteSession

__all__ = ["connect", "open_dialer"]


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

    When the connection is lost the session comes back by itself: it follows on, and
    repeats what was under way, so that nobody sees more of it than a pause.

    Args:
        url: the server's, http or https, with the prefix it is mounted at, if any; without a
            scheme it is http on this machine, and https elsewhere.
        token: from an earlier session, from the server or from the application; it says who
            one is. Where the application's are soon over, an async function that gets one:
            it is asked before each sign-in, and a HubbubError that it raises ends the session.
        nickname: what to show; without a token one is a guest of that name.
        guest: the token that one had as a guest: that cart becomes a part of one's own.
        name: of an account, with its
        password: instead of a token.
        token_store: what keeps the newest refresh token, by ``async`` methods ``load()`` and
            ``save(token)``, where it outlives the session or other processes use it as well.
        features: the application's own that the server has, for :meth:`Session.service`.
        dialer: what opens connections instead of a socket: in tests
            ``hubbub.testing.in_memory(app)``, which reaches an application without a network.

    Raises:
        Invalid: on entering: it is no such URL.
        NotAllowed: on entering: the token, or the name or the password, is not good.
        RateLimited: on entering: too many passwords were tried.
        Closed: the server cannot be reached, or has ended the session.
        ImportError: on entering: the client's libraries are not installed.
    """
    from .remote import RemoteSession  # noqa: PLC0415  # `import hubbub` is to be quick

    url = server_url(url) if dialer is None else url
    given = {
        "token": None if callable(token) else token,
        "nickname": nickname,
        "guest": guest,
        "name": name,
        "password": password,
    }
    sign_in: dict[str, object] = {what: value for what, value in given.items() if value is not None}
    # Keys are made of it as well, so it must not be a seeded one.
    chance = random.SystemRandom()
    return RemoteSession(
        url,
        partial(open_dialer, url, dialer),
        sign_in,
        Ids(SystemClock(), chance),
        chance,
        token if callable(token) else None,
        token_store,
        features,
    )


def open_dialer(url: str, dialer: Callable[[str], Dial] | None = None) -> Dial:
    """
    Make what opens connections to a server; it reads files, and so is for a worker thread.

    Args:
        url: the server's.
        dialer: what makes it, if not of sockets.

    Raises:
        Invalid: it is no URL of a server.
        ImportError: the client's libraries are not installed.
    """
    # Answers have money in them, and the table of currencies is read from a file.
    decimals_of("USD")
    if dialer is not None:
        return dialer(url)
    try:
        from . import transport  # noqa: PLC0415  # it needs an extra
    except ImportError as error:
        text = "A session over a network needs httpx2: pip install 'hubbub[client]'."
        raise ImportError(text) from error
    return transport.dialer(transport.socket_url(url))
