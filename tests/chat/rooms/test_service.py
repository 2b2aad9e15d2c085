"""The service of rooms: its methods are methods of chat."""

from __future__ import annotations

from hubbub.chat.rooms.service import RoomService
from hubbub.chat.service import Chat
from hubbub.service import methods_of


def test_chat_has_every_method_of_rooms_before_its_own() -> None:
    rooms, chat = list(methods_of(RoomService)), list(methods_of(Chat))

    assert "chat.create_room" in rooms
    assert "chat.send" not in rooms
    assert chat[: len(rooms)] == rooms
