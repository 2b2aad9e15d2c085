"""The tables of permissions, made from the code: run it to update the page."""

from __future__ import annotations

from collections.abc import Mapping

from hubbub.feature_set import FeatureSet
from hubbub.permissions import Grant
from tests.docs.examples import ROOT
from tests.features import ALL

__all__ = ["PAGE", "page"]

PAGE = ROOT / "docs" / "reference" / "permissions.md"

HEAD = """# Permissions

Who may do what.
The tables are made from `hubbub.permissions`, which is what the services ask.

* **anyone**: who is signed in, a guest as well
* **owner**: whose profile, cart or order it is
* **member**: of the room; or one of the two of a direct conversation
* **moderator**: of the room; and who is moderator or admin of everything
* **creator**: of the room
* **author**: of the message
* **player**, **referee**: of the match
* **admin**: of everything
* **nobody**: but the hub itself

An application may ask for a higher role with the setting `required_roles`; see
[sign people in](../how-to/accounts.md#roles).
"""


def page(features: FeatureSet = ALL) -> str:
    """Return the page of some features."""
    streams = table("stream", {f"`{kind}/…`": grant for kind, grant in features.readers.items()})
    commands = table("command", {f"`{name}`": grant for name, grant in features.grants.items()})
    reading = f"## Who may read and follow a stream\n\n{streams}"
    return f"{HEAD}\n{reading}\n## Who may call a method\n\n{commands}"


def table(what: str, grants: Mapping[str, Grant]) -> str:
    """Return a table of grants."""
    rows = [f"| {what} | who | but |", "| --- | --- | --- |"]
    rows += [f"| {name} | {', '.join(grant.who)} | {grant.but} |" for name, grant in grants.items()]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
