"""
Verification: two users compare three numbers, and know each other's keys from then on.

The protocol is Matrix' short authentication string (SAS): a commitment, an exchange of fresh
keys, numbers that both show, and a MAC of each user key. Its messages go through Olm.
The device with the lower address begins, so both users can call it at the same time.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import anyio
import vodozemac as vz
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ..errors import Conflict, HubbubError, Invalid, NotAllowed, NotFound
from ..ids import Ids
from .device import OwnDevice
from .identity import canonical
from .olm import DeviceAddress
from .payloads import (
    Content,
    VerifyAccept,
    VerifyCancel,
    VerifyKey,
    VerifyMac,
    VerifyStart,
)
from .trust import Trust

__all__ = ["VERIFY_SECONDS", "Verification", "Verifications"]

# How long a verification may take, in seconds.
VERIFY_SECONDS = 120.0
# How long the side that ends a verification waits for its message to be sent, in seconds.
CANCEL_SECONDS_MAX = 2.0
# Messages of one verification that may wait; more are dropped.
MESSAGES_MAX = 32
# Users who have asked and were not answered yet; the first is forgotten.
ASKED_MAX = 100

logger = logging.getLogger("hubbub.encryption")

Message = VerifyStart | VerifyAccept | VerifyKey | VerifyMac | VerifyCancel
Received = tuple[DeviceAddress, Message]
C = TypeVar("C", bound=Message)


class Verifications:
    """
    The verifications of one device.

    Args:
        device: the device.
        trust: learns who was verified.
        ids: where names of verifications come from.
    """

    def __init__(self, device: OwnDevice, trust: Trust, ids: Ids) -> None:
        self._device = device
        self._trust = trust
        self._ids = ids
        self._open: dict[str, MemoryObjectSendStream[Received]] = {}
        # The last start of each user that nobody has answered.
        self._asked: OrderedDict[str, Received] = OrderedDict()

    def take(self, sender: DeviceAddress, content: Message) -> None:
        """Take what another device says about a verification."""
        if (inbox := self._open.get(sender[0])) is not None:
            try:
                inbox.send_nowait((sender, content))
            except (anyio.WouldBlock, anyio.BrokenResourceError):
                # It is more than any verification needs.
                return
        elif isinstance(content, VerifyCancel):
            asked = self._asked.get(sender[0])
            if asked is not None and asked[1].transaction == content.transaction:
                del self._asked[sender[0]]
        elif isinstance(content, VerifyStart):
            self._asked[sender[0]] = (sender, content)
            self._asked.move_to_end(sender[0])
            if len(self._asked) > ASKED_MAX:
                self._asked.popitem(last=False)

    @asynccontextmanager
    async def verify(self, user: str) -> AsyncGenerator[Verification]:
        """
        Agree with a user on numbers to compare; both of you do this at the same time.

        Raises:
            NotFound: the user has no devices.
            Invalid: the user is yourself.
            Conflict: it took longer than two minutes, or you are verifying this user already.
            NotAllowed: the other side is not who it claims to be, or has stopped.
        """
        if user == self._device.user:
            raise Invalid("Verify other users; your own devices are signed by your key.")
        known = await self._device.devices_of([user])
        if not any(owner == user for owner, _ in known):
            raise NotFound(f"{user} has no devices to verify.")
        if user in self._open:
            raise Conflict(f"You are verifying {user} already.")
        send, receive = anyio.create_memory_object_stream[Received](MESSAGES_MAX)
        with send, receive:
            self._open[user] = send
            if (asked := self._asked.pop(user, None)) is not None:
                send.send_nowait(asked)
            try:
                exchange = Exchange(self._device, self._trust, receive, known)
                async with exchange.told_if_it_fails():
                    with timed():
                        await exchange.run(user, self._ids.new())
                    yield Verification(exchange)
            finally:
                del self._open[user]


class Verification:
    """
    Numbers that both users see, if nobody is between them.

    Args:
        exchange: what they come from.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Three numbers of four digits: compare them with the other user, over another way."""
        return self._exchange.numbers

    async def match(self) -> None:
        """
        Say that the numbers are the same; return when the other user has said so.

        Raises:
            NotAllowed: the other user has said that they are not, or has another key.
            Conflict: it took longer than two minutes.
        """
        with timed():
            await self._exchange.confirm()

    async def mismatch(self) -> None:
        """Say that the numbers are not the same: somebody is between you."""
        await self._exchange.cancel("the numbers are not the same")


class Exchange:
    """
    The messages of one verification.

    Args:
        device: this side.
        trust: learns who was verified.
        inbox: what the other user's devices say.
        known: the other user's devices.
    """

    def __init__(
        self,
        device: OwnDevice,
        trust: Trust,
        inbox: MemoryObjectReceiveStream[Received],
        known: Mapping[DeviceAddress, object],
    ) -> None:
        self._device = device
        self._trust = trust
        self._inbox = inbox
        self._known = known
        self._sas = vz.Sas()
        self._transaction = ""
        # The devices that have begun it, and whether it is over for them.
        self._told: list[DeviceAddress] = []
        self._over = False
        self.peer: DeviceAddress
        self.numbers: tuple[int, int, int]
        self._established: vz.EstablishedSas
        self._info = ""

    async def run(self, user: str, transaction: str) -> None:
        """Exchange keys, up to the numbers."""
        own = self._sas.public_key.to_base64()
        devices = [address for address in self._known if address[0] == user]
        begins = self._device.address < min(devices)
        if begins:
            self._transaction = transaction
            await self._send(dict.fromkeys(devices, VerifyStart(transaction)))
            self.peer, accepted = await self._receive(VerifyAccept)
            await self._tell(VerifyKey(transaction, own))
            _, key = await self._receive(VerifyKey)
            if commitment_to(key.key, transaction) != accepted.commitment:
                await self.cancel("the key is not the one that was promised")
                raise NotAllowed("The other side has changed its key; somebody is between you.")
        else:
            key = await self._answered(own)
            await self._tell(VerifyKey(self._transaction, own))
        self._agree(own, key.key, begins=begins)

    async def _answered(self, own: str) -> VerifyKey:
        """Answer the side that begins, also if it begins again; return its key."""
        found: VerifyKey | VerifyStart
        sender, found = await self._receive(VerifyStart)
        while isinstance(found, VerifyStart):
            self.peer, self._transaction = sender, found.transaction
            await self._tell(VerifyAccept(found.transaction, commitment_to(own, found.transaction)))
            sender, found = await self._receive(VerifyKey, VerifyStart)
        return found

    async def confirm(self) -> None:
        """Send a MAC of the own user key, and check the MAC of the other user's."""
        assert self._device.user_key is not None
        own = self._device.user_key.public
        mac = self._established.calculate_mac(own, self._mac_info(self._device.address))
        await self._tell(VerifyMac(self._transaction, mac))
        _, received = await self._receive(VerifyMac)
        user = self.peer[0]
        believed = self._trust.of(user)
        keys = (believed.offered, believed.key) if believed is not None else ()
        for key in filter(None, keys):
            try:
                self._established.verify_mac(key, self._mac_info(self.peer), received.mac)
            except ValueError:
                continue
            await self._trust.mark_verified(user, key)
            self._over = True
            return
        await self.cancel("the key is another one")
        raise NotAllowed(f"{user} has another key than the server says; do not trust it.")

    async def cancel(self, why: str) -> None:
        """Tell the other side that it is over."""
        self._over = True
        await self._send(dict.fromkeys(self._told, VerifyCancel(self._transaction, why)))

    @asynccontextmanager
    async def told_if_it_fails(self) -> AsyncGenerator[None]:
        """Tell the other side if this one ends before the keys were compared."""
        try:
            yield
        except BaseException:
            if self._told and not self._over:
                with anyio.move_on_after(CANCEL_SECONDS_MAX, shield=True):
                    await self._stopped()
            raise

    async def _stopped(self) -> None:
        try:
            await self.cancel("the other side has ended it")
        except HubbubError as error:
            logger.warning("the end of a verification could not be sent: %s", error)

    def _agree(self, own: str, other: str, *, begins: bool) -> None:
        try:
            peer_key = vz.Curve25519PublicKey.from_base64(other)
            self._established = self._sas.diffie_hellman(peer_key)
        except ValueError as error:
            raise Invalid("The other side has sent no key.") from error
        sides = [[*self._device.address, own], [*self.peer, other]]
        ordered = sides if begins else sides[::-1]
        self._info = canonical([self._device.journal, self._transaction, *ordered]).decode()
        self.numbers = self._established.bytes(self._info).decimals

    def _mac_info(self, address: DeviceAddress) -> str:
        return canonical(["mac", self._info, *address]).decode()

    async def _receive(self, *kinds: type[C]) -> tuple[DeviceAddress, C]:
        while True:
            sender, content = await self._inbox.receive()
            mine = not self._transaction or content.transaction == self._transaction
            if mine and isinstance(content, VerifyCancel):
                self._over = True
                raise NotAllowed(f"The other side has stopped the verification: {content.why}.")
            # The other side may begin again, under another name.
            if isinstance(content, kinds) and (mine or isinstance(content, VerifyStart)):
                return sender, content

    async def _tell(self, content: Content) -> None:
        await self._send({self.peer: content})

    async def _send(self, contents: Mapping[DeviceAddress, Content]) -> None:
        self._told = list(contents)
        known = await self._device.devices_of([self._told[0][0]])
        await self._device.send(contents, known)


def commitment_to(key: str, transaction: str) -> str:
    """Return what a side promises its key with, before it has seen the other's."""
    return hashlib.sha256(f"{key} {transaction}".encode()).hexdigest()


@contextmanager
def timed() -> Iterator[None]:
    """Raise Conflict if something takes longer than a verification may."""
    with anyio.move_on_after(VERIFY_SECONDS) as scope:
        yield
    if scope.cancelled_caught:
        raise Conflict("The other side did not answer within two minutes; begin again.")
