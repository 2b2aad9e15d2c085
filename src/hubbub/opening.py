"""Opening a hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from .feature import Feature
from .features import FEATURES, Options
from .hub import Hubbub
from .settings import Settings

__all__ = ["open_hub"]


def open_hub(
    url: str = "hubbub.db",
    *,
    settings: Settings | None = None,
    features: Sequence[Feature] = FEATURES,
    **options: Unpack[Options],
) -> Hubbub:
    """
    Open a hub: ``async with hubbub.open("hubbub.db") as hub``.

    Leaving it finishes what was accepted, then closes.

    Args:
        url: ``memory://``, or the path of a SQLite database, made if it is not there.
        settings: limits, clock; see :class:`Settings`.
        features: what the hub offers; by default ``hubbub.FEATURES``. Add your own, or leave
            out what you do not want; only ``hubbub.USERS`` must be there.
        games: what can be played, by name, and the queues of matchmaking; by default
            ``default``, two players to 100 points, and ``arithmetic``, a complete game.
        prices: where prices come from; by default from the catalogue.
        tax: how much tax there is; by default 10 % are added.
        payments: takes the money; by default a sandbox that takes none.

    Raises:
        Conflict: on entering: the database is open elsewhere.
        StorageError: on entering: it cannot be opened.
        Invalid: there is no such kind of store, a feature has a mistake, or a game is outside
            its limits.
    """
    return Hubbub(url, settings or Settings(), features, options)
