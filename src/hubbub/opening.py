"""Opening a hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Unpack

from .clock import thaw
from .errors import Invalid
from .feature import Feature
from .features import FEATURES, Options
from .hub import Hubbub
from .journal.cluster.bus import Bus
from .journal.cluster.bus_url import bus_of, open_bus, read_bus_url
from .journal.stores.contract import Store
from .journal.stores.url import open_store
from .settings import Settings

__all__ = ["open_hub"]

URL = "hubbub.db"


def open_hub(
    url: str | None = None,
    *,
    store: Store | Callable[[], Store] | None = None,
    bus: str | Bus | None = None,
    settings: Settings | None = None,
    features: Sequence[Feature] = FEATURES,
    **options: Unpack[Options],
) -> Hubbub:
    """
    Open a hub: ``async with hubbub.open("hubbub.db") as hub``.

    Leaving the block finishes accepted commands, then closes the store.

    Args:
        url: the path of a SQLite database, which is created if necessary;
            ``postgresql://user:password@host/database``, which several hubs can share; or
            ``memory://``. By default ``hubbub.db``.
        store: a store of your own instead of a URL, or a function without arguments that makes
            one; the hub calls the function in a worker thread. The hub closes the store in both
            cases. See :mod:`hubbub.stores`.
        bus: what makes delivery quick where several nodes share the store: the URL of a Valkey or
            Redis server, or an object of your own. By default PostgreSQL itself does.
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
        Invalid: the URL names an unknown kind of store, there are both a URL and a store, a
            feature has a mistake, an option belongs to no feature, or a game is outside its
            limits.
    """
    thaw()
    settings = settings or Settings()
    opener = _opener(url, store, settings.random)
    return Hubbub(opener, settings, features, options, _bus_opener(bus))


def _opener(
    url: str | None, store: Store | Callable[[], Store] | None, random: Random
) -> Callable[[], Store]:
    if store is None:
        return partial(open_store, URL if url is None else url, random)
    if url is not None:
        raise Invalid("A hub has one store: give hubbub.open a URL or store=, not both.")
    if callable(store):
        return store
    return lambda: store


def _bus_opener(bus: str | Bus | None) -> Callable[[Store], Bus | None]:
    if bus is None:
        return bus_of
    if isinstance(bus, str):
        read_bus_url(bus)

    def opened(store: Store) -> Bus:
        if not store.shared:
            raise Invalid(
                "A bus connects the nodes that share a PostgreSQL database; leave out bus=, or "
                "use postgresql://…."
            )
        return open_bus(bus, store.journal_id) if isinstance(bus, str) else bus

    return opened
