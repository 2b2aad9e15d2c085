"""The arguments of a session's requests are checked before anything is decided."""

from __future__ import annotations

from typing import Any

import pytest

import hubbub
from hubbub.errors import Invalid
from hubbub.games.matches.methods import FIND_SECONDS_MAX, OPTIONS_BYTES_MAX, MatchMethods
from hubbub.games.matches.rules import Custom, Outcome
from hubbub.games.matches.supervisor import MatchSupervisor


async def started(rules: hubbub.Custom) -> hubbub.Match:
    """Start a match by rules of an application's, and change what these were made of."""
    games = {"own": hubbub.Game(decide=lambda options, standing: Outcome(None))}
    async with (
        hubbub.open("memory://", games=games) as hub,
        hub.session("ann") as ann,
        hub.session("bob"),
    ):
        match = await ann.games.start_match(["ann", "bob"], rules=rules)
        rules.options.clear()
        return await ann.games.match(match.id)


async def test_a_match_keeps_options_of_its_own() -> None:
    match = await started(Custom("own", {"by": 3}))

    assert match.rules == Custom("own", {"by": 3})


async def test_options_have_a_size() -> None:
    with pytest.raises(Invalid, match="options"):
        await started(Custom("own", {"x": "a" * OPTIONS_BYTES_MAX}))


@pytest.mark.parametrize("seconds", [0, FIND_SECONDS_MAX + 1, "30", True])
async def test_a_search_has_an_end(seconds: Any) -> None:
    async with hubbub.open("memory://") as hub:
        methods = MatchMethods(hub.actor("ann", "user"), hub.runtime(MatchSupervisor))
        with pytest.raises(Invalid, match="must be above 0"):
            await methods.find("default", seconds, None)
