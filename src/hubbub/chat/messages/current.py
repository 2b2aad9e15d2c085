"""The events about a message that still count. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import overload

from ...journal.event import Event
from ...text import plain_emoji
from ..events import Deleted, Edited, Reacted, SealedChange, Unreacted

__all__ = ["CurrentEvents"]


class CurrentEvents(Sequence[Event]):
    """
    The last edit of a message, its deletion, and its reactions: each emoji of a user once.

    One more event costs the same however many there are.

    Args:
        about: events about a message, in order.
    """

    __slots__ = ("_reactions", "_sealed", "deleted", "edited")

    def __init__(self, about: Iterable[Event] = ()) -> None:
        # The last edit, and the deletion, if there are any.
        self.edited: Event | None = None
        self.deleted: Event | None = None
        # An emoji -> each user's reaction, in order.
        self._reactions: dict[str, dict[str, Event]] = {}
        self._sealed: list[Event] = []
        for event in about:
            self.add(event)

    def add(self, event: Event) -> list[int]:
        """Add an event about the message; return the seqs of the events that no longer count."""
        match event.data:
            case Reacted(emoji):
                users = self._reactions.setdefault(plain_emoji(emoji), {})
                return [] if users.setdefault(event.by, event) is event else [event.seq]
            case Unreacted(emoji):
                return [*self._unreact(plain_emoji(emoji), event.by), event.seq]
            case Edited():
                gone, self.edited = self.edited, event
                return [] if gone is None else [gone.seq]
            case Deleted():
                return self._delete(event)
            case SealedChange():
                # Only the members' devices can decide which of them count.
                self._sealed.append(event)
                return []
        raise AssertionError(f"not about a message: {event.data!r}")

    def reactions(self) -> dict[str, list[str]]:
        """Return the users who have reacted with each emoji, the first first."""
        if not self._reactions:
            return {}
        # All users may have removed an emoji, and others have added it again.
        found = sorted(self._reactions.items(), key=lambda item: next(iter(item[1].values())).seq)
        return {emoji: list(users) for emoji, users in found}

    def _unreact(self, emoji: str, by: str) -> list[int]:
        users = self._reactions.get(emoji, {})
        gone = users.pop(by, None)
        if gone is None:
            return []
        if not users:
            del self._reactions[emoji]
        return [gone.seq]

    def _delete(self, event: Event) -> list[int]:
        gone = [about.seq for about in self if about is not self.edited]
        self.deleted = event
        self._reactions.clear()
        self._sealed.clear()
        return gone

    def __iter__(self) -> Iterator[Event]:
        return iter(self._ordered())

    def __len__(self) -> int:
        single = (self.edited is not None) + (self.deleted is not None)
        return single + len(self._sealed) + sum(map(len, self._reactions.values()))

    @overload
    def __getitem__(self, index: int) -> Event: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Event]: ...

    def __getitem__(self, index: int | slice) -> Event | Sequence[Event]:
        return self._ordered()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._ordered() == list(other)

    __hash__ = None  # type: ignore[assignment]

    def _ordered(self) -> list[Event]:
        reactions = (event for users in self._reactions.values() for event in users.values())
        single = (event for event in (self.edited, self.deleted) if event is not None)
        return sorted([*single, *reactions, *self._sealed], key=attrgetter("seq"))
