"""What happens to a user. The tags are the types on the wire."""

from __future__ import annotations

from ..journal.event import Data
from ..journal.link import Linked, Marked, Offered, Rated, Unlinked

__all__ = ["Profiled", "Registered", "UserEvent"]


class Registered(Data, frozen=True, tag="registered"):
    """The user is known from now on."""

    nickname: str
    avatar: str


class Profiled(Data, frozen=True, tag="profiled"):
    """The nickname or the avatar is another."""

    nickname: str
    avatar: str


UserEvent = Registered | Profiled | Linked | Unlinked | Marked | Offered | Rated
