"""The command that a session begins with: the user is known from then on. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..feature import Adoption
from ..journal.actor import Actor
from ..journal.command import Command
from ..journal.decide.states import States
from ..journal.event import Draft
from ..stream_names import user_stream
from .presence import Presence
from .service import SignedIn, register_command
from .sign_ins import GuestReference, check_guest, has_ended
from .user import SignInReference

__all__ = ["Adopted", "sign_in_command"]


class Adopted(msgspec.Struct, frozen=True):
    """
    A guest who signs in as another user.

    Args:
        guest: the guest that the user was before.
        adoptions: what features let a guest bring along, each with its runtime.
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
        actor: the user, and where they come from.
        presence: the users who are connected.
        nickname: what to show; None is as before.
        reference: the sign-in that the user comes from.
        adopted: the guest that the user was before.
        chosen: True if a stranger has chosen the nickname.
        named: True if the application's token has the nickname.
    """
    command = register_command(actor, presence, nickname, reference, chosen=chosen, named=named)
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
