"""A message: what may be done to it, and what it folds into."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import errors
from hubbub.chat import events as e
from hubbub.chat.messages import commands
from hubbub.chat.messages.commands import REACTIONS_MAX
from hubbub.chat.messages.current import CurrentEvents
from hubbub.chat.messages.message import Message, message_of
from hubbub.journal.event import Draft, Event
from tests.chat.folding import STREAM, event_of

SAID = event_of(1, "ann", Draft(STREAM, e.Said("hello")))


def after(*about: tuple[str, list[Draft]]) -> Message:
    """Fold what was decided about the message."""
    events: list[Event] = []
    for by, drafts in about:
        events += [event_of(len(events) + 2, by, draft) for draft in drafts]
    return message_of(SAID, events)


def test_as_it_was_said() -> None:
    message = message_of(SAID)

    assert (message.seq, message.by, message.text) == (1, "ann", "hello")
    assert (message.edited_at, message.deleted, message.reactions) == (None, False, {})


def test_what_is_no_message_is_not_shown_as_one() -> None:
    with pytest.raises(errors.NotFound):
        message_of(event_of(1, "ann", Draft(STREAM, e.Joined())))


def test_its_author_edits_it() -> None:
    message = after(("ann", commands.edit(message_of(SAID), "ann", "bye", 100)))

    assert message.text == "bye"
    assert message.edited_at is not None


def test_the_same_text_is_no_edit() -> None:
    assert commands.edit(message_of(SAID), "ann", "hello", 100) == []


def test_a_stranger_does_not_edit_it() -> None:
    with pytest.raises(errors.NotAuthor):
        commands.edit(message_of(SAID), "bob", "bye", 100)


@pytest.mark.parametrize(("by", "held"), [("ann", ()), ("bob", ("moderator",))])
def test_its_author_and_a_moderator_delete_it(by: str, held: tuple[str, ...]) -> None:
    message = after((by, commands.delete(message_of(SAID), by, held)))

    assert (message.text, message.deleted) == ("", True)
    assert commands.delete(message, by, held) == []


def test_a_stranger_does_not_delete_it() -> None:
    with pytest.raises(errors.NotAllowed):
        commands.delete(message_of(SAID), "bob")


@pytest.mark.parametrize(
    "change",
    [lambda x: commands.edit(x, "ann", "bye", 100), lambda x: commands.react(x, "bob", "👍", 9)],
)
def test_what_is_deleted_does_not_change(change: Callable[[Message], list[Draft]]) -> None:
    with pytest.raises(errors.Conflict):
        change(after(("ann", commands.delete(message_of(SAID), "ann"))))


def test_the_same_reaction_twice_counts_once() -> None:
    message = after(("bob", commands.react(message_of(SAID), "bob", "👍", 9)))

    assert message.reactions == {"👍": ["bob"]}
    assert commands.react(message, "bob", "👍", 9) == []
    assert commands.unreact(message, "cid", "👍") == []


def test_there_is_a_most_of_different_emoji() -> None:
    full = {chr(0x1F400 + number): ["bob"] for number in range(REACTIONS_MAX)}
    message = Message(STREAM, 1, SAID.at, "ann", "hello", reactions=full)

    with pytest.raises(errors.Conflict):
        commands.react(message, "bob", "👍", 1_000)
    assert commands.react(message, "ann", chr(0x1F400), 1_000)


def test_there_is_a_most_of_reactions_of_all_together() -> None:
    message = Message(STREAM, 1, SAID.at, "ann", "hello", reactions={"👍": ["bob", "cid"]})

    with pytest.raises(errors.Conflict, match="can have 2 reactions"):
        commands.react(message, "dan", "👍", 2)
    assert commands.react(message, "bob", "👍", 2) == []
    assert commands.react(message, "dan", "👍", 3)


@pytest.mark.parametrize(("one", "other"), [("👍", "👍\ufe0f"), ("❤\ufe0f", "❤")])
def test_a_reaction_is_the_same_in_every_form(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        message = after(("bob", commands.react(message_of(SAID), "bob", first, 9)))

        assert message.reactions == {one: ["bob"]}
        assert commands.react(message, "bob", second, 9) == []
        [draft] = commands.unreact(message, "bob", second)
        assert (
            message_of(
                SAID,
                [
                    event_of(2, "bob", commands.react(message_of(SAID), "bob", first, 9)[0]),
                    event_of(3, "bob", draft),
                ],
            ).reactions
            == {}
        )


def test_skin_tones_are_reactions_of_their_own() -> None:
    message = after(("bob", commands.react(message_of(SAID), "bob", "👍", 9)))

    assert commands.react(message, "bob", "👍🏽", 9)


def test_old_events_in_either_form_fold_together() -> None:
    emoji = [("bob", "👍"), ("bob", "👍\ufe0f"), ("cid", "👍\ufe0f")]
    reacted = [
        event_of(seq, by, Draft(STREAM, e.Reacted(form), 1))
        for seq, (by, form) in enumerate(emoji, 2)
    ]
    taken_back = event_of(5, "bob", Draft(STREAM, e.Unreacted("👍"), 1))

    assert message_of(SAID, reacted).reactions == {"👍": ["bob", "cid"]}
    assert message_of(SAID, [*reacted, taken_back]).reactions == {"👍": ["cid"]}


@st.composite
def messages(draw: st.DrawFn) -> list[Event]:
    forms = st.sampled_from(["👍", "👍\ufe0f", "❤", "❤\ufe0f"])
    data = draw(
        st.lists(
            st.one_of(
                st.builds(e.Reacted, forms),
                st.builds(e.Unreacted, forms),
                st.builds(e.Edited, st.text("ab", min_size=1)),
                st.builds(e.Deleted),
            )
        )
    )
    by = st.sampled_from(["ann", "bob"])
    return [event_of(seq, draw(by), Draft(STREAM, d, 1)) for seq, d in enumerate(data, 2)]


@given(messages(), st.integers(0, 20))
def test_what_counts_no_more_changes_nothing(events: list[Event], at: int) -> None:
    kept = CurrentEvents([*CurrentEvents(events[:at]), *events[at:]])

    assert kept == CurrentEvents(events)
    assert message_of(SAID, kept) == message_of(SAID, events)
    # Of two users and two emoji.
    assert len(kept) <= 2 + 4


steps = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["ann", "bob"]), st.sampled_from(["👍", "❤️"]))
)


@given(steps)
def test_reactions_are_sets(steps: list[tuple[bool, str, str]]) -> None:
    events: list[Event] = []
    model: set[tuple[str, str]] = set()
    for add, by, emoji in steps:
        decide = partial(commands.react, reactions_max=9) if add else commands.unreact
        drafts = decide(message_of(SAID, events), by, emoji)
        events += [event_of(len(events) + 2, by, draft) for draft in drafts]
        (model.add if add else model.discard)((emoji, by))

    shown = message_of(SAID, events).reactions
    assert {(emoji, by) for emoji, users in shown.items() for by in users} == model
    assert all(shown.values())
