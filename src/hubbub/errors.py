"""
The errors that hubbub raises.

* :exc:`HubbubError`
    * :exc:`NotFound`: there is no such room, message, user …
        * :exc:`NoOpponent`: nobody to play with was found in time.
    * :exc:`NotAllowed`: you may not do this.
        * :exc:`NotMember`, :exc:`Banned`, :exc:`Muted`, :exc:`NotAuthor`: why not.
    * :exc:`Invalid`: an argument is outside its limits.
    * :exc:`Conflict`: the state does not permit this now.
        * :exc:`KeyReused`: a key was sent again with other arguments.
        * :exc:`OutOfStock`: there are fewer left than you want.
    * :exc:`RateLimited`: not yet; see ``retry_after``.
    * :exc:`Overloaded`: a queue is full; come back in a moment.
        * :exc:`HookUnavailable`: what the application checks a command with does not answer.
        * :exc:`PriceUnavailable`: the application's price source does not answer.
    * :exc:`Closed`: the hub, or the connection, is going or gone.
    * :exc:`StorageError`: the store could not write; nothing was changed.
    * :exc:`PaymentDeclined`: the payment provider refused.

A refused command changes nothing and costs nothing. Over a network an error
travels as its ``code`` (and ``reason``), and the same class is raised again.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "Banned",
    "Closed",
    "Conflict",
    "HookUnavailable",
    "HubbubError",
    "Invalid",
    "KeyReused",
    "Muted",
    "NoOpponent",
    "NotAllowed",
    "NotAuthor",
    "NotFound",
    "NotMember",
    "OutOfStock",
    "Overloaded",
    "PaymentDeclined",
    "PriceUnavailable",
    "RateLimited",
    "StorageError",
    "error_from_code",
]


class HubbubError(Exception):
    """
    Base class; only its subclasses are raised.

    Args:
        message: what is wrong and what to do about it.
        retry_after: seconds after which the same command may pass, if known.
    """

    code: ClassVar[str] = "error"
    # Tells apart the subclasses of one code; None for the code's own class.
    reason: ClassVar[str | None] = None
    http_status: ClassVar[int] = 500
    rpc_code: ClassVar[int] = -32000

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        if type(self) is HubbubError:
            raise TypeError("raise a subclass: callers tell errors apart by class")
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class NotFound(HubbubError):
    """There is no such thing."""

    code, http_status, rpc_code = "not_found", 404, -32004


class NoOpponent(NotFound):
    """Nobody to play with was found in time."""

    reason = "no_opponent"


class NotAllowed(HubbubError):
    """You may not do this."""

    code, http_status, rpc_code = "not_allowed", 403, -32003


class NotMember(NotAllowed):
    """Only members may do this, and you are not one."""

    reason = "not_member"


class Banned(NotAllowed):
    """A moderator has banned you from the room."""

    reason = "banned"


class Muted(NotAllowed):
    """A moderator has muted you; see ``retry_after``."""

    reason = "muted"


class NotAuthor(NotAllowed):
    """Only its author may change this."""

    reason = "not_author"


class Invalid(HubbubError):
    """An argument is outside its limits."""

    code, http_status, rpc_code = "invalid", 422, -32602


class Conflict(HubbubError):
    """The state does not permit this now."""

    code, http_status, rpc_code = "conflict", 409, -32009


class KeyReused(Conflict):
    """This key was used for a command with other arguments."""

    reason = "key_reused"


class OutOfStock(Conflict):
    """There are fewer of a product left than you want."""

    reason = "out_of_stock"


class RateLimited(HubbubError):
    """You are too fast; see ``retry_after``."""

    code, http_status, rpc_code = "rate_limited", 429, -32029


class Overloaded(HubbubError):
    """A queue is full: everybody together is too fast."""

    code, http_status, rpc_code = "overloaded", 503, -32050


class HookUnavailable(Overloaded):
    """What the application checks this command with does not answer just now."""

    reason = "hook_unavailable"


class PriceUnavailable(Overloaded):
    """A product's price is not available at the moment."""

    reason = "price_unavailable"


class Closed(HubbubError):
    """The hub or the connection is going or gone."""

    code, http_status, rpc_code = "closed", 503, -32051


class StorageError(HubbubError):
    """The store failed; the message says whether anything of the command was kept."""

    code, http_status, rpc_code = "storage", 507, -32052


class PaymentDeclined(HubbubError):
    """The payment provider refused."""

    code, http_status, rpc_code = "payment_declined", 402, -32002


def error_from_code(
    code: str, message: str, *, reason: str | None = None, retry_after: float | None = None
) -> HubbubError:
    """
    Make the error that a code names.

    A code or reason that this version does not know gives the nearest class
    that it does, so that an old client survives a new server.
    """
    kinds: dict[tuple[str, str | None], type[HubbubError]] = {}
    for known in _subclasses(HubbubError):
        # A subclass of something else that has no reason of its own comes later.
        kinds.setdefault((known.code, known.reason), known)
    kind = kinds.get((code, reason)) or kinds.get((code, None)) or Conflict
    return kind(message, retry_after=retry_after)


def _subclasses(kind: type[HubbubError]) -> list[type[HubbubError]]:
    found = []
    for below in kind.__subclasses__():
        found += [below, *_subclasses(below)]
    return found
