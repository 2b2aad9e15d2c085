from __future__ import annotations

import pytest

from hubbub.errors import Conflict, Invalid, NotMember
from hubbub.journal.journal import Journal
from hubbub.journal.live.attaching import check_command
from hubbub.journal.live.topic import Follower
from tests.journal.tally import add, bar, memory_store, open_journal


async def test_a_command_checks_a_readers_access_and_returns_the_head() -> None:
    async with open_journal(memory_store()) as journal:
        await journal.execute(add("tally/1", 1))
        assert await journal.execute(check_command("bob", "tally/1")) == 1
        await journal.execute(bar("tally/1", "bob"))

        with pytest.raises(NotMember):
            await journal.execute(check_command("bob", "tally/1"))


async def test_a_follower_is_attached_where_it_wants_to_begin() -> None:
    async with open_journal(memory_store()) as journal:
        await journal.execute(add("tally/1", 1))
        late, early = Follower("ann", 0), Follower("bob", 0)
        for follower, after in ((late, None), (early, 0)):
            await attach(journal, follower, after)
        topic = journal.topic("tally/1")

        assert topic is not None
        assert [late.cursor, early.cursor] == [1, 0]
        assert [*topic.followers] == [late, early]


async def attach(journal: Journal, follower: Follower, after: int | None) -> None:
    call = journal.follow_call("ann", "tally/1", after, follower)
    call.waits = True
    await journal.wait_for(call)


@pytest.mark.parametrize(("after", "error"), [(1, Conflict), (-1, Invalid)])
async def test_a_follower_cannot_begin_where_nothing_is(after: int, error: type[Exception]) -> None:
    async with open_journal(memory_store()) as journal:
        with pytest.raises(error):
            await attach(journal, Follower("ann", 0), after)

        assert journal.topic("tally/1") is None
