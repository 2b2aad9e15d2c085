"""The commands that a session, or a single request, begins with: they register the user. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..feature import Adoption
from ..journal.actor import Actor
from ..journal.command import Command
from ..journal.decide.states import States
from ..journal.event import Draft, Event
from ..stream_names import user_stream
from . import commands
from .account import claim_streams
from .presence import Presence
from .sign_ins import GuestReference, check_guest, has_ended
from .user import SignInReference, User, UserState, user_of

__all__ = ["Admitted", "Adopted", "SignedIn", "admit_command", "sign_in_command"]


class SignedIn(msgspec.Struct, frozen=True):
    """
    The user who signs in.

    Args:
        user: the user.
        role: the role that takes precedence.
        account: the name of the account, if any.
        generation: the generation of the newest refresh token; None for a sign-in without one.
        reused: True if an old refresh token was used again, which has ended the sign-in.
        seq: the seq of the user's stream at which the session was admitted.
    """

    user: User
    role: str
    account: str | None
    generation: int | None = None
    reused: bool = False
    seq: int = 0


class Admitted(msgspec.Struct, frozen=True):
    """
    The user of a single request.

    Args:
        role: the role that takes precedence.
        seq: the seq of the user's stream at which the request was admitted.
    """

    role: str
    seq: int


class Adopted(msgspec.Struct, frozen=True):
    """
    A guest who signs in as another user.

    Args:
        guest: the guest that the user was before.
        adoptions: what features transfer from a guest, each with its runtime.
    """

    guest: GuestReference
    adoptions: Sequence[tuple[Adoption, object]]


def sign_in_command(  # noqa: PLR0913
    actor: Actor,
    presence: Presence,
    nickname: str | None,
    reference: SignInReference,
    adopted: Adopted | None = None,
    *,
    chosen: bool = False,
    named: bool = False,
) -> Command[SignedIn]:
    """
    Make the command that a session begins with.

    Args:
        actor: the user, and their address.
        presence: the connected users.
        nickname: the name to show; None keeps the previous one.
        reference: the sign-in of the session.
        adopted: the guest that the user was before.
        chosen: True if a stranger has chosen the nickname.
        named: True if the nickname is in the application's token.
    """
    command = _registering(actor, presence, nickname, reference, chosen=chosen, named=named)
    if adopted is None:
        return command
    guest, user, was = adopted.guest, actor.user, adopted.guest.user
    grace = actor.settings.refresh_grace_seconds

    def decide(states: States) -> Sequence[Draft]:
        drafts = command.decide(states)
        if has_ended(draft.data for draft in drafts):
            return drafts
        check_guest(states, guest, user, grace)
        found = list(drafts)
        for adoption, runtime in adopted.adoptions:
            found += adoption.decide(states, was, user, runtime)
        return found

    reads = [*command.reads, user_stream(was)]
    for adoption, _ in adopted.adoptions:
        reads += adoption.reads(was, user)
    return Command(user, decide, command.result, reads=reads)


def admit_command(
    actor: Actor, reference: SignInReference, nickname: str | None
) -> Command[Admitted]:
    """
    Make the command that a single request begins with.

    Args:
        actor: the user; the command registers a new user, and changes nothing else.
        reference: the sign-in of the request, which must not have ended.
        nickname: the name of a new user; None is the id.
    """
    by, stream = actor.user, user_stream(actor.user)

    def decide(states: States) -> Sequence[Draft]:
        return commands.begin_request(states, by, nickname, reference, actor.settings, actor.role)

    def admitted(states: States, events: Sequence[Event]) -> Admitted:
        role = states.of(UserState, stream).effective_role(actor.role)
        return Admitted(role, states.entry(stream).head)

    return Command(by, decide, admitted, reads=(stream,))


def _registering(  # noqa: PLR0913
    actor: Actor,
    presence: Presence,
    nickname: str | None,
    reference: SignInReference,
    *,
    chosen: bool = False,
    named: bool = False,
) -> Command[SignedIn]:
    by, stream, session = actor.user, user_stream(actor.user), reference.session
    protects_names = chosen and actor.is_limited

    def decide(states: States) -> Sequence[Draft]:
        return commands.begin_session(
            states,
            by,
            nickname,
            reference,
            actor.settings,
            role=actor.role,
            protects_names=protects_names,
            named=named,
        )

    def result(states: States, events: Sequence[Event]) -> SignedIn:
        state = states.of(UserState, stream)
        user = user_of(by, state, presence.status(by))
        kept = state.sign_ins.get(session or "") if reference.fresh or reference.refreshes else None
        return SignedIn(
            user,
            state.effective_role(actor.role),
            state.account or None,
            None if kept is None else kept.generation,
            has_ended(event.data for event in events),
            states.entry(stream).head,
        )

    # The streams are named here so that they load together with the user.
    alike = claim_streams(nickname) if chosen and nickname and nickname.isprintable() else ()
    return Command(by, decide, result, reads=(stream, *alike))
