"""Decisions about devices, their keys, and messages between them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import Conflict, NotFound, RateLimited, StoreTooOld
from ..journal.decide.states import States
from ..journal.event import Draft
from ..permissions import check
from ..rosters import DevicesChanged, keys_stream
from ..shown import shown
from . import events as e
from .checks import DEVICES_MAX, ONE_TIME_KEYS_MAX
from .grants import KEYS_GRANTS
from .state import BackupState, DeviceState, InboxState, KeysState, backup_stream, device_stream

__all__ = [
    "add_device",
    "back_up",
    "begin_backup",
    "claim_keys",
    "deliver",
    "open_device",
    "publish",
    "receive",
    "remove_device",
]

# Entries of one user's backup.
BACKUP_ENTRIES_MAX = 100_000


def add_device(  # noqa: PLR0913
    states: States,
    by: str,
    device: str,
    name: str,
    signed: e.SignedDevice,
    user_key: str,
    *,
    replace: bool,
) -> Sequence[Draft]:
    """Add a device; see :meth:`hubbub.keys.service.Keys.add_device`."""
    state = states.of(KeysState, keys_stream(by))
    known = state.devices.get(device)
    if known is not None and (known.name, known.signed) == (name, signed):
        return ()
    # An inbox with events belonged to an earlier device, whose keys the new device does not have.
    if known is not None or states.entry(device_stream(by, device)).head:
        raise Conflict(f"The device id {device!r} is taken; make another.")
    drafts: list[Draft] = []
    if user_key != state.user_key:
        if state.user_key and not replace:
            raise Conflict(
                "Your devices are signed with another user key; restore it with your recovery "
                "key, or give replace=True, which removes all your devices."
            )
        drafts.append(Draft(keys_stream(by), e.UserKeySet(user_key)))
    elif len(state.devices) >= DEVICES_MAX:
        raise Conflict(f"You have {DEVICES_MAX} devices, which is the most; remove one first.")
    drafts.append(Draft(keys_stream(by), e.DeviceAdded(device, name, signed)))
    return [*drafts, *_told_rooms(states, state, by)]


def remove_device(states: States, by: str, device: str) -> Sequence[Draft]:
    """Remove a device. To remove it twice is to remove it once."""
    state = states.of(KeysState, keys_stream(by))
    if device not in state.devices:
        return ()
    removed = Draft(keys_stream(by), e.DeviceRemoved(device))
    return [removed, *_told_rooms(states, state, by)]


def publish(
    states: States,
    by: str,
    device: str,
    one_time: Mapping[str, e.SignedKey],
    fallback: tuple[str, e.SignedKey] | None,
) -> Sequence[Draft]:
    """Publish keys of a device; see :meth:`hubbub.keys.service.Keys.publish`."""
    state = states.of(KeysState, keys_stream(by))
    found = state.device(device)
    new = {key_id: key for key_id, key in one_time.items() if _is_new(found, key_id, key)}
    if len(found.one_time) + len(new) > ONE_TIME_KEYS_MAX:
        raise Conflict(f"A device has at most {ONE_TIME_KEYS_MAX} one-time keys in stock.")
    drafts: list[Draft] = []
    if new:
        drafts.append(Draft(keys_stream(by), e.OneTimeKeysPublished(device, new)))
    if fallback is not None and fallback != (found.fallback_id, found.fallback):
        drafts.append(Draft(keys_stream(by), e.FallbackKeySet(device, *fallback)))
    if drafts and found.published < 0 and found.fallback is None:
        # Nobody could write to it so far; from now on, other devices do.
        return [*drafts, *_told_rooms(states, state, by)]
    return drafts


def claim_keys(states: States, by: str, devices: Sequence[tuple[str, str]]) -> Sequence[Draft]:
    """Claim a key of each of some devices; a device that has none is left out."""
    owners = list(dict.fromkeys(owner for owner, _ in devices))
    _check_sharing(states, by, owners)
    drafts: list[Draft] = []
    for owner, device in devices:
        found = states.of(KeysState, keys_stream(owner)).devices.get(device)
        if found is None:
            continue
        if found.one_time:
            claimed = e.KeyClaimed(device, *next(iter(found.one_time.items())))
        elif found.fallback is not None:
            claimed = e.KeyClaimed(device, found.fallback_id, found.fallback, fallback=True)
        else:
            continue
        drafts.append(Draft(keys_stream(owner), claimed))
    states.need_limits("key_claims", [_claims_of(by, draft) for draft in drafts])
    return [draft for draft in drafts if _may_have_more(states, by, draft)]


def deliver(
    states: States, by: str, device: str, sealed: Mapping[tuple[str, str], tuple[int, str]]
) -> Sequence[Draft]:
    """Send a message to each of some devices, or to none of them."""
    _check_sharing(states, by, list(dict.fromkeys(owner for owner, _ in sealed)))
    sender_key = states.of(KeysState, keys_stream(by)).device(device).signed.keys.curve25519
    drafts = []
    for (owner, target), (kind, body) in sealed.items():
        # A device that was removed a moment ago gets nothing, and the others what is theirs.
        if target in states.of(KeysState, keys_stream(owner)).devices:
            data = e.SealedKey(device, sender_key, kind, body)
            drafts.append(Draft(device_stream(owner, target), data))
    states.charge("key_deliveries", by)
    return drafts


def open_device(states: States, by: str, device: str, generation: int) -> Sequence[Draft]:
    """Note that a device has opened its store; see :meth:`hubbub.keys.service.Keys.open`."""
    found = states.of(KeysState, keys_stream(by)).device(device)
    if generation != found.generation + 1:
        raise StoreTooOld(
            "This device's store is an older copy of itself; make a new device and restore your "
            "backup."
        )
    return (Draft(keys_stream(by), e.DeviceOpened(device, generation)),)


def receive(states: States, by: str, device: str, seq: int) -> Sequence[Draft]:
    """Note how far a device has stored what was sent to it; it never goes back."""
    stream = device_stream(by, device)
    states.of(KeysState, keys_stream(by)).device(device)
    if not 0 <= seq <= states.entry(stream).head:
        raise NotFound(f"There is no event {shown(seq)} in this device's stream.")
    if seq <= states.of(InboxState, stream).up_to:
        return ()
    return (Draft(stream, e.KeysReceived(seq)),)


def begin_backup(states: States, by: str, version: str, salt: str, check_: str) -> Sequence[Draft]:
    """Begin a backup in the place of the one before."""
    if states.of(BackupState, backup_stream(by)).stands == version:
        raise Conflict(f"There is a backup {version!r} already; make another version.")
    return (Draft(backup_stream(by), e.BackupBegun(version, salt, check_)),)


def back_up(states: States, by: str, version: str, entries: Mapping[str, str]) -> Sequence[Draft]:
    """Add entries to the backup that stands."""
    state = states.of(BackupState, backup_stream(by))
    if state.stands != version:
        raise Conflict("Another backup stands; read it, or begin a new one.")
    if state.entries + len(entries) > BACKUP_ENTRIES_MAX:
        raise Conflict(f"A backup has at most {BACKUP_ENTRIES_MAX} entries; begin a new one.")
    return (Draft(backup_stream(by), e.BackedUp(version, dict(entries))),)


def _claims_of(by: str, draft: Draft) -> str:
    assert isinstance(draft.data, e.KeyClaimed)
    return f"{by} {draft.stream.removeprefix('keys/')}/{draft.data.device}"


def _may_have_more(states: States, by: str, draft: Draft) -> bool:
    """Count a claimed key; one device of which a user takes too many keeps nobody from others."""
    try:
        states.charge("key_claims", _claims_of(by, draft))
    except RateLimited:
        return False
    return True


def _is_new(device: DeviceState, key_id: str, key: e.SignedKey) -> bool:
    if (stands := device.one_time.get(key_id)) is not None and stands == key:
        return False
    if stands is not None or int(key_id) <= device.published:
        raise Conflict(f"The key id {key_id} was used before; give the key a new one.")
    return True


def _told_rooms(states: States, state: KeysState, user: str) -> list[Draft]:
    """Tell each encrypted room of the user that its messages go to other devices now."""
    states.need(state.links)
    return [Draft(room, DevicesChanged(user)) for room in state.links]


def _check_sharing(states: States, by: str, owners: Sequence[str]) -> None:
    """Raise NotAllowed if a user is in no encrypted room with one of the others."""
    states.need([keys_stream(by), *map(keys_stream, owners)])
    mine = states.of(KeysState, keys_stream(by)).links
    for owner in owners:
        theirs = states.of(KeysState, keys_stream(owner)).links
        fewer, more = sorted((mine, theirs), key=len)
        shares = owner == by or any(room in more for room in fewer)
        check(KEYS_GRANTS["keys.claim"], *(("sharing",) if shares else ()))
