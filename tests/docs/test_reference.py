"""The reference knows everything that is public."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

import hubbub
from hubbub.chat.service import Chat
from hubbub.errors import HubbubError
from hubbub.service import methods_of
from hubbub.session import STREAMS
from hubbub.users.service import Users
from tests.docs.examples import ROOT

REFERENCE = ROOT / "docs" / "reference"
ALL = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))


@pytest.mark.parametrize("name", hubbub.__all__)
def test_every_public_name(name: str) -> None:
    assert name in ALL


@pytest.mark.parametrize("name", [*methods_of(Chat), *methods_of(Users)])
def test_every_method(name: str) -> None:
    assert f"### `{name}`" in (REFERENCE / "sessions.md").read_text()


@pytest.mark.parametrize("field", msgspec.structs.fields(hubbub.Settings), ids=lambda f: f.name)
def test_every_setting_with_its_default(field: msgspec.structs.FieldInfo) -> None:
    page = (REFERENCE / "settings.md").read_text()
    known = field.default is not msgspec.NODEFAULT

    assert f"| `{field.name}` | `{field.default!r}` |" in page or not known
    assert f"| `{field.name}` |" in page


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in vars(hubbub).values()
        if isinstance(kind, type) and issubclass(kind, HubbubError) and kind is not HubbubError
    ],
)
def test_every_error_with_its_codes(kind: type[HubbubError]) -> None:
    page = (REFERENCE / "errors.md").read_text()
    reason = f"`{kind.reason}`" if kind.reason else ""

    row = f"| `{kind.__name__}` | `{kind.code}` | {reason} | {kind.http_status} | {kind.rpc_code} |"
    assert row in page


@pytest.mark.parametrize("kind", STREAMS)
def test_every_event_type_with_its_fields(kind: str) -> None:
    page = (REFERENCE / "events.md").read_text()

    for data in get_args(STREAMS[kind].data_type):
        fields = ", ".join(f"`{field}`" for field in data.__struct_fields__)
        assert f"| `{data.__struct_config__.tag}` | {fields} |" in page
