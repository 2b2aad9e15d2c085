"""What one session over a network may still do: its commands are charged as they are decided."""

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
    Charges one session's commands.

    Args:
        quotas: the hub's.
        user: the user whose session it is.
        address: where the user is.
    """

    __slots__ = ("_address", "_quotas", "_user")

    def __init__(self, quotas: Quotas, user: str, address: str) -> None:
        self._quotas = quotas
        self._user = user
        self._address = address

    def charged(self, name: str, command: Any) -> Any:
        """
        Return what a method has returned, so that it is charged if it is counted.

        Args:
            name: the method, like ``chat.react``.
            command: a command, or a coroutine that carries it out.
        """
        quota = self._quotas.of(name)
        if quota is None:
            return command
        if isinstance(command, Command):
            return charged(command, quota, lambda: self.spend(quota))
        return self._carry_out(quota, command)

    def spend(self, quota: Quota) -> None:
        """
        Count something once.

        Raises:
            RateLimited: it was done too often.
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


def charged(command: Command[R], quota: Quota, spend: Callable[[], None]) -> Command[R]:
    """
    Return a command that is charged last of all, when nothing else can refuse it.

    Args:
        command: what to decide.
        quota: says whether what it decides is counted.
        spend: counts it, or raises RateLimited.
    """

    def decide(states: States) -> Sequence[Draft]:
        drafts = command.decide(states)
        if quota.always or _is_counted(states, drafts, quota):
            _touch(states, drafts)
            spend()
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
    """Have all that will be written in memory: to be decided again is to be charged again."""
    for draft in drafts:
        states.entry(draft.stream)
        if draft.ref is not None:
            states.thread(draft.stream, draft.ref)
