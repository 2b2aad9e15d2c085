"""Signing in and out: after a sign-out, every server refuses its tokens; other sign-ins remain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import anyio

from ..client.dial import Dial
from ..session import Session
from ..stream_names import user_stream
from .client import Client
from .sign_in_calls import (
    VISITOR,
    CallOutcome,
    session_of,
    stay_signed_in,
    try_sign_in,
    try_sign_out,
)
from .workload import Evidence

__all__ = ["SignInBooks", "SignOutWorkload"]

# Sign-ins that a user has at a time, at most.
SIGN_INS_AT_ONCE = 4
# How often a user signs out, and how often everywhere.
SIGN_OUT_CHANCE = 0.25
EVERYWHERE_CHANCE = 0.3
# How often a user tries the tokens of a sign-in that has ended.
TRY_ENDED_CHANCE = 0.4
# How often a user takes a new pair of tokens.
REFRESH_CHANCE = 0.5
# A call whose outcome is unknown has ended after this time, in seconds, if it has any effect.
IN_DOUBT_SECONDS = 400.0
# How long a user waits before they connect again, in seconds.
AGAIN_SECONDS = 5.0
# Sign-ins of a user that have ended, and that are tried at every server at the end.
TRIED_AT_END = 5
EXPIRED = "expired"


class SignInBooks:
    """
    The books of one sign-in.

    Args:
        answer: the answer to it.
        sure: whether it is known to last until somebody signs out.
    """

    def __init__(self, answer: CallOutcome, *, sure: bool) -> None:
        self.session = session_of(answer.token)
        self.token = answer.token
        self.refresh_token = str(answer.refresh_token)
        self.sure = sure
        # Whether a sign-out was acknowledged, and by which kind.
        self.ended = ""
        # The servers that have refused it after that, since everything is quiet.
        self.refused_at: set[int] = set()


class SignOutWorkload:
    """
    Users who sign in several times, and sign out of one sign-in, or of all.

    They are users of their own, who do nothing else, and use connections of their own.
    """

    name = "sign-outs"

    def __init__(self) -> None:
        # A user -> their sign-ins, the oldest first.
        self.sign_ins: dict[str, list[SignInBooks]] = defaultdict(list)
        self._connected: dict[str, SignInBooks] = {}
        self._in_doubt_until: dict[str, float] = defaultdict(float)
        self._complaints: list[str] = []
        self._servers = 0
        self._quiet = False

    async def prepare(self, admin: Session) -> None:
        """Do nothing: a user comes into being with a sign-in."""

    async def begin(self, client: Client) -> None:
        """Note how many servers there are."""
        self._servers = len(client.dials)

    async def follow(self, client: Client) -> None:
        """Stay connected with sign-ins; when everything is quiet, try the ended ones."""
        if not client.dials:
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._stay_connected, client)
            while True:
                await anyio.sleep(AGAIN_SECONDS)
                if self._quiet:
                    for one in self._tried_at_end(_user(client)):
                        await self._try_everywhere(client, one)

    async def act(self, client: Client) -> None:
        """Sign in, sign out, or try tokens."""
        if not client.dials:
            return
        here = self.sign_ins[_user(client)]
        going, ended = [one for one in here if not one.ended], [one for one in here if one.ended]
        drawn = client.random.random()
        if ended and drawn < TRY_ENDED_CHANCE:
            await self._try(client, client.random.choice(ended), client.random.choice(client.dials))
        elif going and drawn < TRY_ENDED_CHANCE + SIGN_OUT_CHANCE:
            await self._sign_out(client, client.random.choice(going))
        elif len(going) < SIGN_INS_AT_ONCE:
            await self._sign_in(client)
        elif client.random.random() < REFRESH_CHANCE:
            await self._refresh(client, client.random.choice(going))
        else:
            await self._try(client, client.random.choice(going), client.random.choice(client.dials))

    def missing(self, evidence: Evidence) -> Iterator[str]:
        """Connections of sign-ins that have ended are closed, and every server refuses those."""
        self._quiet = True
        for user, connected in self._connected.items():
            if connected.ended:
                yield f"{user} has signed out {connected.ended}, and is still connected."
        for user in self.sign_ins:
            for one in self._tried_at_end(user):
                if len(one.refused_at) < self._servers:
                    yield f"{user} has not yet tried an ended sign-in at every server."

    def broken(self, evidence: Evidence) -> Iterator[str]:
        """A sign-out is in the journal; no token passes after it, and other sign-ins remain."""
        yield from self._complaints
        for user, sign_ins in self.sign_ins.items():
            events = evidence.streams.get(user_stream(user), ())
            for one in sign_ins:
                if one.ended and not _has_ended(one.session, events):
                    yield f"{user} has signed out {one.ended}, which is not in the journal."

    async def _sign_in(self, client: Client) -> None:
        user = _user(client)
        answer = await try_sign_in(client.random.choice(client.dials), VISITOR + user)
        if answer.outcome is False:
            self._complaints.append(f"{user} cannot sign in: {answer.said}")
        elif answer.outcome:
            sure = anyio.current_time() >= self._in_doubt_until[user]
            self.sign_ins[user].append(SignInBooks(answer, sure=sure))

    async def _sign_out(self, client: Client, one: SignInBooks) -> None:
        user, everywhere = _user(client), client.random.random() < EVERYWHERE_CHANCE
        ending = list(self.sign_ins[user]) if everywhere else [one]
        dial = client.random.choice(client.dials)
        answer = await try_sign_out(dial, one.token, everywhere=everywhere)
        if answer.outcome:
            for other in ending:
                other.ended = other.ended or ("everywhere" if everywhere else "of one sign-in")
        elif answer.outcome is False:
            await self._refused(client, one, answer)
        else:
            for other in ending:
                other.sure = False
            if everywhere:
                self._in_doubt_until[user] = anyio.current_time() + IN_DOUBT_SECONDS

    async def _refresh(self, client: Client, one: SignInBooks) -> None:
        """Use the refresh token; only once, because a second use ends the sign-in."""
        refresh_token, one.refresh_token = one.refresh_token, ""
        if not refresh_token:
            # Nobody can sign in with it, or sign out of it.
            self.sign_ins[_user(client)].remove(one)
            return
        answer = await try_sign_in(client.random.choice(client.dials), refresh_token)
        if answer.outcome:
            one.token, one.refresh_token = answer.token, str(answer.refresh_token)
        elif answer.outcome is False:
            await self._refused(client, one, answer)
        else:
            one.sure = False

    async def _try(self, client: Client, one: SignInBooks, dial: Dial) -> bool | None:
        """Try a token at a server; return whether it has accepted it."""
        user, ended = _user(client), one.ended
        tokens = [one.token, one.refresh_token] if ended and one.refresh_token else [one.token]
        answer = await try_sign_in(dial, client.random.choice(tokens))
        if answer.outcome and ended:
            number = client.dials.index(dial)
            self._complaints.append(
                f"{user} has signed out {ended}, and server {number} accepts a token of before."
            )
        elif answer.outcome is False and not ended:
            await self._refused(client, one, answer)
        return answer.outcome

    async def _refused(self, client: Client, one: SignInBooks, answer: CallOutcome) -> None:
        if EXPIRED in answer.said:
            await self._refresh(client, one)
            return
        if one.sure:
            self._complaints.append(
                f"{_user(client)} has not signed out of a sign-in, and is refused: {answer.said}"
            )
        # Otherwise a sign-out whose outcome was unknown has ended it.
        one.ended = one.ended or "with an unknown outcome"

    def _tried_at_end(self, user: str) -> list[SignInBooks]:
        return [one for one in self.sign_ins[user] if one.ended][-TRIED_AT_END:]

    async def _try_everywhere(self, client: Client, one: SignInBooks) -> None:
        for number, dial in enumerate(client.dials):
            if number not in one.refused_at and await self._try(client, one, dial) is not None:
                one.refused_at.add(number)

    async def _stay_connected(self, client: Client) -> None:
        """Be connected with a sign-in until the server ends it, and then with another one."""
        user = _user(client)
        while True:
            await anyio.sleep(AGAIN_SECONDS)
            going = [one for one in self.sign_ins[user] if not one.ended]
            if not going:
                continue
            self._connected[user] = one = client.random.choice(going)
            try:
                await stay_signed_in(client.random.choice(client.dials), one.token)
            finally:
                del self._connected[user]


def _user(client: Client) -> str:
    return f"v{client.number}"


def _has_ended(session: str, events: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the journal has a sign-out after the last use of a sign-in."""
    ended = False
    for event in events:
        if event["type"] == "signed_out_everywhere" or (
            event["type"] == "signed_out" and event["session"] == session
        ):
            ended = True
        elif event["type"] == "signed_in" and event["session"] == session:
            ended = False
    return ended
