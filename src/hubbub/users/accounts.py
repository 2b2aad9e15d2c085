"""Accounts: they identify a user by a name and a password."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from unicodedata import normalize

import msgspec

from ..errors import NotAllowed
from ..journal.actor import Actor
from ..journal.command import Command, nothing
from ..journal.decide.states import States
from ..journal.event import Draft, Event
from ..journal.schedule import HUB
from ..shown import repr_without
from ..stream_names import user_stream
from .account import PASSWORD_CHARS_MAX, AccountState, find_account, streams_of
from .attempts import Attempts
from .hashing import Hashing
from .user import UserState

__all__ = ["Accounts", "Verified", "charge_command"]

logger = logging.getLogger("hubbub.users")

# The kind of message that tells other nodes from where a user has signed in to an account.
KIND = "signed in"
WRONG = "The account name or the password is wrong."


class Verified(msgspec.Struct, frozen=True):
    """
    An account whose password was verified.

    Args:
        stream: the account's stream.
        user: the user who has the account.
        hash: the hash that the password was verified with.
        epoch: how often the user had signed out everywhere by then.
    """

    stream: str
    user: str
    hash: str
    epoch: int

    def __repr__(self) -> str:
        return repr_without(self, "hash")


class Accounts:
    """
    Signs users in with a name and a password.

    Args:
        hub: the actor of the hub's own commands.
    """

    def __init__(self, hub: Actor) -> None:
        self._hub = hub
        settings = hub.settings
        self.hashing = Hashing(settings.password_checks_max)
        self._attempts = Attempts(settings.password_attempts, settings.password_attempts_period)
        self._nodes = hub.journal.nodes if hub.journal.store.shared else None
        if self._nodes is not None:
            self._nodes.hear[KIND] = self._hear

    async def sign_in(self, name: str, password: str, address: str) -> str:
        """
        Verify a password, and return the id of the account's user.

        Args:
            name: the account's name.
            password: the password to verify.
            address: the client's address.

        Raises:
            NotAllowed: the account does not exist, or has another password.
            RateLimited: too many attempts for this account from this address, or from the address.
            Overloaded: too many passwords wait for a thread.
        """
        return (await self.verify(name, password, address)).user

    async def verify(self, name: str, password: str, address: str) -> Verified:
        """Return an account if the password is right; see :meth:`sign_in`."""
        streams = streams_of(name, self._hub.settings.name_chars_max)
        account = streams[0]
        known = self._attempts.is_known(account, address)
        if self._nodes is None:
            self._attempts.charge(account, address, self._hub.settings.clock.monotonic())
        else:
            await self._hub.execute(charge_command(self._attempts.charges(account, address)))
        if len(password) > PASSWORD_CHARS_MAX:
            # No account has a password this long, and hashing it takes time.
            raise NotAllowed(WRONG)

        found = await self._look_up(streams)
        given = normalize("NFC", password)
        if not await self.hashing.verify(found.hash, given, known=known):
            about = {"account": account, "address": address}
            logger.info("a wrong password for %s from %s", account, address, extra=about)
            raise NotAllowed(WRONG)
        self._attempts.succeeded(account, address)
        if self._nodes is not None:
            self._nodes.tell(KIND, msgspec.msgpack.encode((account, address)))
        return found

    async def find(self, name: str) -> str | None:
        """Return the id of the user who has an account, if it exists."""
        streams = streams_of(name, self._hub.settings.name_chars_max)
        return (await self._look_up(streams)).user or None

    async def _look_up(self, streams: Sequence[str]) -> Verified:
        def found(states: States, events: Sequence[Event]) -> Verified:
            stream = find_account(states, streams)
            account = states.of(AccountState, stream)
            if not account.user:
                return Verified(stream, "", "", 0)
            epoch = states.of(UserState, user_stream(account.user)).epoch
            return Verified(stream, account.user, account.hash, epoch)

        return await self._hub.execute(Command(HUB, nothing, found, reads=streams))

    async def charge(self, address: str) -> None:
        """
        Count an attempt from an address.

        Raises:
            RateLimited: there were too many attempts.
        """
        if self._nodes is None:
            self._attempts.charge_address(address, self._hub.settings.clock.monotonic())
        else:
            await self._hub.execute(charge_command(self._attempts.address_charges(address)))

    def _hear(self, node: str, body: bytes) -> None:
        """Remember from where a user has signed in to an account on another node."""
        self._attempts.succeeded(*msgspec.msgpack.decode(body, type=tuple[str, str]))

    async def hash(self, password: str) -> str:
        """
        Hash a password that is known to be valid.

        Raises:
            Overloaded: too many passwords wait for a thread.
        """
        self._hub.journal.check_home()
        return await self.hashing.hash(password)


def charge_command(charges: Sequence[tuple[str, str]]) -> Command[None]:
    """
    Charge limits for all nodes, and write nothing else.

    Args:
        charges: the name and the key of each limit.
    """

    def decide(states: States) -> Sequence[Draft]:
        for what, key in charges:
            states.charge(what, key)
        return ()

    def result(states: States, events: Sequence[Event]) -> None:
        return

    return Command(HUB, decide, result, charges=charges)
