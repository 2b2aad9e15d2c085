"""Keys: the devices of users who encrypt, and messages between devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ..errors import Invalid
from ..journal.actor import Actor
from ..journal.command import Command, nothing
from ..journal.decide.states import States
from ..journal.event import Event
from ..rosters import keys_stream
from ..service import Service, check_seq, check_user_id, command, query
from ..text import check_name
from . import checks, commands
from .device import Device, OneTimeKey, SealedBody, UserKeys, device_of, user_keys_of
from .events import KeyClaimed, SignedDevice, SignedKey
from .state import KeysState, backup_stream, device_stream

__all__ = ["Keys"]

# Entries of a backup in one call.
ENTRIES_MAX = 200


class Keys(Service):
    """
    Devices and their public keys, for encryption from end to end.

    The server keeps and hands out what devices publish, and reads none of it. Use
    :mod:`hubbub.encryption`, which calls these methods, instead of calling them yourself.

    Args:
        actor: the user whose commands these are.
    """

    name = "keys"

    __slots__ = ("_actor", "_by", "_mine")

    def __init__(self, actor: Actor, runtime: object = None) -> None:
        super().__init__(actor)
        self._actor = actor
        self._by = actor.user
        self._mine = keys_stream(actor.user)

    @command
    def add_device(
        self,
        device: str,
        name: str,
        signed: SignedDevice,
        user_key: str,
        *,
        replace: bool = False,
        key: str | None = None,
    ) -> Command[Device]:
        """
        Add a device, whose keys your user key has signed.

        Args:
            device: a new id: 1 to 64 letters, digits, ``_`` and ``-``.
            name: up to 100 characters in one line; other users do not see it.
            signed: the device's keys, signed by the user key and by the device.
            user_key: your Ed25519 key, in base64 without padding.
            replace: True if a user key other than before removes all your devices.
            key: makes it exactly-once.

        Raises:
            Invalid: an argument is outside its limits, or the keys name something else.
            Conflict: the id is taken, another user key stands, or you have 10 devices.
        """
        by = self._by
        checks.check_device_id(device)
        checks.check_signed_device(signed, by, device, self._actor.journal.store.journal_id)
        checks.check_public_key(user_key, "A user key")
        checked = check_name(name, self._actor.settings.name_chars_max)
        decide = partial(
            commands.add_device,
            by=by,
            device=device,
            name=checked,
            signed=signed,
            user_key=user_key,
            replace=replace,
        )
        arguments = ("add_device", device, checked, signed, user_key, replace)
        result = self._shown_device(device)
        reads = (self._mine, device_stream(by, device))
        return Command(by, decide, result, reads=reads, key=key, arguments=arguments)

    @command
    def remove_device(self, device: str) -> Command[None]:
        """
        Remove one of your devices. To remove it twice is to remove it once.

        Raises:
            Invalid: the id cannot be a device's.
        """
        by = self._by
        decide = partial(commands.remove_device, by=by, device=checks.check_device_id(device))
        return Command(by, decide, _no_result, reads=(self._mine,))

    @query
    def devices(self, user_ids: list[str]) -> Command[dict[str, UserKeys]]:
        """
        Look up the devices of up to 100 users; users who have none are left out.

        Raises:
            Invalid: there are more, or an id is no string.
        """
        if not isinstance(user_ids, list | tuple) or len(user_ids) > checks.USERS_MAX:
            raise Invalid(f"Give a list of at most {checks.USERS_MAX} user ids.")
        for user_id in user_ids:
            check_user_id(user_id)

        def result(states: States, events: Sequence[Event]) -> dict[str, UserKeys]:
            found = {user: states.of(KeysState, keys_stream(user)) for user in user_ids}
            return {user: user_keys_of(state) for user, state in found.items() if state.user_key}

        return Command(self._by, nothing, result, reads=[*map(keys_stream, user_ids)])

    @command
    def publish(
        self,
        device: str,
        one_time: dict[str, SignedKey],
        fallback: tuple[str, SignedKey] | None = None,
        *,
        key: str | None = None,
    ) -> Command[int]:
        """
        Publish one-time keys of a device, and the fallback key for when they are used up.

        Args:
            device: one of your devices.
            one_time: a number as a string, larger than any before -> a signed key.
            fallback: an id and a signed key.
            key: makes it exactly-once.

        Returns:
            how many of the device's one-time keys nobody has claimed.

        Raises:
            NotFound: you have no such device.
            Invalid: an argument is outside its limits.
            Conflict: an id was used for another key or was claimed, or there are over 100 keys.
        """
        by = self._by
        checks.check_device_id(device)
        checks.check_one_time_keys(one_time)
        if fallback is not None:
            checks.check_key_id(fallback[0])
            checks.check_signed_key(fallback[1])
        decide = partial(
            commands.publish, by=by, device=device, one_time=one_time, fallback=fallback
        )

        def result(states: States, events: Sequence[Event]) -> int:
            return len(states.of(KeysState, self._mine).device(device).one_time)

        arguments = ("publish", device, one_time, fallback)
        return Command(by, decide, result, reads=(self._mine,), key=key, arguments=arguments)

    @command
    def claim(
        self, devices: list[str], *, key: str | None = None
    ) -> Command[dict[str, OneTimeKey]]:
        """
        Take a one-time key of each of up to 100 devices, to begin a session with it.

        Args:
            devices: each as ``USER/DEVICE``. Those without a key are left out of the result, and
                those whose keys you have taken 10 times within an hour.
            key: makes it exactly-once: the same keys are handed out again.

        Raises:
            Invalid: an argument is outside its limits.
            NotAllowed: you share no encrypted room with one of the users.
        """
        by = self._by
        if (
            not isinstance(devices, list | tuple)
            or not 1 <= len(devices) <= checks.CLAIM_DEVICES_MAX
        ):
            raise Invalid(f"Claim keys of 1 to {checks.CLAIM_DEVICES_MAX} devices.")
        wanted = [checks.parse_device_address(one) for one in dict.fromkeys(devices)]
        decide = partial(commands.claim_keys, by=by, devices=wanted)
        reads = [self._mine, *dict.fromkeys(keys_stream(user) for user, _ in wanted)]
        arguments = ("claim", list(devices))
        return Command(by, decide, _claimed, reads=reads, key=key, arguments=arguments)

    @command
    def deliver(
        self, device: str, sealed: dict[str, SealedBody], *, key: str | None = None
    ) -> Command[None]:
        """
        Send a message to each of some devices, all in one transaction.

        Args:
            device: your device, which sends them.
            sealed: ``USER/DEVICE`` -> a message; removed devices are passed over. One call has
                up to 49,152 characters of ciphertext.
            key: makes it exactly-once.

        Raises:
            NotFound: you have no such device.
            Invalid: an argument is outside its limits.
            NotAllowed: you share no encrypted room with one of the users.
            RateLimited: more than 1,000 calls in 10 minutes.
        """
        by = self._by
        checks.check_device_id(device)
        checks.check_call(
            [one.body for one in sealed.values()], checks.DELIVER_DEVICES_MAX, "devices"
        )
        bodies = {}
        for address, one in sealed.items():
            checks.check_sealed(one.kind, one.body)
            bodies[checks.parse_device_address(address)] = (one.kind, one.body)
        decide = partial(commands.deliver, by=by, device=device, sealed=bodies)
        users = dict.fromkeys(user for user, _ in bodies)
        reads = [self._mine, *map(keys_stream, users)]
        reads += [device_stream(user, target) for user, target in bodies]
        arguments = ("deliver", device, sealed)
        return Command(by, decide, _no_result, reads=reads, key=key, arguments=arguments)

    @command
    def open(self, device: str, generation: int, *, key: str | None = None) -> Command[None]:
        """
        Say that a device opens its store, and for which time: 1, 2, 3 ….

        Args:
            device: one of your devices.
            generation: which time it is.
            key: makes it exactly-once.

        Raises:
            NotFound: you have no such device.
            StoreTooOld: it is not the next time, so the store is an older copy of itself.
        """
        checks.check_device_id(device)
        number = check_seq(generation)
        decide = partial(commands.open_device, by=self._by, device=device, generation=number)
        reads, arguments = (self._mine,), ("open", device, number)
        return Command(self._by, decide, _no_result, reads=reads, key=key, arguments=arguments)

    @command
    def received(self, device: str, seq: int) -> Command[None]:
        """
        Say that a device has stored what was sent to it up to a seq; it never goes back.

        Raises:
            NotFound: you have no such device, or its stream has no such seq.
        """
        by, stream = self._by, device_stream(self._by, checks.check_device_id(device))
        decide = partial(commands.receive, by=by, device=device, seq=check_seq(seq))
        return Command(by, decide, _no_result, reads=(self._mine, stream))

    @command
    def begin_backup(
        self, version: str, salt: str, check: str, *, key: str | None = None
    ) -> Command[None]:
        """
        Begin a new backup of your keys; it takes the place of the one before.

        Args:
            version: names it: 1 to 64 letters, digits, ``_`` and ``-``.
            salt: of the recovery key, in base64 without padding.
            check: what tells a client that it has the right recovery key.
            key: makes it exactly-once.

        Raises:
            Invalid: an argument is outside its limits.
            Conflict: this version stands already.
        """
        checks.check_device_id(version)
        checks.check_base64(salt, "A salt", checks.KEY_CHARS)
        checks.check_base64(check, "A check", checks.BODY_CHARS_MAX)
        decide = partial(
            commands.begin_backup, by=self._by, version=version, salt=salt, check_=check
        )
        reads, arguments = (backup_stream(self._by),), ("begin_backup", version, salt, check)
        return Command(self._by, decide, _no_result, reads=reads, key=key, arguments=arguments)

    @command
    def back_up(
        self, version: str, entries: dict[str, str], *, key: str | None = None
    ) -> Command[None]:
        """
        Add sealed keys of sessions to your backup.

        Args:
            version: the backup's.
            entries: a session's id -> its sealed key, up to 200 of them and 49,152 characters.
            key: makes it exactly-once.

        Raises:
            Invalid: an argument is outside its limits.
            Conflict: another backup stands, or it is full.
        """
        checks.check_backup_entries(entries, ENTRIES_MAX)
        decide = partial(commands.back_up, by=self._by, version=version, entries=entries)
        reads, arguments = (backup_stream(self._by),), ("back_up", version, entries)
        return Command(self._by, decide, _no_result, reads=reads, key=key, arguments=arguments)

    def _shown_device(self, device: str) -> Callable[[States, Sequence[Event]], Device]:
        def result(states: States, events: Sequence[Event]) -> Device:
            return device_of(device, states.of(KeysState, self._mine).device(device))

        return result


def _claimed(states: States, events: Sequence[Event]) -> dict[str, OneTimeKey]:
    found = {}
    for event in events:
        claimed = event.data
        assert isinstance(claimed, KeyClaimed)
        owner = event.stream.removeprefix("keys/")
        found[f"{owner}/{claimed.device}"] = OneTimeKey(claimed.id, claimed.key, claimed.fallback)
    return found


def _no_result(states: States, events: Sequence[Event]) -> None:
    return None
