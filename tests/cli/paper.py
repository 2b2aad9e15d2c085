"""A screen of paper: what is shown is written down, and what is typed was given before."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio
from rich.text import Text

import hubbub
from hubbub import Session, Settings
from hubbub.cli.commands import carry_out
from hubbub.cli.conversation import Conversation
from hubbub.wake_up import WakeUp

__all__ = ["Paper", "Person", "chatting", "opened"]

SECONDS_MAX = 5.0


class Paper:
    """
    A screen.

    Args:
        typed: the lines that somebody types.
        patient: whether it is a script.
    """

    def __init__(self, typed: Sequence[str] = (), *, patient: bool = False) -> None:
        self.typed = typed
        self.patient = patient
        self.shown: list[str] = []
        self.complaints: list[str] = []
        self.prompts: list[str] = []
        self._read = 0
        self._wake_up = WakeUp()

    def show(self, line: Text) -> None:
        # A clock's time is not what a test is about.
        self.shown.append(line.plain)
        self._wake_up.set()

    def complain(self, text: str) -> None:
        self.complaints.append(text)

    async def lines(self, prompt: Callable[[], str]) -> AsyncGenerator[str]:
        for line in self.typed:
            self.prompts.append(prompt())
            yield line

    async def line_with(self, text: str) -> str:
        """Wait for a line that has a text in it; one that was passed is not looked at again."""
        with anyio.fail_after(SECONDS_MAX):
            while True:
                while self._read < len(self.shown):
                    self._read += 1
                    if text in self.shown[self._read - 1]:
                        return self.shown[self._read - 1]
                await self._wake_up.wait()


class Person:
    """Somebody at a conversation."""

    def __init__(self, conversation: Conversation, paper: Paper) -> None:
        self.conversation = conversation
        self.paper = paper

    @property
    def id(self) -> str:
        return self.conversation.session.user.id

    async def type(self, *lines: str) -> None:
        for line in lines:
            await carry_out(self.conversation, line)

    async def sees(self, text: str) -> str:
        return await self.paper.line_with(text)


@asynccontextmanager
async def chatting(session: Session, room: str | None = "Lobby") -> AsyncIterator[Person]:
    """Chat, in a room or in none."""
    paper = Paper()
    async with anyio.create_task_group() as tasks:
        conversation = Conversation(session, paper.show, tasks)
        await conversation.begin()
        if room is not None:
            await conversation.enter(room)
        yield Person(conversation, paper)
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def opened(**settings: int) -> AsyncIterator[tuple[hubbub.Hubbub, Session, Session]]:
    """Open a hub in memory, with Ann and Bob in it."""
    async with (
        hubbub.open("memory://", settings=Settings(**settings)) as hub,  # type: ignore[arg-type]
        hub.session("ann", nickname="Ann") as ann,
        hub.session("bob", nickname="Bob") as bob,
    ):
        yield hub, ann, bob
