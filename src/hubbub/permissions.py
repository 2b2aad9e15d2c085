"""
Who may do what: all of it, in one place.

A decision works out what somebody is to a thing (its author, a member, a player …), and
asks here whether that is enough. A table in the documentation is made from this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from .errors import NotAllowed, NotAuthor, NotMember

__all__ = [
    "COMMANDS",
    "READING",
    "ROLES",
    "Grant",
    "Refusals",
    "Who",
    "check",
    "check_reading",
    "refused",
]

# Of everything; each may do what those before it may.
ROLES = ("user", "moderator", "admin")
ARTICLE = {"moderator": "a moderator", "admin": "an admin"}

# A service -> its methods that somebody may not call, and what they are told.
Refusals = dict[str, dict[str, str]]

Who = Literal[
    "anyone",  # who is signed in
    "owner",  # whose profile, cart or order it is, or who began the conversation
    "member",  # of the room, or one of the two of a direct conversation
    "invited",  # to the private room, by a member
    "author",  # of the message
    "moderator",  # of the room, or of all of them
    "creator",  # of the room
    "player",  # of the match
    "referee",  # of the match
    "admin",  # of everything
    "nobody",  # but the hub itself
]


class Grant(msgspec.Struct, frozen=True):
    """
    Who may do something.

    Args:
        who: being one of these is enough.
        refusal: what is said to others.
        error: the class of that error.
        but: what else is asked for.
    """

    who: tuple[Who, ...]
    refusal: str = "You may not do this."
    error: type[NotAllowed] = NotAllowed
    but: str = ""


ANYONE = Grant(("anyone",))
OWN = Grant(("owner",))
MEMBER = Grant(("member",), "You are not in this room; join it first.", NotMember)
SPEAKER = Grant(("member",), MEMBER.refusal, NotMember, "not muted, not banned, room not closed")
MODERATOR = Grant(
    ("moderator",),
    "Only a moderator of this room may do this.",
    but="not to the creator, nor a moderator to another; not in a direct conversation",
)
ADMIN = Grant(("admin",), "Only an admin may do this.")

# A kind of stream -> who may read and follow it.
READING: Mapping[str, Grant] = {
    "room": MEMBER,
    "direct": Grant(("member",), "A direct conversation is its two users' alone.", NotMember),
    "user": Grant(("owner",), "A user's stream is that user's alone."),
    "account": Grant(("nobody",), "What signs somebody in is not read."),
    "index": ANYONE,
    "match": ANYONE,
    "private match": Grant(
        ("player", "referee"), "This match is private: only its players may watch."
    ),
    "board": ANYONE,
    "product": ANYONE,
    "catalogue": ANYONE,
    "coupon": Grant(("nobody",), "Coupons are not read; enter the code."),
    "cart": Grant(("owner",), "A cart is its owner's alone."),
    "order": Grant(("owner",), "This order is its buyer's alone."),
    "sandbox": Grant(("nobody",), "What the sandbox has taken is not read; look at the order."),
    "agenda": Grant(("nobody",), "An agenda is read by the hub only."),
}

# A method of a service -> who may call it.
COMMANDS: Mapping[str, Grant] = {
    "chat.create_room": ANYONE,
    "chat.rooms": Grant(("anyone",), but="private rooms are listed for their members only"),
    "chat.join": Grant(
        ("anyone",),
        "This room is private; ask a member to invite you.",
        but="to a private room those who are invited; not who is banned, nor to a closed one",
    ),
    "chat.leave": MEMBER,
    "chat.invite": Grant(
        ("member", "moderator"), MEMBER.refusal, NotMember, "who was banned: moderators only"
    ),
    "chat.kick": MODERATOR,
    "chat.ban": MODERATOR,
    "chat.mute": MODERATOR,
    "chat.set_role": Grant(("creator", "admin"), "Only the room's creator may set roles."),
    "chat.close_room": Grant(("creator", "admin"), "Only the room's creator may close it."),
    "chat.send": SPEAKER,
    "chat.send_direct": ANYONE,
    "chat.directs": OWN,
    "chat.edit": Grant(("author",), "Only its author may edit a message.", NotAuthor, SPEAKER.but),
    "chat.delete": Grant(
        ("author", "moderator"),
        "Only its author or a moderator may delete a message.",
        but="members only; " + SPEAKER.but,
    ),
    "chat.react": SPEAKER,
    "chat.unreact": SPEAKER,
    "chat.typing": SPEAKER,
    "chat.mark_read": MEMBER,
    "chat.history": MEMBER,
    "chat.search": MEMBER,
    "chat.unread": OWN,
    "games.start_match": Grant(
        ("anyone",), but="over a network a user only matches in which they play"
    ),
    "games.add_score": Grant(
        ("player", "referee"),
        "You do not play in this match.",
        but="with a referee only the referee; without one players for themselves",
    ),
    "games.resign": Grant(("player",), "You do not play in this match."),
    "games.message": Grant(("player",), "You do not play in this match."),
    "games.match": Grant(("anyone",), but="a private one: its players and its referee"),
    "games.matches": Grant(("anyone",), but="private ones are listed for their players"),
    "games.find_match": ANYONE,
    "games.create_board": ANYONE,
    "games.submit": Grant(("anyone",), but="for oneself"),
    "games.board": ANYONE,
    "games.top": ANYONE,
    "games.rank": ANYONE,
    "games.around": ANYONE,
    "games.seasons": ANYONE,
    "games.season": ANYONE,
    "shop.products": ANYONE,
    "shop.product": ANYONE,
    "shop.set_product": ADMIN,
    "shop.adjust_stock": ADMIN,
    "shop.set_coupon": ADMIN,
    "shop.cart": OWN,
    "shop.add_item": OWN,
    "shop.remove_item": OWN,
    "shop.set_quantity": OWN,
    "shop.accept_prices": OWN,
    "shop.apply_coupon": OWN,
    "shop.remove_coupon": OWN,
    "shop.set_country": OWN,
    "shop.clear": OWN,
    "shop.checkout": OWN,
    "shop.order": Grant(("owner", "admin"), READING["order"].refusal),
    "shop.orders": OWN,
    "shop.open_orders": ADMIN,
    "shop.refund": ADMIN,
    "shop.cancel_order": Grant(
        ("owner", "admin"),
        READING["order"].refusal,
        but="the buyer: once the time is over for which the stock is put aside",
    ),
    "shop.settle_order": ADMIN,
    "shop.invoice": Grant(("owner", "admin"), READING["order"].refusal),
    "users.get": ANYONE,
    "users.get_many": ANYONE,
    "users.online": ANYONE,
    "users.update": OWN,
    "users.create_account": OWN,
    "users.change_password": Grant(("owner",), but="with the password until now"),
    "users.set_away": OWN,
    "users.sign_out": OWN,
    "users.set_role": ADMIN,
    "operations.stats": ADMIN,
}


def check(command: str, *held: Who) -> None:
    """
    Return if what somebody is permits a command.

    Args:
        command: a method of a service, like ``chat.kick``.
        held: what the caller is to the thing.

    Raises:
        NotAllowed: it does not; or the subclass that the grant names.
    """
    _check(COMMANDS[command], held)


def check_reading(kind: str, *held: Who) -> None:
    """
    Return if what somebody is permits to read a kind of stream.

    Raises:
        NotAllowed: it does not; or the subclass that the grant names.
    """
    _check(READING[kind], held)


def refused(role: str, required: Mapping[str, str]) -> Refusals:
    """
    Return which commands a role alone rules out, whatever they are about.

    Args:
        role: one of ``ROLES``.
        required: a command -> the least role for it, where the application asks for more.
    """
    found: Refusals = {}
    for command, grant in COMMANDS.items():
        least = required.get(command, "admin" if grant.who == ("admin",) else "user")
        if ROLES.index(role) < ROLES.index(least):
            service, _, method = command.partition(".")
            found.setdefault(service, {})[method] = f"Only {ARTICLE[least]} may do this."
    return found


def _check(grant: Grant, held: tuple[Who, ...]) -> None:
    for one in grant.who:
        if one == "anyone" or one in held:
            return
    raise grant.error(grant.refusal)
