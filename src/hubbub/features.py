"""The features that come with Hubbub. To add a feature, add a line to each list here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypedDict

from .chat.feature import CHAT
from .chat.service import Chat
from .feature import Feature
from .games.feature import GAMES
from .games.matches.game import Game
from .games.service import Games
from .keys.feature import KEYS
from .keys.service import Keys
from .operations.feature import OPERATIONS
from .operations.service import Operations
from .shop.carts.tax import TaxPolicy
from .shop.catalog.price_lookup import PriceSource
from .shop.feature import SHOP
from .shop.payments.payment import PaymentProvider
from .shop.service import Shop
from .users.feature import USERS
from .users.service import Users

__all__ = ["FEATURES", "Options", "ServiceAttributes", "Services"]

FEATURES: Sequence[Feature] = (USERS, CHAT, KEYS, GAMES, SHOP, OPERATIONS)


class Services(Protocol):
    """
    The services of these features, as attributes of a session.

    Args:
        chat: rooms and messages.
        games: matches, matchmaking and leaderboards.
        keys: devices and their public keys, for end-to-end encryption.
        operations: statistics of the hub; for admins.
        shop: the catalogue, carts, checkout and orders.
        users: profiles and presence.
    """

    chat: Chat
    games: Games
    keys: Keys
    operations: Operations
    shop: Shop
    users: Users


class ServiceAttributes:
    """The same attributes, for the classes of sessions."""

    chat: Chat
    games: Games
    keys: Keys
    operations: Operations
    shop: Shop
    users: Users


class Options(TypedDict, total=False):
    """
    The options of ``hubbub.open`` that these features take.

    Args:
        games: the games, by name, with their matchmaking queues; by default
            ``default``, two players to 100 points, and ``arithmetic``, a complete game.
        prices: where prices come from; by default from the catalogue.
        tax: computes the tax; by default 10 % are added.
        payments: takes the payments; by default a sandbox that charges nobody.
    """

    games: Mapping[str, Game] | None
    prices: PriceSource | None
    tax: TaxPolicy | None
    payments: PaymentProvider | None
