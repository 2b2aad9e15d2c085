"""Names of old accounts: reserve the names that look like them for their users."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from anyio import to_thread

from ..errors import Closed, StorageError
from ..journal.actor import Actor
from ..journal.command import Command, nothing
from ..journal.decide.states import States
from ..journal.event import Draft, Event
from ..journal.schedule import HUB
from ..stream_names import user_stream
from .account import AccountState, claim
from .events import NameClaimed
from .user import UserState

__all__ = ["claim_old_names"]

logger = logging.getLogger("hubbub.users")

# Marks that this is done: no name has an empty skeleton.
DONE = "account/ "
# The number of old accounts whose names one command claims.
ACCOUNTS_MAX = 50


async def claim_old_names(hub: Actor) -> None:
    """
    Claim the names of accounts that have not claimed theirs, once for each database.

    Args:
        hub: the actor of the hub's own commands.
    """
    try:
        if await hub.execute(Command(HUB, nothing, _is_done, reads=(DONE,))):
            return
        streams = await to_thread.run_sync(_accounts_in, hub)
        for first in range(0, len(streams), ACCOUNTS_MAX):
            await hub.execute(_claiming(streams[first : first + ACCOUNTS_MAX]))
        if streams:
            done = Draft(DONE, NameClaimed(HUB, ""))
            await hub.execute(Command(HUB, lambda states: (done,), _nothing, reads=(DONE,)))
    except (Closed, StorageError):
        # The hub starts this again when the store works.
        raise
    except Exception:
        # Keep the hub open; it tries again the next time it opens.
        logger.warning("the names of older accounts are not protected yet", exc_info=True)


def _accounts_in(hub: Actor) -> list[str]:
    streams = (stream for stream, _ in hub.journal.store.streams())
    return [one for one in streams if one.startswith("account/") and one[8:9] != " "]


def _claiming(streams: Sequence[str]) -> Command[None]:
    def decide(states: States) -> list[Draft]:
        states.need(streams)
        found = [states.of(AccountState, stream).user for stream in streams]
        # The claims of an erased user have another name, which is like an account's.
        users = [user for user in found if user]
        states.need([user_stream(user) for user in users])
        drafts: dict[str, Draft] = {}
        for user in users:
            name = states.of(UserState, user_stream(user)).account
            for draft in claim(states, user, name):
                drafts.setdefault(draft.stream, draft)
        return list(drafts.values())

    return Command(HUB, decide, _nothing, reads=streams)


def _is_done(states: States, events: Sequence[Event]) -> bool:
    return bool(states.of(AccountState, DONE).holder)


def _nothing(states: States, events: Sequence[Event]) -> None:
    return None
