"""Events, the drafts they come from, and the states they fold into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, NamedTuple, Protocol, Self, get_args, overload

import msgspec

from ..errors import Invalid, NotFound
from ..shown import shown

__all__ = [
    "STREAM_BYTES_MAX",
    "Data",
    "Draft",
    "Event",
    "PartedState",
    "Signal",
    "State",
    "Streams",
    "encode_event",
    "tag_of",
]

# The longest name of a stream, in bytes: two user ids of 100 characters, of four bytes each, fit.
STREAM_BYTES_MAX = 1_024
# The first characters of a snapshot, which contain the version of its state.
VERSION_CHARS_MAX = 12


class Data(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """
    The content of an event. Each subclass is an event type; its ``tag`` is its name on the wire.

    Event types are permanent: new fields are optional, and a new meaning is a new type.
    """


class Event(msgspec.Struct, frozen=True, gc=False):
    """
    A fact in a stream: an event.

    Args:
        stream: the stream's name, ``kind/id``.
        seq: 1, 2, 3 … within the stream, without gaps.
        at: UTC; never decreasing within the stream.
        by: the user who caused it.
        ref: the seq of the event that it is about, or None.
        data: the content.
    """

    stream: str
    seq: int
    at: datetime
    by: str
    ref: int | None
    data: Data

    @property
    def type(self) -> str:
        """The event type, by its name on the wire: ``message``, ``completed`` …"""
        return tag_of(type(self.data))


class Draft(msgspec.Struct, frozen=True, gc=False):
    """
    A new event in a decision; the journal gives it its seq and its time.

    Args:
        stream: the stream's name.
        data: the content.
        ref: the seq of the event that it is about, or None.
        by: the user who caused it, if that is not the user of the command: in a stream that
            everyone can read, an event must not show who did something in private.
    """

    stream: str
    data: Data
    ref: int | None = None
    by: str | None = None


class Signal(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    An ephemeral signal to the followers of a stream, which is not stored.

    Args:
        stream: the stream's name.
        by: the user who caused it.
        type: the type of the signal, like ``typing``.
        body: further data, like the message of a match's game.
    """

    stream: str
    by: str
    type: str
    body: dict[str, Any] | None = None


class State(msgspec.Struct):
    """
    The state that a stream's events fold into: no I/O, no clock, no randomness.

    A state contains what decisions need, and can be encoded, so that a snapshot can
    replace the events before it.
    """

    # The union of the stream's event types.
    data_type: ClassVar[Any]
    # Increase it whenever events fold into a different state: snapshots of other versions
    # are ignored, and the stream is folded from its first event.
    version: ClassVar[int] = 0
    # True if an event of the type "deleted" deletes the event it is about, and events about it.
    takes_back: ClassVar[bool] = False
    # Removes the private parts of an encoded event from the store, for readers.
    public_form: ClassVar[Callable[[bytes], bytes] | None] = None

    def apply(self, event: Event) -> None:
        """Fold one event."""
        raise NotImplementedError

    def check_reader(self, stream: str, user: str) -> None:
        """
        Return if a user can read the stream.

        Raises:
            NotFound: the stream does not exist.
            NotAllowed: the user cannot read it.
        """
        raise NotImplementedError

    @classmethod
    def current(cls, about: Sequence[Event]) -> Sequence[Event]:
        """
        Return the events about an event that still count, in order.

        The others stay in the stream, but are no longer read with the event they are about.
        """
        return about

    @classmethod
    def redacted(cls, data: Data) -> Data:
        """Return the part of a deleted event that is still shown."""
        return data

    @classmethod
    def revoked(cls, event: Event) -> str | None:
        """Return the user whose access ends with this event, if any."""
        return None


class PartedState(State):
    """A state whose snapshot is not the state itself, or comes in parts."""

    # The type of the snapshot, and of each further part.
    kept_type: ClassVar[Any]
    part_type: ClassVar[Any] = None

    def kept(self) -> msgspec.Struct:
        """Return the snapshot."""
        raise NotImplementedError

    def parts(self) -> Sequence[Any]:
        """
        Return the further parts of a large state's snapshot, each of some thousand items.

        They must never change, because they are encoded one by one while the state changes.
        """
        return ()

    @classmethod
    def restored(cls, kept: Any, parts: Iterable[Any]) -> Self:
        """Restore a state from a snapshot."""
        raise NotImplementedError


class _Named(msgspec.Struct, frozen=True, gc=False):
    stream: str


def _prefix(state: type[State]) -> bytes:
    # Snapshots of the first version have no prefix.
    return b"%d " % state.version if state.version else b""


class _Head(msgspec.Struct, frozen=True, gc=False):
    stream: str
    seq: int
    at: datetime
    by: str
    ref: int | None


_encode = msgspec.json.Encoder().encode
_decode_head = msgspec.json.Decoder(_Head).decode
_decode_named = msgspec.json.Decoder(_Named).decode


def encode_event(event: Event) -> bytes:
    """
    Encode an event, once: the store keeps these bytes, and every socket gets them.

    The fields of ``data`` are beside the event's own, in one flat JSON object.
    """
    head = _encode(_Head(event.stream, event.seq, event.at, event.by, event.ref))
    return head[:-1] + b"," + _encode(event.data)[1:]


@cache
def tag_of(kind: type[Data]) -> str:
    """Return the name of an event type on the wire."""
    return str(kind.__struct_config__.tag)


