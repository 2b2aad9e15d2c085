"""Families of tokens: pure functions of a user's state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import NotAllowed
from hubbub.journal.event import Draft, Event
from hubbub.users import sign_ins
from hubbub.users import user as u
from hubbub.users.events import SignedOut, SignedOutEverywhere, SignInRecorded
from hubbub.users.user import SIGN_INS_MAX, SIGNED_OUT_MAX, SignInReference, UserState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STREAM = "user/1"
GRACE = 60.0


class History:
    """One user, whose events are applied as they come."""

    def __init__(self) -> None:
        self.state = UserState()
        self.now = NOON
        self._seq = 0
        self._at = NOON

    def take(self, *drafts: Draft) -> None:
        """Apply events; times in a stream never decrease."""
        self._at = max(self._at, self.now)
        for draft in drafts:
            self._seq += 1
            self.state.apply(Event(STREAM, self._seq, self._at, "1", draft.ref, draft.data))

    def begin(self, session: str) -> int:
        """Sign in with a password; return the first token's generation."""
        reference = SignInReference(session, fresh=True, epoch=self.state.epoch)
        self.state.check_signed_in(reference, self.now)
        self.take(*u.register(self.state, "1", None, sign_ins.begun(reference)))
        self.take(*sign_ins.add_sign_in(self.state, STREAM, reference, self.now, GRACE))
        return self.state.sign_ins[session].generation

    def use(self, session: str, generation: int) -> int:
        """
        Sign in with a refresh token, as the hub does; return the generation of the next token.
        """
        reference = SignInReference(session, generation=generation, refreshes=True)
        self.state.check_signed_in(reference, self.now)
        if sign_ins.is_reused(self.state, reference, self.now, GRACE):
            self.take(sign_ins.end(STREAM, session, self.now, 1_000.0, reused=True))
            raise NotAllowed("reused")
        self.take(*sign_ins.add_sign_in(self.state, STREAM, reference, self.now, GRACE))
        return self.state.sign_ins[session].generation


def test_each_use_gives_the_next_token() -> None:
    history = History()
    first = history.begin("a")

    assert [first, history.use("a", 0), history.use("a", 1)] == [0, 1, 2]


def test_two_tabs_that_use_one_token_at_once_get_the_same_next_one() -> None:
    history = History()
    history.begin("a")

    assert [history.use("a", 0), history.use("a", 0)] == [1, 1]


def test_an_old_token_ends_the_family_and_nothing_else() -> None:
    history = History()
    history.begin("a")
    history.begin("b")
    history.use("a", 0)
    history.now += timedelta(seconds=GRACE + 1)
    with pytest.raises(NotAllowed, match="reused"):
        history.use("a", 0)

    with pytest.raises(NotAllowed, match="signed out"):
        history.use("a", 1)
    assert history.use("b", 0) == 1


def test_an_older_one_than_the_last_is_reused_even_at_once() -> None:
    history = History()
    history.begin("a")
    history.use("a", 0)
    history.use("a", 1)

    with pytest.raises(NotAllowed, match="reused"):
        history.use("a", 0)


def test_a_clock_that_goes_back_refuses_no_good_token() -> None:
    history = History()
    history.begin("a")
    history.take(Draft(STREAM, SignedOutEverywhere("a")))
    history.now -= timedelta(hours=1)

    assert history.begin("b") == 0
    assert history.use("a", 0) == 1
    assert history.use("a", 0) == 1
    history.state.check_signed_in(
        SignInReference("b", history.now.timestamp(), generation=0), history.now
    )


def test_a_clock_that_was_far_ahead_makes_no_revoked_token_good() -> None:
    history = History()
    history.begin("a")
    history.take(sign_ins.end(STREAM, "a", history.now, 1_000.0))
    history.now += timedelta(days=365 * 1_000)
    history.begin("b")
    history.take(sign_ins.end(STREAM, "b", history.now, 1_000.0))
    history.now = NOON

    for session in ("a", "b"):
        with pytest.raises(NotAllowed):
            history.use(session, 0)


def test_a_password_that_was_changed_meanwhile_signs_nobody_in() -> None:
    history = History()
    before = history.state.epoch
    history.take(Draft(STREAM, SignedOutEverywhere()))

    with pytest.raises(NotAllowed):
        history.state.check_signed_in(SignInReference("a", fresh=True, epoch=before), history.now)


