"""Signing in: what was given, whom it names, and what one gets to come back with."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import msgspec

from ...errors import Invalid, NotAllowed
from ...hub import Hubbub
from ...journal.actor import Actor
from ...journal.allowance import charged
from ...journal.command import Call
from ...quotas import GUESTS
from ...session import LocalSession
from ...shown import repr_without
from ...users.sign_ins import GuestReference
from ...users.signing_in import SignedIn, role_command
from ...wire.messages import SignInResult, encode
from .tokens import Authenticator, Identity, Tokens, check_token

__all__ = ["SignIn", "SignIns"]

logger = logging.getLogger("hubbub.server")

REUSED = "This token was used before, so all tokens of its sign-in are revoked; sign in again."

OnSignedIn = Callable[[LocalSession, Call[SignedIn]], None]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    The params of ``session.sign_in``: a token, a name and a password, or a guest's nickname.

    Who was a guest before gives that token as well, as ``guest``: the cart comes along.
    """

    token: str | None = None
    nickname: str | None = None
    guest: str | None = None
    name: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return repr_without(self, "token", "guest", "password")


class SignIns:
    """
    Lets people in to a hub.

    Args:
        hub: an open hub.
        tokens: the server's own.
        authenticator: tells whom the application's own tokens name.
    """

    def __init__(self, hub: Hubbub, tokens: Tokens, authenticator: Authenticator | None) -> None:
        self._hub = hub
        self._tokens = tokens
        self._authenticator = authenticator

    def takes_time(self, sign_in: SignIn) -> bool:
        """Tell whether more than a signature of ours must be looked at."""
        return sign_in.name is not None or self._is_foreign(sign_in.token)

    def identify(self, sign_in: SignIn) -> Identity:
        """
        Tell who signs in with a token of ours, or as a guest.

        Raises:
            NotAllowed: the token is not good.
        """
        if sign_in.token is not None:
            return self._tokens.verify(sign_in.token)
        return self._new(self._hub.ids.new(), "Guest")

    async def identify_slowly(self, sign_in: SignIn, address: str) -> Identity:
        """
        Tell who signs in, with whatever it is.

        Args:
            sign_in: what was given.
            address: where it came from.

        Raises:
            NotAllowed: the token, or the name or the password, is not good.
            RateLimited: too many were tried.
            Invalid: there is no password.
        """
        if sign_in.name is not None:
            if sign_in.password is None:
                raise Invalid("Give the password as well as the name.")
            accounts = self._hub.accounts
            found = await accounts.verify(sign_in.name, sign_in.password, address)
            return self._new(found.user, epoch=found.epoch)
        if self._authenticator is None or not self._is_foreign(sign_in.token):
            return self.identify(sign_in)
        token = str(sign_in.token)
        check_token(token)
        identity = await self._authenticator(token)
        if identity is None:
            raise NotAllowed("The token is not good; sign in again.")
        return identity

    def call(
        self, sign_in: SignIn, identity: Identity, address: str, on_done: OnSignedIn
    ) -> Call[SignedIn]:
        """
        Make the call that a session begins with.

        Args:
            sign_in: what was given.
            identity: whom it names.
            address: where it came from.
            on_done: is given the session, which is to be connected if there is no error.

        Raises:
            NotAllowed: the guest's token is not good.
            Closed: the hub has been left.
        """
        hub = self._hub
        actor = self._actor(identity, address)
        guest = None if sign_in.guest is None else self._guest(sign_in.guest)
        # Nobody has said who a new guest is, so a name of the client's own is as good.
        named = identity.named or (identity.nickname is not None and not identity.fresh)
        chosen = sign_in.nickname is not None and not named
        command = hub.sign_in_command(
            actor,
            sign_in.nickname if chosen else identity.nickname,
            guest,
            identity.reference,
            chosen=chosen,
            named=named,
        )
        if identity.fresh and identity.epoch is None:
            command = charged(
                command, GUESTS, lambda: hub.quotas.charge(GUESTS, actor.user, address)
            )

        def signed_in(call: Call[SignedIn]) -> None:
            signed_in = None if call.error is not None else call.outcome()
            if signed_in is not None and signed_in.reused:
                self._log_reuse(actor)
                call.error, signed_in = NotAllowed(REUSED), None
            on_done(hub.session_of(actor, signed_in), call)

        return Call(command, on_done=signed_in)

    def answer(
        self, sign_in: SignIn, identity: Identity, session: LocalSession, signed_in: SignedIn
    ) -> SignInResult:
        """Make the answer: who it is, and what to come back with."""
        user = session.user
        shown = msgspec.structs.replace(user, status=self._hub.presence.status(user.id))
        token, refresh_token = self._tokens_for(sign_in.token, identity, signed_in.generation)
        return SignInResult(
            msgspec.Raw(encode(shown)),
            token,
            self._hub.journal.store.journal_id,
            refresh_token,
            signed_in.role,
            signed_in.account,
        )

    def _tokens_for(
        self, given: str | None, identity: Identity, generation: int | None
    ) -> tuple[str, str | None]:
        user, role, session = identity.user, identity.role, identity.session
        if generation is not None:
            access = self._tokens.sign(user, role, session, generation=generation)
            return access, self._tokens.refresh_token(identity, generation)
        # No token makes one that is good for longer than itself; but for one of the
        # application's there is one of ours, which needs nobody to be asked.
        if given is not None and not self._is_foreign(given):
            return given, None
        until, named = identity.expires or math.inf, identity.nickname is not None
        return self._tokens.sign(
            user, role, session, until=until, application=True, named=named
        ), None

    async def identify_token(self, token: str, address: str) -> Identity:
        """
        Tell whom the token of one request names.

        Args:
            token: what came with the request.
            address: where it comes from.

        Raises:
            NotAllowed: the token is not valid, or is a refresh token.
        """
        identity = await self.identify_slowly(SignIn(token=token), address)
        if identity.refreshes:
            raise NotAllowed("A refresh token only signs in; send the access token that you get.")
        return identity

    async def session(self, identity: Identity, address: str) -> LocalSession:
        """
        Make a session for one request; from then on the hub knows its user.

        Args:
            identity: whom the token or the ticket names.
            address: where the request comes from.

        Raises:
            NotAllowed: the user has signed out.
        """
        actor = self._actor(identity, address)
        command = role_command(actor, identity.reference, identity.nickname)
        actor.role = await actor.execute(command)
        return self._hub.session_of(actor)

    def _actor(self, identity: Identity, address: str) -> Actor:
        return self._hub.actor(identity.user, identity.role, identity.session, address, remote=True)

    def _guest(self, token: str) -> GuestReference:
        identity = self._tokens.verify(token)
        if identity.application:
            raise NotAllowed("Give a guest's token as `guest`; this token is the application's.")
        return GuestReference(identity.user, identity.reference)

    def _log_reuse(self, actor: Actor) -> None:
        about = {"user": actor.user, "address": actor.address}
        logger.warning(
            "an old refresh token of %s was used again, from %s; the sign-in has ended",
            actor.user,
            actor.address,
            extra=about,
        )

    def _is_foreign(self, token: str | None) -> bool:
        if self._authenticator is None or token is None:
            return False
        return not self._tokens.is_ours(token)

    def _new(self, user: str, nickname: str | None = None, epoch: int | None = None) -> Identity:
        now = self._hub.settings.clock.now().timestamp()
        session = self._hub.ids.new()
        return Identity(
            user, nickname=nickname, session=session, issued=now, fresh=True, epoch=epoch
        )