class HasParts(Protocol):
    """An encoded state: a snapshot is one."""

    @property
    def body(self) -> bytes:
        """The first part."""

    @property
    def parts(self) -> Iterable[bytes]:
        """The further parts of a large state."""


class EncodedState(NamedTuple):
    """An encoded state that is not a snapshot yet."""

    body: bytes
    parts: Sequence[bytes]


class EncodedParts(Sequence[bytes]):
    """
    The parts of a state, each encoded when it is needed.

    Args:
        parts: the parts from :meth:`PartedState.parts`.
    """

    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return EncodedParts(self._parts[index])
        return _encode(self._parts[index])


class Streams:
    """
    The known kinds of stream, and the state that each folds into.

    Args:
        kinds: the first part of a stream's name -> its state's type.
        name_bytes_max: the longest name of a stream, in bytes of UTF-8.
    """

    def __init__(
        self, kinds: Mapping[str, type[State]], name_bytes_max: int = STREAM_BYTES_MAX
    ) -> None:
        self._kinds = dict(kinds)
        self._name_bytes_max = name_bytes_max
        for state in kinds.values():
            for data in get_args(state.data_type) or (state.data_type,):
                # In the flat object, a field of both would appear twice.
                assert not set(_Head.__struct_fields__) & set(data.__struct_fields__), data
        self._data = {kind: msgspec.json.Decoder(state.data_type) for kind, state in kinds.items()}
        parted = {kind: state for kind, state in kinds.items() if issubclass(state, PartedState)}
        kept = {**kinds, **{kind: state.kept_type for kind, state in parted.items()}}
        self._kept = {kind: msgspec.json.Decoder(type_) for kind, type_ in kept.items()}
        self._parts = {
            kind: msgspec.json.Decoder(state.part_type) for kind, state in parted.items()
        }

    @classmethod
    def merged(cls, *kinds: Mapping[str, type[State]]) -> Self:
        """Make one registry of the kinds of several services."""
        return cls({kind: state for some in kinds for kind, state in some.items()})

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds

    def kind(self, stream: str) -> type[State]:
        """
        Return the state's type for a stream.

        Raises:
            NotFound: the kind of stream is unknown.
        """
        return self._kinds[self._kind(stream)]

    def kind_of(self, body: bytes) -> type[State] | None:
        """Return the state's type for an encoded event; None if its kind is unknown."""
        return self._kinds.get(_decode_named(body).stream.partition("/")[0])

    def empty(self, stream: str) -> State:
        """
        Return the state of a stream before its first event.

        Raises:
            NotFound: the kind of stream is unknown, or the text is not a name.
            Invalid: the name is too long.
        """
        self.check_name(stream)
        return self._kinds[self._kind(stream)]()

    def check_name(self, stream: object) -> None:
        """
        Return if a text can be the name of a stream.

        Raises:
            NotFound: it cannot be a name.
            Invalid: it is too long.
        """
        if not isinstance(stream, str):
            raise NotFound(f"{shown(stream)} is not the name of a stream.")
        longest = self._name_bytes_max
        try:
            # A text that is far too long is not even encoded.
            too_long = len(stream) > longest or len(stream.encode()) > longest
        except UnicodeEncodeError:
            raise NotFound(f"{shown(stream)} is not the name of a stream.") from None
        if too_long:
            raise Invalid(f"The name of a stream can have {longest} bytes; this one is longer.")

    def is_name(self, stream: str) -> bool:
        """Return whether a text can be the name of a stream."""
        try:
            self.empty(stream)
        except (Invalid, NotFound):
            return False
        return True

    def encode_state(self, state: State) -> EncodedState:
        """Encode a state for a snapshot; its parts are encoded when they are needed."""
        version = _prefix(type(state))
        if isinstance(state, PartedState):
            return EncodedState(version + _encode(state.kept()), EncodedParts(state.parts()))
        return EncodedState(version + _encode(state), ())

    def is_current(self, stream: str, encoded: HasParts) -> bool:
        """Return whether a snapshot has the version of the stream's current state."""
        version, space, _ = encoded.body[:VERSION_CHARS_MAX].partition(b" ")
        written = int(version) if space and version.isdigit() else 0
        return written == self._kinds[self._kind(stream)].version

    def decode_state(self, stream: str, encoded: HasParts) -> State:
        """Decode a snapshot of a stream's state."""
        kind = self._kind(stream)
        state = self._kinds[kind]
        kept = self._kept[kind].decode(encoded.body[len(_prefix(state)) :])
        if issubclass(state, PartedState):
            return state.restored(kept, map(self._parts[kind].decode, encoded.parts))
        assert isinstance(kept, state)
        return kept

    def stream_of(self, body: bytes) -> str:
        """Return the stream of an encoded event; its kind may be unknown."""
        return _decode_head(body).stream

    def decode(self, body: bytes | memoryview) -> Event:
        """Decode an event from the bytes that :func:`encode_event` made."""
        head = _decode_head(body)
        data = self._data[self._kind(head.stream)].decode(body)
        return Event(head.stream, head.seq, head.at, head.by, head.ref, data)

    def redact(self, body: bytes) -> bytes:
        """Return the part of a deleted, encoded event that is still shown."""
        event = self.decode(body)
        data = self.kind(event.stream).redacted(event.data)
        return encode_event(msgspec.structs.replace(event, data=data))

    def _kind(self, stream: str) -> str:
        kind, slash, rest = stream.partition("/")
        if not slash or not rest or kind not in self._kinds:
            raise NotFound(f"There is no stream {shown(stream)}; use a name like room/ID.")
        return kind
