from __future__ import annotations

import pytest

from hubbub.journal.event import Draft
from hubbub.journal.link import Linked
from hubbub.rosters import DeviceLinks, DevicesChanged, RosterState, keys_stream
from tests.chat.folding import event_of


def test_a_users_keys_have_a_stream_of_their_own() -> None:
    assert keys_stream("ann") == "keys/ann"


def test_a_room_is_not_encrypted_at_first() -> None:
    state = RosterState()

    assert (state.encrypted, state.roster) == ("", 0)


def test_links_are_the_encrypted_rooms_of_a_user() -> None:
    links = DeviceLinks()
    links.apply(event_of(1, "ann", Draft("keys/ann", Linked("room/1"))))

    assert links.links == {"room/1": 0}
    with pytest.raises(NotImplementedError):
        links.has_device("phone")


def test_a_change_of_devices_names_the_user() -> None:
    assert DevicesChanged("ann").user == "ann"
