"""
The errors that Hubbub raises.

* :exc:`HubbubError`
    * :exc:`NotFound`: the room, message or other thing does not exist.
        * :exc:`NoOpponent`: matchmaking found no opponent in time.
    * :exc:`NotAllowed`: you do not have permission.
        * :exc:`NotMember`, :exc:`Banned`, :exc:`Muted`, :exc:`NotAuthor`: the reason.
        * :exc:`Untrusted`: a user's key has changed, or you have not verified it.
    * :exc:`Invalid`: an argument is outside its limits.
    * :exc:`Conflict`: the current state does not permit this.
        * :exc:`KeyReused`: you sent an idempotency key again with other arguments.
        * :exc:`OutOfStock`: fewer are left than you want.
        * :exc:`Encrypted`, :exc:`NotEncrypted`: the room is encrypted, or is not.
        * :exc:`RosterChanged`: the room's members or devices have changed; encrypt again.
        * :exc:`OtherDevices`: a new device needs your recovery key.
        * :exc:`StoreTooOld`: a device's key store is an older copy of itself.
    * :exc:`RateLimited`: you are too fast; retry after ``retry_after`` seconds.
    * :exc:`Overloaded`: a queue is full; retry in a few seconds.
        * :exc:`HookUnavailable`: a hook of the application does not answer.
        * :exc:`PriceUnavailable`: the application's price source does not answer.
    * :exc:`Closed`: the hub or the connection is closing or closed.
    * :exc:`StorageError`: the store could not write; nothing has changed.
    * :exc:`PaymentDeclined`: the payment provider declined the payment.

A refused command changes nothing and costs nothing. Over a network an error
travels as its ``code`` (and ``reason``), and the client raises the same class.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "Banned",
    "Closed",
    "Conflict",
    "Encrypted",
    "HookUnavailable",
    "HubbubError",
    "Invalid",
    "KeyReused",
    "Muted",
    "NoOpponent",
    "NotAllowed",
    "NotAuthor",
    "NotEncrypted",
    "NotFound",
    "NotMember",
    "OtherDevices",
    "OutOfStock",
    "Overloaded",
    "PaymentDeclined",
    "PriceUnavailable",
    "RateLimited",
    "RosterChanged",
    "StorageError",
    "StoreTooOld",
    "Untrusted",
    "error_from_code",
]


class HubbubError(Exception):
    """
    Base class; Hubbub raises only its subclasses.

    Args:
        message: what is wrong, and how to fix it.
        retry_after: seconds after which you can retry the command, if known.
    """

    code: ClassVar[str] = "error"
    # Distinguishes the subclasses of one code; None for the code's own class.
    reason: ClassVar[str | None] = None
    http_status: ClassVar[int] = 500
    rpc_code: ClassVar[int] = -32000

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        if type(self) is HubbubError:
            raise TypeError("raise a subclass: callers distinguish errors by class")
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class NotFound(HubbubError):
    """The room, message, order or other thing does not exist."""

    code, http_status, rpc_code = "not_found", 404, -32004


class NoOpponent(NotFound):
    """Matchmaking found no opponent in time."""

    reason = "no_opponent"


class NotAllowed(HubbubError):
    """You do not have permission."""

    code, http_status, rpc_code = "not_allowed", 403, -32003


class NotMember(NotAllowed):
    """Only members can do this, and you are not a member."""

    reason = "not_member"


class Banned(NotAllowed):
    """A moderator has banned you from the room."""

    reason = "banned"


class Muted(NotAllowed):
    """A moderator has muted you; see ``retry_after``."""

    reason = "muted"


class NotAuthor(NotAllowed):
    """Only the author of a message can change it."""

    reason = "not_author"


class Untrusted(NotAllowed):
    """A user's key has changed, or was not verified; nothing is encrypted for it."""

    reason = "untrusted"


class Invalid(HubbubError):
    """An argument is outside its limits."""

    code, http_status, rpc_code = "invalid", 422, -32602


class Conflict(HubbubError):
    """The current state does not permit this."""

    code, http_status, rpc_code = "conflict", 409, -32009


class KeyReused(Conflict):
    """You have used this idempotency key for a command with other arguments."""

    reason = "key_reused"


class OutOfStock(Conflict):
    """Fewer of a product are left than you want."""

    reason = "out_of_stock"


class Encrypted(Conflict):
    """The room is encrypted: only sealed messages are sent in it."""

    reason = "encrypted"


class NotEncrypted(Conflict):
    """The room is not encrypted: no sealed messages are sent in it."""

    reason = "not_encrypted"


class RosterChanged(Conflict):
    """The room's members or their devices have changed; encrypt for those it has now."""

    reason = "roster_changed"


class OtherDevices(Conflict):
    """You have other devices: restore this one with your recovery key, or remove them."""

    reason = "other_devices"


class StoreTooOld(Conflict):
    """A device's store is an older copy of itself; make a new device."""

    reason = "store_too_old"


class RateLimited(HubbubError):
    """You are too fast; retry after ``retry_after`` seconds."""

    code, http_status, rpc_code = "rate_limited", 429, -32029


class Overloaded(HubbubError):
    """A queue is full; retry in a few seconds."""

    code, http_status, rpc_code = "overloaded", 503, -32050


class HookUnavailable(Overloaded):
    """A hook of the application, which checks this command, does not answer at the moment."""

    reason = "hook_unavailable"


class PriceUnavailable(Overloaded):
    """A product's price is not available at the moment."""

    reason = "price_unavailable"


class Closed(HubbubError):
    """The hub or the connection is closing or closed."""

    code, http_status, rpc_code = "closed", 503, -32051


class StorageError(HubbubError):
    """The store failed; the message says whether the command was written."""

    code, http_status, rpc_code = "storage", 507, -32052


class PaymentDeclined(HubbubError):
    """The payment provider declined the payment."""

    code, http_status, rpc_code = "payment_declined", 402, -32002


def error_from_code(
    code: str, message: str, *, reason: str | None = None, retry_after: float | None = None
) -> HubbubError:
    """
    Make the error that a code names.

    For a code or reason that this version does not know, return the nearest class that it
    does know, so that an old client works with a newer server.
    """
    kinds: dict[tuple[str, str | None], type[HubbubError]] = {}
    for known in _subclasses(HubbubError):
        # Skip the subclasses of other classes, which have no reason of their own.
        kinds.setdefault((known.code, known.reason), known)
    kind = kinds.get((code, reason)) or kinds.get((code, None)) or Conflict
    return kind(message, retry_after=retry_after)


def _subclasses(kind: type[HubbubError]) -> list[type[HubbubError]]:
    found = []
    for below in kind.__subclasses__():
        found += [below, *_subclasses(below)]
    return found
