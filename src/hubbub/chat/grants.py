"""Permissions of chat: which users can call its methods and read its streams. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import NotAuthor, NotMember
from ..permissions import ANYONE, OWN, Grant

__all__ = ["CHAT_GRANTS", "CHAT_READERS"]

MEMBER = Grant(("member",), "You are not in this room; join it first.", NotMember)
SPEAKER = Grant(("member",), MEMBER.refusal, NotMember, "not muted, not banned, room not closed")
MODERATOR = Grant(
    ("moderator",),
    "Only a moderator of this room can do this.",
    but="not to the creator, nor a moderator to another; not in a direct conversation",
)

# A kind of stream -> who can read and follow it.
CHAT_READERS: Mapping[str, Grant] = {
    "room": MEMBER,
    "direct": Grant(("member",), "Only its two users can read a direct conversation.", NotMember),
}

# A method -> who can call it.
CHAT_GRANTS: Mapping[str, Grant] = {
    "chat.create_room": ANYONE,
    "chat.rooms": Grant(("anyone",), but="private rooms are listed for their members only"),
    "chat.members": Grant(("anyone",), but="of a private room, its members only"),
    "chat.join": Grant(
        ("anyone",),
        "This room is private; ask a member to invite you.",
        but="a private room if they are invited; not if they are banned, nor a closed room",
    ),
    "chat.leave": MEMBER,
    "chat.invite": Grant(
        ("member", "moderator"), MEMBER.refusal, NotMember, "a banned user: moderators only"
    ),
    "chat.kick": MODERATOR,
    "chat.ban": MODERATOR,
    "chat.mute": MODERATOR,
    "chat.set_role": Grant(("creator", "admin"), "Only the room's creator can set roles."),
    "chat.close_room": Grant(("creator", "admin"), "Only the room's creator can close it."),
    "chat.encrypt": Grant(
        ("creator",),
        "Only the room's creator can encrypt it.",
        but="in a direct conversation, either user",
    ),
    "chat.send_sealed": SPEAKER,
    "chat.change_sealed": SPEAKER,
    "chat.send": SPEAKER,
    "chat.send_direct": ANYONE,
    "chat.directs": OWN,
    "chat.edit": Grant(("author",), "Only its author can edit a message.", NotAuthor, SPEAKER.but),
    "chat.delete": Grant(
        ("author", "moderator"),
        "Only its author or a moderator can delete a message.",
        but="members only; " + SPEAKER.but,
    ),
    "chat.react": SPEAKER,
    "chat.unreact": SPEAKER,
    "chat.typing": SPEAKER,
    "chat.mark_read": MEMBER,
    "chat.history": MEMBER,
    "chat.search": MEMBER,
    "chat.unread": OWN,
}
