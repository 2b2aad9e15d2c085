"""One method, as a network knows it."""

from __future__ import annotations

import msgspec
import pytest

from hubbub.method import Arguments, method_of


async def draw(self: object, board: str, *, color: str = "red") -> int:
    """
    Draw a line.

    More of it.
    """
    return len(board + color)


DRAW = method_of("boards.draw", draw, changes=True)


def given() -> Arguments:
    return DRAW.arguments(board="b")


def test_it_is_described_by_its_signature() -> None:
    assert (DRAW.name, DRAW.changes, DRAW.plain, DRAW.keyed) == ("boards.draw", True, False, False)
    assert DRAW.result is int
    assert DRAW.doc.startswith("Draw a line.")


def test_arguments_are_attributes_and_items() -> None:
    arguments = given()

    assert (arguments["board"], arguments.get("color"), arguments.get("size", 3)) == ("b", "red", 3)
    assert {**arguments, "color": "blue"} == {"board": "b", "color": "blue"}
    assert dict(arguments) == msgspec.structs.asdict(arguments)


@pytest.mark.parametrize("name", ["size", "keys", "__class__"])
def test_there_is_no_other_item(name: str) -> None:
    with pytest.raises(KeyError):
        given()[name]


def test_arguments_do_not_change() -> None:
    with pytest.raises(TypeError):
        given()["board"] = "c"  # type: ignore[index]
