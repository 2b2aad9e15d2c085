"""What happened: events, the drafts they come from, and the states they fold into."""

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
# Characters at the beginning of a snapshot among which is the version of its state.
VERSION_CHARS_MAX = 12


class Data(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """
    What happened. Each subclass is an event type; its ``tag`` is its name on the wire.

    Event types are for ever: new fields are optional, a new meaning is a new type.
    """


class Event(msgspec.Struct, frozen=True, gc=False):
    """
    A fact in a stream.

    Args:
        stream: the stream's name, ``kind/id``.
        seq: 1, 2, 3 … within the stream, without gaps.
        at: UTC; never decreasing within the stream.
        by: the user who caused it.
        ref: the seq of the event that it is about, or None.
        data: what happened.
    """

    stream: str
    seq: int
    at: datetime
    by: str
    ref: int | None
    data: Data

    @property
    def type(self) -> str:
        """What happened, by its name on the wire: ``message``, ``completed`` …"""
        return tag_of(self.data)


class Draft(msgspec.Struct, frozen=True, gc=False):
    """
    An event that a decision wants; the journal gives it its seq and its time.

    Args:
        stream: the stream's name.
        data: what happened.
        ref: the seq of the event that it is about, or None.
        by: the user who caused it, where that is not the user who commands: in a stream that
            everybody may read, an event must not tell who did something in private.
    """

    stream: str
    data: Data
    ref: int | None = None
    by: str | None = None


class Signal(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    An ephemeral signal to those who follow a stream: it is not kept.

    Args:
        stream: the stream's name.
        by: who caused it.
        type: what it is, like ``typing``.
        body: what a match's game says.
    """

    stream: str
    by: str
    type: str
    body: dict[str, Any] | None = None


class State(msgspec.Struct):
    """
    What a stream's events fold into: no I/O, no clock, no randomness.

    A state holds what decisions need and serialises, so that a snapshot can
    stand for the events before it.
    """

    # The union of the stream's event types.
    data_type: ClassVar[Any]
    # To be raised whenever events fold into something else than before: snapshots of another
    # version are passed over, and the stream is folded from its first event.
    version: ClassVar[int] = 0
    # True if an event of the type "deleted" takes back the one it is about, and what is about it.
    takes_back: ClassVar[bool] = False
    # Makes of an encoded event from the store what readers may see, if that is less.
    public_form: ClassVar[Callable[[bytes], bytes] | None] = None

    def apply(self, event: Event) -> None:
        """Take one event in."""
        raise NotImplementedError

    def check_reader(self, stream: str, user: str) -> None:
        """
        Return if a user may read the stream.

        Raises:
            NotFound: there is nothing to read.
            NotAllowed: not for this user.
        """
        raise NotImplementedError

    @classmethod
    def current(cls, about: Sequence[Event]) -> Sequence[Event]:
        """
        Return those that still count of the events about one event, in order.

        The others are kept, and not read any more by what they are about.
        """
        return about

    @classmethod
    def redacted(cls, data: Data) -> Data:
        """Return what is still shown of an event that was taken back."""
        return data

    @classmethod
    def revoked(cls, event: Event) -> str | None:
        """Return the user whose right to read ends with this event, if it ends one."""
        return None


class PartedState(State):
    """A state whose snapshot holds something other than the state, or is made in parts."""

    # What a snapshot holds, and each further part of it.
    kept_type: ClassVar[Any]
    part_type: ClassVar[Any] = None

    def kept(self) -> msgspec.Struct:
        """Return what a snapshot holds."""
        raise NotImplementedError

    def parts(self) -> Sequence[Any]:
        """
        Return what else a snapshot of a large state holds, in parts of some thousand things.

        They never change, for they are encoded one by one while the state goes on.
        """
        return ()

    @classmethod
    def restored(cls, kept: Any, parts: Iterable[Any]) -> Self:
        """Make a state of what a snapshot has held."""
        raise NotImplementedError


class _Named(msgspec.Struct, frozen=True, gc=False):
    stream: str


def _prefix(state: type[State]) -> bytes:
    # Snapshots of the first version have none.
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
    Encode an event, once: the store keeps these bytes and every socket is sent them.

    The fields of ``data`` stand beside the event's own, in one flat JSON object.
    """
    head = _encode(_Head(event.stream, event.seq, event.at, event.by, event.ref))
    return head[:-1] + b"," + _encode(event.data)[1:]


@cache
def _tag_of(kind: type[Data]) -> str:
    return str(kind.__struct_config__.tag)


def tag_of(data: Data) -> str:
    """Return the name of an event's type on the wire."""
    return _tag_of(type(data))


class HasParts(Protocol):
    """An encoded state: a snapshot is one."""

    @property
    def body(self) -> bytes:
        """The first part."""

    @property
    def parts(self) -> Sequence[bytes]:
        """The further parts of a large state."""


class EncodedState(NamedTuple):
    """An encoded state that is no snapshot yet."""

    body: bytes
    parts: Sequence[bytes]


class EncodedParts(Sequence[bytes]):
    """
    The parts of a state, each encoded when it is asked for.

    Args:
        parts: what :meth:`PartedState.parts` returned.
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
    The kinds of stream there are, and what each folds into.

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
                # In the flat object a field of both would be written twice.
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
        """Make one registry of what several services bring."""
        return cls({kind: state for some in kinds for kind, state in some.items()})

    def __contains__(self, kind: object) -> bool:
        return kind in self._kinds

    def kind(self, stream: str) -> type[State]:
        """
        Return the type that a stream folds into.

        Raises:
            NotFound: there is no such kind of stream.
        """
        return self._kinds[self._kind(stream)]

    def kind_of(self, body: bytes) -> type[State] | None:
        """Return the type that an encoded event's stream folds into; None if it is not known."""
        return self._kinds.get(_decode_named(body).stream.partition("/")[0])

    def empty(self, stream: str) -> State:
        """
        Return the state of a stream before its first event.

        Raises:
            NotFound: there is no such kind of stream, or this is no name at all.
            Invalid: the name is too long.
        """
        self.check_name(stream)
        return self._kinds[self._kind(stream)]()

    def check_name(self, stream: object) -> None:
        """
        Return if a stream could have this name.

        Raises:
            NotFound: it is no name at all.
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
            raise Invalid(f"A stream's name has at most {longest} bytes; this one is longer.")

    def is_name(self, stream: str) -> bool:
        """Tell whether it can be a stream's name."""
        try:
            self.empty(stream)
        except (Invalid, NotFound):
            return False
        return True

    def encode_state(self, state: State) -> EncodedState:
        """Encode a state for a snapshot; its parts are encoded when they are asked for."""
        version = _prefix(type(state))
        if isinstance(state, PartedState):
            return EncodedState(version + _encode(state.kept()), EncodedParts(state.parts()))
        return EncodedState(version + _encode(state), ())

    def is_current(self, stream: str, encoded: HasParts) -> bool:
        """Tell whether a snapshot is of the version that the stream's state has now."""
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
        """Return the stream that an encoded event is of; it may be of no kind that there is."""
        return _decode_head(body).stream

    def decode(self, body: bytes | memoryview) -> Event:
        """Decode an event from the bytes that :func:`encode_event` made."""
        head = _decode_head(body)
        data = self._data[self._kind(head.stream)].decode(body)
        return Event(head.stream, head.seq, head.at, head.by, head.ref, data)

    def redact(self, body: bytes) -> bytes:
        """Return what is still shown of an encoded event that was taken back."""
        event = self.decode(body)
        data = self.kind(event.stream).redacted(event.data)
        return encode_event(msgspec.structs.replace(event, data=data))

    def _kind(self, stream: str) -> str:
        kind, slash, rest = stream.partition("/")
        if not slash or not rest or kind not in self._kinds:
            raise NotFound(f"There is no stream {shown(stream)}; a name is like room/ID.")
        return kind
