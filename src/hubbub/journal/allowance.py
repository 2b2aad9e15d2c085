"""The quotas of one session over a network: its commands are charged as they are decided."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from ..errors import HubbubError
from ..quotas import Quota, Quotas
from .command import Command
from .decide.states import States
from .event import Draft

__all__ = ["Allowance", "charged"]

R = TypeVar("R")


class Allowance:
    """
    Charges the commands of one session.

    Args:
        quotas: the hub's quotas.
        user: the user of the session.
        address: the client's address.
    """

    __slots__ = ("_address", "_quotas", "_user")

    def __init__(self, quotas: Quotas, user: str, address: str) -> None:
        self._quotas = quotas
        self._user = user
        self._address = address

    def charged(self, name: str, command: Any) -> Any:
        """
        Return the result of calling a method, wrapped so that it is charged.

        Args:
            name: the method, like ``chat.react``.
            command: a command, or a coroutine that executes it.
        """
        quota = self._quotas.of(name)
        if quota is None:
            return command
        if isinstance(command, Command):
            return self._charged(command, quota)
        return self._carry_out(quota, command)

    def _charged(self, command: Command[R], quota: Quota) -> Command[R]:
        counts, user = quota.by_user and not quota.always, self._user

        def spend(states: States) -> None:
            if counts and states.limits.shared:
                states.charge(quota.name, user)
                self._quotas.charge_place(quota, self._address)
            else:
                self.spend(quota)

        if counts:
            charges = (*command.charges, (quota.name, user))
            command = msgspec.structs.replace(command, charges=charges)
        return charged(command, quota, spend)

    def spend(self, quota: Quota) -> None:
        """
        Count something once.

        Raises:
            RateLimited: the quota is used up.
        """
        self._quotas.charge(quota, self._user, self._address)

    async def _carry_out(self, quota: Quota, work: Coroutine[Any, Any, R]) -> R:
        try:
            self.spend(quota)
        except HubbubError:
            work.close()
            raise
        try:
            return await work
        except HubbubError:
            # A refusal costs nothing.
            self._quotas.refund(quota, self._user, self._address)
            raise


def charged(command: Command[R], quota: Quota, spend: Callable[[States], None]) -> Command[R]:
    """
    Return a command that is charged last, when nothing else can refuse it.

    Args:
        command: the command.
        quota: tells which decisions count.
        spend: charges it, or raises RateLimited.
    """

    def decide(states: States) -> Sequence[Draft]:
        drafts = command.decide(states)
        if quota.always or _is_counted(states, drafts, quota):
            _touch(states, drafts)
            spend(states)
        return drafts

    return msgspec.structs.replace(command, decide=decide)


def _is_counted(states: States, drafts: Sequence[Draft], quota: Quota) -> bool:
    if not quota.creates:
        return bool(drafts)
    prefix = f"{quota.creates}/"
    return any(
        draft.stream.startswith(prefix) and not states.entry(draft.stream).head for draft in drafts
    )


def _touch(states: States, drafts: Sequence[Draft]) -> None:
    """Load all streams that will be written: deciding again would charge again."""
    for draft in drafts:
        states.entry(draft.stream)
        if draft.ref is not None:
            states.thread(draft.stream, draft.ref)
