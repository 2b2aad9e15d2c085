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

    Leaving the block finishes accepted commands, then closes the store.

    Args:
        url: ``memory://``, or the path of a SQLite database, which is created if necessary.
        settings: limits and the clock; see :class:`Settings`.
        features: the features of the hub; by default ``hubbub.FEATURES``. Add your own, or
            leave out features that you do not need; only ``hubbub.USERS`` is required.
        games: the games, by name, with their matchmaking queues; by default
            ``default``, two players to 100 points, and ``arithmetic``, a complete game.
        prices: where prices come from; by default from the catalogue.
        tax: computes the tax; by default 10 % are added.
        payments: takes the payments; by default a sandbox that charges nobody.

    Raises:
        Conflict: on entering: another process or hub has the database open.
        StorageError: on entering: the database cannot be opened.
        Invalid: the URL names an unknown kind of store, a feature has a mistake, an option
            belongs to no feature, or a game is outside its limits.
    """
    return Hubbub(url, settings or Settings(), features, options)
