"""The content of snapshots: a state with another content has another version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from hubbub.journal.command import Command, nothing
from hubbub.journal.decide.states import States
from hubbub.journal.event import Event, Streams, encode_event
from hubbub.journal.journal import Journal
from hubbub.journal.stores.contract import Batch, Record, Snapshot
from hubbub.journal.stores.memory import MemoryStore
from hubbub.journal.verify import verify
from hubbub.settings import Settings
from hubbub.users.events import Registered
from hubbub.users.user import UserState
from tests.features import STREAMS
from tests.journal.tally import new_limit

GOLDEN = Path(__file__).with_name("golden") / "states.json"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def held() -> dict[str, list[object]]:
    """Return the version of each kind of state, and what its snapshots hold."""
    return {
        kind: [state.version, *sorted((getattr(state, "kept_type", state)).__struct_fields__)]
        for kind, state in sorted(STREAMS.items())
    }


def test_a_state_whose_snapshots_hold_something_else_has_another_version() -> None:
    # If this fails, raise the state's version, unless old events fold into the default of what
    # is new; then write the file anew: python -m tests.chat.test_golden_states
    assert held() == json.loads(GOLDEN.read_text())


async def test_a_snapshot_from_before_a_field_is_no_fault_and_hides_nothing() -> None:
    event = Event("user/yan", 1, NOON, "yan", None, Registered("Yan", "👤", "tablet"))
    record = Record("user/yan", 1, "registered", "yan", None, encode_event(event))
    snapshot = Snapshot("user/yan", 1, NOON, b'{"nickname":"Yan"}')
    store, streams = MemoryStore(), Streams(STREAMS)
    store.commit(Batch([record], snapshots=[snapshot]))

    def is_guest(states: States, events: Sequence[Event]) -> bool:
        return states.of(UserState, "user/yan").guest

    async with Journal(store, streams, Settings(), new_limit) as journal:
        guest = await journal.execute(Command("yan", nothing, is_guest))

    assert guest
    assert verify(store, streams).faults == []


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(held(), indent=1) + "\n")
