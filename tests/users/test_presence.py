"""Who is connected."""

from __future__ import annotations

from hubbub.users.presence import Presence


def test_a_user_is_online_from_the_first_session_to_the_end_of_the_last() -> None:
    presence, seen = Presence(), []
    for step in (presence.connect, presence.connect, presence.disconnect, presence.disconnect):
        seen.append(presence.status("ann"))
        step("ann")
    seen.append(presence.status("ann"))

    assert seen == ["offline", "online", "online", "online", "offline"]


def test_the_first_to_come_is_listed_first() -> None:
    presence = Presence()
    for user in ("cid", "ann", "bob"):
        presence.connect(user)
    presence.disconnect("ann")

    assert presence.online() == ["cid", "bob"]
