"""Signing in: from what a client sends to the user, and to the tokens in the answer."""

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
from ...users.signing_in import SignedIn, admit_command
from ...wire.messages import SignInResult, encode
from .tokens import Authenticator, Identity, Tokens, check_token

__all__ = ["SignIn", "SignIns"]

logger = logging.getLogger("hubbub.server")

REUSED = "This refresh token was used before, so its sign-in was revoked; sign in again."

OnSignedIn = Callable[[LocalSession, Call[SignedIn]], None]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    The params of ``session.sign_in``: a token, a name and a password, or a guest's nickname.

    A client that was a guest before gives the guest's token as ``guest``, to keep the cart.
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
    Signs users in to a hub.

    Args:
        hub: an open hub.
        tokens: the server's own.
        authenticator: tells which user a token of the application's names.
    """

    def __init__(self, hub: Hubbub, tokens: Tokens, authenticator: Authenticator | None) -> None:
        self._hub = hub
        self._tokens = tokens
        self._authenticator = authenticator

    def takes_time(self, sign_in: SignIn) -> bool:
        """Tell whether signing in takes more than verifying a token of the server's."""
        return sign_in.name is not None or self._is_foreign(sign_in.token)

    def identify(self, sign_in: SignIn) -> Identity:
        """
        Return the identity of a token of the server's, or of a new guest.

        Raises:
            NotAllowed: the token is not valid.
        """
        if sign_in.token is not None:
            return self._tokens.verify(sign_in.token)
        return self._new(self._hub.ids.new(), "Guest")

    async def identify_slowly(self, sign_in: SignIn, address: str) -> Identity:
        """
        Return the identity of anybody who signs in.

        Args:
            sign_in: the params.
            address: where they came from.

        Raises:
            NotAllowed: the token is not valid, or the name or the password is wrong.
            RateLimited: there were too many attempts.
            Invalid: there is a name and no password.
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
            raise NotAllowed("The token is not valid; sign in again.")
        return identity

    def call(
        self, sign_in: SignIn, identity: Identity, address: str, on_done: OnSignedIn
    ) -> Call[SignedIn]:
        """
        Make the call that a session begins with.

        Args:
            sign_in: the params.
            identity: the identity that they gave.
            address: where they came from.
            on_done: called with the session; connect it if there is no error.

        Raises:
            NotAllowed: the guest's token is not valid.
            Closed: the hub is closed.
        """
        hub = self._hub
        actor = self._actor(identity, address)
        guest = None if sign_in.guest is None else self._guest(sign_in.guest)
        # A new guest has only the nickname that the client chooses.
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
                command, GUESTS, lambda states: hub.quotas.charge(GUESTS, actor.user, address)
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
        """Make the answer: the user, and the tokens to send and to reconnect with."""
        user = session.user
        status = self._hub.presence.status(user.id)
        shown = user if user.status == status else msgspec.structs.replace(user, status=status)
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
        # An access token gets no token that expires later. But a token of the application's gets
        # one of the server's, which the server verifies alone.
        if given is not None and not self._is_foreign(given):
            return given, None
        until, named = identity.expires or math.inf, identity.nickname is not None
        return self._tokens.sign(
            user, role, session, until=until, application=True, named=named
        ), None

    async def identify_token(self, token: str, address: str) -> Identity:
        """
        Return the identity that the token of one request names.

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
            identity: that of the token or the ticket.
            address: where the request comes from.

        Raises:
            NotAllowed: the user has signed out.
        """
        actor = self._actor(identity, address)
        command = admit_command(actor, identity.reference, identity.nickname)
        admitted = await actor.execute(command)
        actor.role, actor.admitted = admitted.role, admitted.seq
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
            "a client at %s has used an old refresh token of %s again; its sign-in is revoked",
            actor.address,
            actor.user,
            extra=about,
        )

    def _is_foreign(self, token: str | None) -> bool:
        if self._authenticator is None or token is None:
            return False
        return not self._tokens.is_ours(token)

    def _new(self, user: str, nickname: str | None = None, epoch: int | None = None) -> Identity:
        now = self._hub.journal.clock.now().timestamp()
        session = self._hub.ids.new()
        return Identity(
            user, nickname=nickname, session=session, issued=now, fresh=True, epoch=epoch
        )