def test_a_token_of_an_older_version_is_taken_into_a_family() -> None:
    history = History()
    history.take(*u.register(history.state, "1", None))
    history.now += timedelta(seconds=1)
    old = SignInReference("old", NOON.timestamp(), refreshes=True)
    history.state.check_signed_in(old, history.now)
    history.take(*sign_ins.add_sign_in(history.state, STREAM, old, history.now, GRACE))

    assert history.state.sign_ins["old"].generation == 1
    history.now += timedelta(seconds=GRACE + 1)
    assert sign_ins.is_reused(history.state, old, history.now, GRACE)


def test_the_sign_ins_that_last_are_bounded() -> None:
    history = History()
    for number in range(SIGN_INS_MAX + 1):
        history.begin(str(number))

    assert len(history.state.sign_ins) == SIGN_INS_MAX
    with pytest.raises(NotAllowed):
        history.use("0", 0)
    assert history.use("1", 0) == 1


def test_what_is_known_of_revoked_tokens_is_bounded_and_makes_none_good() -> None:
    history = History()
    for number in range(SIGNED_OUT_MAX + 1):
        history.take(sign_ins.end(STREAM, str(number), history.now, 1_000.0))
    history.now += timedelta(seconds=1)

    assert len(history.state.signed_out) <= SIGNED_OUT_MAX
    for number in (0, SIGNED_OUT_MAX):
        reference = SignInReference(str(number), NOON.timestamp() - 1)
        with pytest.raises(NotAllowed):
            history.state.check_signed_in(reference, history.now)


def test_the_end_of_time_is_no_error() -> None:
    draft = sign_ins.end(STREAM, "a", datetime.max.replace(tzinfo=UTC), 1_000.0)

    assert isinstance(draft.data, SignedOut)


uses = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3), st.floats(0, 100)), max_size=30
)


@given(uses)
def test_no_token_is_good_for_two_uses_longer_than_the_grace_apart(
    steps: list[tuple[str, int, float]],
) -> None:
    history = History()
    newest = {session: history.begin(session) for session in ("a", "b")}
    used: dict[tuple[str, int], datetime] = {}
    ended: set[str] = set()
    for session, age, seconds in steps:
        history.now += timedelta(seconds=seconds)
        generation = max(0, newest[session] - age)
        try:
            newest[session] = history.use(session, generation)
        except NotAllowed:
            assert session in ended or (session, generation) in used
            ended.add(session)
        else:
            assert session not in ended
            first = used.setdefault((session, generation), history.now)
            assert (history.now - first).total_seconds() <= GRACE


@given(uses)
def test_a_snapshot_keeps_what_is_known_of_sign_ins(steps: list[tuple[str, int, float]]) -> None:
    history = History()
    for session in ("a", "b"):
        history.begin(session)
    for session, generation, _ in steps:
        if session in history.state.sign_ins:
            history.take(Draft(STREAM, SignInRecorded(session, generation)))
    copy = msgspec.json.decode(msgspec.json.encode(history.state), type=UserState)

    # The order says which one is forgotten first.
    assert list(copy.sign_ins.items()) == list(history.state.sign_ins.items())


def test_only_a_token_that_was_used_again_ends_its_sign_in() -> None:
    assert sign_ins.has_ended([SignedOut("a", NOON, True)])
    assert not sign_ins.has_ended([SignedOut("a", NOON)])


def test_who_is_no_guest_is_taken_in() -> None:
    ours = SignInReference("s", generation=0)
    sign_ins.check_taken(UserState(), ours, guests=True)
    sign_ins.check_taken(UserState(account="Ann"), ours, guests=False)
    sign_ins.check_taken(UserState(role="moderator"), ours, guests=False)
    # In the process nobody signs in, and the application's tokens have no generation.
    sign_ins.check_taken(UserState(), SignInReference(), guests=False)
    sign_ins.check_taken(UserState(), SignInReference("theirs", 1.0), guests=False)

    with pytest.raises(NotAllowed, match="accepts no guests"):
        sign_ins.check_taken(UserState(), ours, guests=False)
