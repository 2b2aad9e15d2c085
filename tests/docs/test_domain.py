"""The reference of `hubbub.domain` is complete, and has every message for a mistake."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec
import pytest

import hubbub
from hubbub import domain
from tests.docs.examples import ROOT
from tests.docs.mistakes import MISTAKES

PAGE = (ROOT / "docs" / "reference" / "domain.md").read_text()
STRUCTS = [
    kind
    for kind in (getattr(domain, name) for name in domain.__all__)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__struct_fields__
]
FUNCTIONS = [
    function for name in domain.__all__ if inspect.isfunction(function := getattr(domain, name))
]
# What else there is, but for what is a feature's own of Hubbub.
MEMBERS: dict[type[Any], set[str]] = {
    domain.PartedState: set(vars(domain.PartedState)) | {"kept_type"},
    domain.State: set(vars(domain.State)) | {"data_type"},
    domain.Host: set(vars(domain.Host)) | set(domain.Host.__annotations__),
    domain.Links: {"ordered", "count"},
    domain.RateLimit: set(vars(domain.RateLimit)),
    domain.RemoteCache: {"__call__", "changed"},
    domain.Service: {"name", "actor", "runtime", "new_stream"},
    domain.StoredRateLimit: {"dump", "load"},
    domain.States: {"now", "of", "need", "event", "about", "charge"},
}


def section_of(name: str) -> str:
    return PAGE.partition(f"### `{name}`\n")[2].partition("\n#")[0]


@pytest.mark.parametrize("name", domain.__all__)
def test_every_name_has_a_section(name: str) -> None:
    assert section_of(name).strip()


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
def test_every_field_is_there(kind: type[msgspec.Struct]) -> None:
    section = section_of(kind.__name__)

    assert [name for name in kind.__struct_fields__ if f"`{name}`" not in section] == []


@pytest.mark.parametrize("kind", MEMBERS, ids=lambda kind: kind.__name__)
def test_every_member_is_there(kind: type[Any]) -> None:
    section = section_of(kind.__name__)
    names = {name for name in MEMBERS[kind] if not name.startswith("_") or name == "__call__"}

    assert {name for name in names if f"`{name}" not in section} == set()


@pytest.mark.parametrize("kind", MEMBERS, ids=lambda kind: kind.__name__)
def test_nothing_is_there_that_is_no_more(kind: type[Any]) -> None:
    rows = set(re.findall(r"^\| `(\w+)", section_of(kind.__name__), re.MULTILINE))

    assert {name for name in rows - MEMBERS[kind] if not hasattr(kind, name)} == set()


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_every_function_with_its_arguments(function: Any) -> None:
    section = section_of(function.__name__)
    names = set(inspect.signature(function).parameters) - {"function", "kind"}

    assert {name for name in names if name not in section} == set()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_opening_a_hub_tells_of_a_mistake_as_the_page_says(mistake: str) -> None:
    with pytest.raises(hubbub.Invalid) as told:
        hubbub.open("memory://", features=MISTAKES[mistake])

    assert f"* {told.value}\n" in PAGE
