from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from hubbub.chat import events as e
from hubbub.chat.messages.current import CurrentEvents
from hubbub.chat.messages.message import message_of
from hubbub.journal.event import Data, Event

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SAID = Event("room/1", 1, NOON, "ann", None, e.Said("hello"))
SEALED = e.SealedChange("device", "session", "body")


def about(seq: int, by: str, data: Data) -> Event:
    return Event("room/1", seq, NOON, by, 1, data)


def seqs(current: CurrentEvents) -> list[int]:
    return [event.seq for event in current]


class Counted(Event, frozen=True):
    """Counts how often anything looks at its data."""

    looks = 0

    def __getattribute__(self, name: str) -> object:
        if name == "data":
            Counted.looks += 1
        return super().__getattribute__(name)


def test_one_more_reaction_looks_at_no_other() -> None:
    before = [Counted("room/1", n, NOON, f"user{n}", 1, e.Reacted("👍")) for n in range(2, 1_002)]
    current = CurrentEvents(before)
    Counted.looks = 0

    assert current.add(about(1_002, "bob", e.Reacted("👍"))) == []
    assert len(message_of(SAID, current).reactions["👍"]) == 1_001
    assert current.add(about(1_003, "bob", e.Unreacted("👍"))) == [1_002, 1_003]
    assert len(message_of(SAID, current).reactions["👍"]) == 1_000
    assert Counted.looks == 0


def test_an_edit_replaces_the_one_before() -> None:
    current = CurrentEvents([about(2, "ann", e.Edited("one"))])

    assert current.add(about(3, "ann", e.Edited("two"))) == [2]
    assert message_of(SAID, current).text == "two"


def test_a_deletion_leaves_the_last_edit_alone() -> None:
    data = [e.Edited("one"), e.Reacted("👍"), SEALED]
    current = CurrentEvents(about(seq, "ann", one) for seq, one in enumerate(data, 2))

    assert current.add(about(5, "ann", e.Deleted())) == [3, 4]
    assert seqs(current) == [2, 5]
    assert message_of(SAID, current).deleted


def test_encrypted_changes_all_count() -> None:
    current = CurrentEvents(about(seq, "ann", SEALED) for seq in (2, 3))

    assert (len(current), current[0].seq, [one.seq for one in current[1:]]) == (2, 2, [3])


def test_emoji_come_in_the_order_of_the_reactions_that_are_left() -> None:
    steps = [("ann", e.Reacted("👍")), ("bob", e.Reacted("❤️")), ("cid", e.Reacted("👍"))]
    current = CurrentEvents(about(seq, by, one) for seq, (by, one) in enumerate(steps, 2))
    current.add(about(5, "ann", e.Unreacted("👍")))

    assert list(current.reactions().items()) == [("❤️", ["bob"]), ("👍", ["cid"])]


kinds = st.one_of(
    st.builds(e.Reacted, st.sampled_from(["👍", "👍\ufe0f", "❤"])),
    st.builds(e.Unreacted, st.sampled_from(["👍", "❤\ufe0f"])),
    st.builds(e.Edited, st.just("new")),
    st.just(e.Deleted()),
    st.just(SEALED),
)


@given(st.lists(st.tuples(st.sampled_from(["ann", "bob"]), kinds), max_size=20))
def test_what_goes_is_what_no_longer_counts(steps: list[tuple[str, Data]]) -> None:
    events = [about(seq, by, data) for seq, (by, data) in enumerate(steps, 2)]
    current, counting = CurrentEvents(), set[int]()
    for number, event in enumerate(events, 1):
        gone = current.add(event)
        counting = (counting | {event.seq}) - set(gone)
        again = CurrentEvents(current)

        assert seqs(current) == sorted(counting)
        assert len(current) == len(counting)
        assert current == again == CurrentEvents(events[:number])
        assert list(message_of(SAID, current).reactions.items()) == list(
            message_of(SAID, list(current)).reactions.items()
        )
