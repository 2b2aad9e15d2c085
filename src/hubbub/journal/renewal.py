"""
Makes another history of a journal that was restored by other tools than Hubbub's own.

A client compares the journal's id with the id that it knows. If the id stayed the same, a client
that has seen more than was restored would miss new events.
"""

from __future__ import annotations

from random import Random, SystemRandom
from typing import NamedTuple

from .copying import CopyTarget
from .stores.contract import new_journal_id

__all__ = ["Renewal", "renew"]


class Renewal(NamedTuple):
    """
    The ids of a journal.

    Args:
        before: the id of the history that was restored.
        now: the id of the history that begins.
    """

    before: str
    now: str


def renew(store: CopyTarget, random: Random | None = None) -> Renewal:
    """
    Give a journal a new id; the key that signs tokens stays, so users stay signed in.

    Args:
        store: no hub has it open.
        random: draws the id; by default the operating system does.

    Raises:
        Conflict: a node uses it.
        StorageError: it cannot be written.
    """
    renewal = Renewal(store.journal_id, new_journal_id(random or SystemRandom()))
    store.adopt(renewal.now, store.secret)
    return renewal
