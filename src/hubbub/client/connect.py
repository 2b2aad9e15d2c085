"""Connecting to a server; what that needs is imported by those who do it."""

from __future__ import annotations

import random
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from ..clock import SystemClock
from ..ids import Ids

if TYPE_CHECKING:
    from .remote import RemoteSession

__all__ = ["connect"]


def connect(
    url: str, *, token: str | None = None, nickname: str | None = None
) -> AbstractAsyncContextManager[RemoteSession]:
    """
    Connect to a server: ``async with hubbub.connect("http://127.0.0.1:8000") as session``.

    When the connection is lost the session comes back by itself: it follows on, and
    repeats what was under way, so that nobody sees more of it than a pause.

    Args:
        url: the server's, http or https, with the prefix it is mounted at, if any.
        token: from an earlier session, or from the server; it says who one is.
        nickname: what to show; without a token one is a guest of that name.

    Raises:
        Invalid: it is no such URL.
        NotAllowed: the token is not good.
        Closed: the server cannot be reached, or has ended the session.
        ImportError: the client's libraries are not installed.
    """
    try:
        from .transport import dialer, socket_url  # noqa: PLC0415  # it needs an extra
    except ImportError as error:
        text = "A session over a network needs httpx2: pip install 'hubbub[client]'."
        raise ImportError(text) from error
    from .line import Line  # noqa: PLC0415  # `import hubbub` is to be quick
    from .remote import RemoteSession  # noqa: PLC0415

    dial = dialer(socket_url(url))
    given = {"token": token, "nickname": nickname}
    sign_in: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    # Keys are made of it as well, so it must not be a seeded one.
    chance = random.SystemRandom()
    return RemoteSession(Line(url, dial, sign_in, chance), Ids(SystemClock(), chance))
