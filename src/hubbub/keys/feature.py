"""Keys: the devices of users who encrypt from end to end."""

from __future__ import annotations

import msgspec

from ..feature import Erasure, Feature
from ..journal.event import Data
from ..quotas import CHANGES
from ..ratelimit import RateLimit, SlidingWindow, TokenBucket
from ..settings import Settings
from .events import BackedUp, DeviceAdded
from .grants import KEYS_GRANTS, KEYS_READERS
from .service import Keys
from .state import BackupState, InboxState, KeysState

__all__ = ["KEYS"]

# How often a user may claim a key of one device, in how many seconds.
CLAIMS_MAX = 10
CLAIMS_PERIOD = 3_600.0
# How often a user's devices may send to other devices, in how many seconds.
DELIVERIES_MAX = 1_000
DELIVERIES_PERIOD = 600.0


def _claim_limit(settings: Settings) -> RateLimit:
    return SlidingWindow(CLAIMS_MAX, CLAIMS_PERIOD, "keys claimed of one device")


def _delivery_limit(settings: Settings) -> RateLimit:
    return TokenBucket(DELIVERIES_MAX, DELIVERIES_PERIOD, "messages to devices")


def _without_name(data: Data, user: str) -> Data:
    assert isinstance(data, DeviceAdded)
    return msgspec.structs.replace(data, name="")


def _without_entries(data: Data, user: str) -> Data:
    assert isinstance(data, BackedUp)
    return msgspec.structs.replace(data, entries=dict.fromkeys(data.entries, ""))


KEYS = Feature(
    name="keys",
    service=Keys,
    streams={"keys": KeysState, "device": InboxState, "backup": BackupState},
    grants=KEYS_GRANTS,
    readers=KEYS_READERS,
    quotas={
        "keys.add_device": CHANGES,
        "keys.remove_device": CHANGES,
        "keys.publish": CHANGES,
        "keys.open": CHANGES,
        "keys.received": CHANGES,
        "keys.begin_backup": CHANGES,
        "keys.back_up": CHANGES,
    },
    limits={"key_claims": _claim_limit, "key_deliveries": _delivery_limit},
    erasure=Erasure({DeviceAdded: _without_name, BackedUp: _without_entries}),
)
