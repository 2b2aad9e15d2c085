"""A message: what may be done to it, and what it folds into."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import errors
from hubbub.chat import events as e
from hubbub.chat import message as m
from hubbub.chat.message import REACTIONS_MAX, Message, message_of
from hubbub.journal.event import Draft, Event
from hubbub.permissions import Who
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
    message = after(("ann", m.edit(message_of(SAID), "ann", "bye")))

    assert message.text == "bye"
    assert message.edited_at is not None


def test_the_same_text_is_no_edit() -> None:
    assert m.edit(message_of(SAID), "ann", "hello") == []


def test_a_stranger_does_not_edit_it() -> None:
    with pytest.raises(errors.NotAuthor):
        m.edit(message_of(SAID), "bob", "bye")


@pytest.mark.parametrize(("by", "held"), [("ann", ()), ("bob", ("moderator",))])
def test_its_author_and_a_moderator_delete_it(by: str, held: tuple[Who, ...]) -> None:
    message = after((by, m.delete(message_of(SAID), by, held)))

    assert (message.text, message.deleted) == ("", True)
    assert m.delete(message, by, held) == []


def test_a_stranger_does_not_delete_it() -> None:
    with pytest.raises(errors.NotAllowed):
        m.delete(message_of(SAID), "bob")


@pytest.mark.parametrize(
    "change", [lambda x: m.edit(x, "ann", "bye"), lambda x: m.react(x, "bob", "👍")]
)
def test_what_is_deleted_does_not_change(change: Callable[[Message], list[Draft]]) -> None:
    with pytest.raises(errors.Conflict):
        change(after(("ann", m.delete(message_of(SAID), "ann"))))


def test_the_same_reaction_twice_counts_once() -> None:
    message = after(("bob", m.react(message_of(SAID), "bob", "👍")))

    assert message.reactions == {"👍": ["bob"]}
    assert m.react(message, "bob", "👍") == []
    assert m.unreact(message, "cid", "👍") == []


def test_there_is_a_most_of_different_emoji() -> None:
    full = {chr(0x1F400 + number): ["bob"] for number in range(REACTIONS_MAX)}
    message = Message(STREAM, 1, SAID.at, "ann", "hello", reactions=full)

    with pytest.raises(errors.Conflict):
        m.react(message, "bob", "👍")
    assert m.react(message, "ann", chr(0x1F400))


steps = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["ann", "bob"]), st.sampled_from(["👍", "❤️"]))
)


@given(steps)
def test_reactions_are_sets(steps: list[tuple[bool, str, str]]) -> None:
    events: list[Event] = []
    model: set[tuple[str, str]] = set()
    for add, by, emoji in steps:
        decide = m.react if add else m.unreact
        drafts = decide(message_of(SAID, events), by, emoji)
        events += [event_of(len(events) + 2, by, draft) for draft in drafts]
        (model.add if add else model.discard)((emoji, by))

    shown = message_of(SAID, events).reactions
    assert {(emoji, by) for emoji, users in shown.items() for by in users} == model
    assert all(shown.values())
