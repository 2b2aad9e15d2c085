"""A bank that some requests reach late, and in the middle of whose calls a process dies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Literal, NamedTuple, TypeVar

import anyio
from anyio import to_thread

from hubbub import PaymentDeclined
from tests.shop.bank import Bank, BankError

__all__ = ["FarBank", "Fault", "How", "Method"]

Method = Literal["authorize", "capture", "cancel", "look_up", "refund"]
# A request gets lost, or arrives when its sender has long given up; its answer gets lost;
# it fails before or after it is heard; or the process that asks dies before or after that.
How = Literal["lost", "delayed", "answer lost", "fails", "answer fails", "asker dies", "heard dies"]

T = TypeVar("T")


class Fault(NamedTuple):
    """
    The fault of the next call of a method.

    Args:
        method: which.
        how: what.
        down: True if the bank hears nothing more after that.
    """

    method: Method
    how: How
    down: bool = False


class FarBank(Bank):
    """
    A bank whose books outlive the process that asks it.

    Args:
        leave: called in a thread at the moment of a death: keeps what the dead leaves.
    """

    def __init__(self, leave: Callable[[], None]) -> None:
        super().__init__()
        self._leave = leave
        self._faults = dict[str, Fault]()
        self._under_way = list[Callable[[], object]]()
        # Who is dead asks nothing more; what else it does is never seen.
        self._dead = False

    def expect(self, faults: Iterable[Fault]) -> None:
        """Have something go wrong."""
        self._faults |= {fault.method: fault for fault in faults}

    def recover(self) -> None:
        """Have no troubles any more."""
        self.down = False
        self._faults.clear()

    def deliver(self) -> None:
        """Let the delayed requests arrive."""
        arriving, self._under_way = self._under_way, []
        for do in arriving:
            with suppress(PaymentDeclined):
                do()

    def spare(self) -> bool:
        """Let the process live; return True if it is dead already."""
        for method, fault in list(self._faults.items()):
            if fault.how in ("asker dies", "heard dies"):
                del self._faults[method]
        return self._dead

    def bury(self) -> bool:
        """Be ready for the next process; tells whether the last one has died."""
        was_dead, self._dead = self._dead, False
        return was_dead

    async def _call(self, method: str, do: Callable[[], T]) -> T:
        if self._dead:
            await anyio.sleep_forever()
        fault = None if self.down else self._faults.pop(method, None)
        if fault is None:
            return await super()._call(method, do)
        self.down = fault.down
        await self._go_wrong(fault, do)
        raise BankError(f"{method}: {fault.how}")

    async def _go_wrong(self, fault: Fault, do: Callable[[], object]) -> None:
        # Before anything is awaited: a moment later it could be seen.
        self._dead = fault.how in ("asker dies", "heard dies")
        if fault.how in ("answer lost", "answer fails", "heard dies"):
            with suppress(PaymentDeclined):
                do()
        if fault.how == "delayed":
            self._under_way.append(do)
        if self._dead:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._leave)
        if fault.how in ("fails", "answer fails"):
            await anyio.lowlevel.checkpoint()
        else:
            await anyio.sleep_forever()
