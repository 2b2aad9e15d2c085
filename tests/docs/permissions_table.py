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

These tables show which users can read each stream and call each method.
They are made from `hubbub.permissions`, which the services check.

| word | users |
| --- | --- |
| **anyone** | every user who is signed in, including guests |
| **owner** | the user whose profile, cart or order it is |
| **member** | a member of the room, or one of the two users of a direct conversation |
| **moderator** | a moderator of the room, or a global moderator or admin |
| **creator** | the user who created the room |
| **author** | the user who wrote the message |
| **player**, **referee** | a player or the referee of the match |
| **admin** | a global admin |
| **nobody** | only the hub itself |

Your application can require a higher role with the setting `required_roles`; see
[roles](../how-to/accounts.md#roles).
"""


def page(features: FeatureSet = ALL) -> str:
    """Return the page of some features."""
    streams = table("stream", {f"`{kind}/…`": grant for kind, grant in features.readers.items()})
    commands = table("command", {f"`{name}`": grant for name, grant in features.grants.items()})
    reading = f"## Read and follow a stream\n\n{streams}"
    return f"{HEAD}\n{reading}\n## Call a method\n\n{commands}"


def table(what: str, grants: Mapping[str, Grant]) -> str:
    """Return a table of grants."""
    rows = [f"| {what} | users | conditions |", "| --- | --- | --- |"]
    rows += [f"| {name} | {', '.join(grant.who)} | {grant.but} |" for name, grant in grants.items()]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
