"""Hubbub adds chat, games and a shop to an application, on asyncio and trio."""

from __future__ import annotations

from .chat.feature import CHAT
from .chat.messages.message import Message
from .chat.rooms.room import Member, Room
from .client import connect
from .errors import (
    Banned,
    Closed,
    Conflict,
    Encrypted,
    HookUnavailable,
    HubbubError,
    Invalid,
    KeyReused,
    Muted,
    NoOpponent,
    NotAllowed,
    NotAuthor,
    NotEncrypted,
    NotFound,
    NotMember,
    OtherDevices,
    OutOfStock,
    Overloaded,
    PaymentDeclined,
    PriceUnavailable,
    RateLimited,
    RosterChanged,
    StorageError,
    StoreTooOld,
    Untrusted,
)
from .feature import Feature
from .features import FEATURES
from .games.boards.board import Board, Entry, Season
from .games.feature import GAMES
from .games.matches.game import Game, Handler, Table
from .games.matches.match import Match
from .games.matches.rules import BestOf, Custom, FirstTo, Outcome, Rounds, Standing, Timed
from .hub import Hubbub
from .journal.event import Event, Signal
from .keys.feature import KEYS
from .money import Money
from .opening import open_hub as open  # noqa: A004  # hubbub.open reads like the built-in on purpose
from .operations.feature import OPERATIONS
from .session import Session
from .settings import Settings
from .shop.carts.cart import Cart, CartLine, Line
from .shop.carts.tax import Basis, FlatTax, Tax, Taxed, TaxPolicy, TaxTable
from .shop.catalog.coupon import Coupon
from .shop.catalog.price_lookup import PriceSource
from .shop.catalog.product import Offer, Product
from .shop.catalog.products import KEEP
from .shop.feature import SHOP
from .shop.orders.order import Change, Order, Refund
from .shop.payments.payment import ClosingProvider, Payment, PaymentProvider, RoundingProvider
from .users.feature import USERS
from .users.record import UserRecord
from .users.user import User

__all__ = [
    "CHAT",
    "FEATURES",
    "GAMES",
    "KEEP",
    "KEYS",
    "OPERATIONS",
    "SHOP",
    "USERS",
    "Banned",
    "Basis",
    "BestOf",
    "Board",
    "Cart",
    "CartLine",
    "Change",
    "Closed",
    "ClosingProvider",
    "Conflict",
    "Coupon",
    "Custom",
    "Encrypted",
    "Entry",
    "Event",
    "Feature",
    "FirstTo",
    "FlatTax",
    "Game",
    "Handler",
    "HookUnavailable",
    "Hubbub",
    "HubbubError",
    "Invalid",
    "KeyReused",
    "Line",
    "Match",
    "Member",
    "Message",
    "Money",
    "Muted",
    "NoOpponent",
    "NotAllowed",
    "NotAuthor",
    "NotEncrypted",
    "NotFound",
    "NotMember",
    "Offer",
    "Order",
    "OtherDevices",
    "OutOfStock",
    "Outcome",
    "Overloaded",
    "Payment",
    "PaymentDeclined",
    "PaymentProvider",
    "PriceSource",
    "PriceUnavailable",
    "Product",
    "RateLimited",
    "Refund",
    "Room",
    "RosterChanged",
    "RoundingProvider",
    "Rounds",
    "Season",
    "Session",
    "Settings",
    "Signal",
    "Standing",
    "StorageError",
    "StoreTooOld",
    "Table",
    "Tax",
    "TaxPolicy",
    "TaxTable",
    "Taxed",
    "Timed",
    "Untrusted",
    "User",
    "UserRecord",
    "connect",
    "open",
]
