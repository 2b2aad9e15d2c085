"""
The page of what shows each promise: run it to update the page.

``python -m tests.docs.reliability`` writes the tables; ``python -m tests.docs.reliability 600``
also measures, for about so many seconds, and writes the figures.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence

from tests.docs.examples import ROOT

__all__ = ["EVIDENCE", "PAGE", "page", "part", "promises"]

GUARANTEES = ROOT / "docs" / "explanation" / "guarantees.md"
PAGE = ROOT / "docs" / "reliability.md"
# Between these comments, the page is written by this program.
PART = "<!-- {0} -->\n\n{1}\n\n<!-- end of {0} -->"

# A promise -> the tests that show it; each is a module of tests/, or "simulated".
EVIDENCE: Mapping[str, Sequence[str]] = {
    "Acknowledged means durable": (
        "simulated",
        *("faults/test_killed.py", "faults/test_power_loss.py", "faults/test_full_disk.py"),
    ),
    "All or nothing": ("simulated", "faults/test_killed_matches.py", "journal/test_journal.py"),
    "In order, without gaps": (
        *("simulated", "properties/test_chat_machine.py", "wire/test_follow.py"),
        "session/test_following.py",
    ),
    "One order of everything": (
        "simulated",
        "properties/test_feed.py",
        "faults/test_feed_faults.py",
    ),
    "Exactly once, with a key": ("simulated", "session/test_keys.py", "faults/test_killed.py"),
    "A refusal costs nothing": ("simulated", "session/test_limits.py", "test_ratelimit.py"),
    "A restored database is another history": (
        *("journal/test_backup.py", "cli/test_backup.py", "cli/test_renew.py"),
    ),
    "A newer release reads an older database": (
        *("faults/test_killed_migration.py", "journal/stores/test_migrations.py"),
        "chat/test_golden.py",
    ),
    "You can check a database": ("simulated", "journal/test_verify.py", "cli/test_verify.py"),
    "You can hand out and erase a user's data": (
        *("cli/test_export.py", "cli/test_erase.py", "faults/test_killed_erasure.py"),
    ),
    "A damaged file costs only what is damaged": (
        *("faults/test_damaged_files.py", "journal/test_repair.py", "cli/test_repair.py"),
    ),
    "Every decision is made on the newest state": (
        *("journal/cluster/test_checker.py", "journal/decide/test_holder.py"),
    ),
    "A server that dies takes nothing with it": (
        *("journal/cluster/test_checker.py", "cluster/night.py"),
    ),
    "A server that is stopped or cut off delays others for three seconds at most": (
        *("journal/stores/postgres/test_stopped.py", "cluster/night.py"),
    ),
    "A lost frame is noticed": (
        *("journal/cluster/test_relay.py", "journal/cluster/test_sharing.py"),
    ),
    "Limits count for all servers": (
        *("journal/decide/test_limits.py", "journal/cluster/test_checker.py"),
    ),
    "Clocks can be wrong": ("journal/decide/test_holder.py",),
    "A sign-out counts everywhere": ("simulated", "server/test_sign_in_watch.py"),
    "A failure stays where it happens": (
        *("journal/test_containment.py", "test_runtimes.py", "server/test_bad_clients.py"),
        *("faults/test_junk.py", "attack/test_attacks.py"),
    ),
    "One server owns a database file": (
        *("journal/stores/test_database_file.py", "journal/stores/test_opening.py"),
    ),
    "Closing a hub finishes what it accepted": (
        *("journal/test_journal.py", "server/test_stopping_applications.py"),
    ),
    "A slow follower harms nobody": (
        *("simulated", "server/test_pauses.py", "journal/live/test_following.py"),
    ),
    "Rate limits of messages and checkouts are exact": ("simulated", "test_ratelimit.py"),
    "A match ends once": (
        *("simulated", "properties/test_scores.py", "faults/test_killed_matches.py"),
    ),
    "Scores are exact": ("simulated", "properties/test_scores.py", "properties/test_boards.py"),
    "Deadlines survive the process": (
        "faults/test_killed_matches.py",
        "session/test_match_ends.py",
    ),
    "A checkout charges once": (
        *("simulated", "faults/test_killed_checkouts.py", "faults/test_killed_while_paying.py"),
        "properties/test_checkout_machine.py",
    ),
    "A silent payment provider blocks nobody": ("simulated", "session/test_orders.py"),
    "Sold products are in stock": ("simulated", "properties/test_stock.py"),
    "Money is exact": ("simulated", "properties/test_totals.py", "test_money.py"),
    "Purchases are private": ("session/test_permissions.py", "session/test_rights.py"),
}


def promises() -> Iterator[tuple[str, str]]:
    """Yield each promise of the guarantees, with its heading."""
    heading = ""
    for line in GUARANTEES.read_text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif found := re.match(r"\* \*\*(.*)\.\*\*", line):
            yield heading, found[1]


def part(text: str, name: str) -> str:
    """Return the part of a page that this program has written."""
    found = re.search(PART.format(name, "(.*)"), text, re.DOTALL)
    assert found is not None, f"{PAGE} has no part {name}"
    return found[1]


def page(figures: str | None = None) -> str:
    """
    Return the page as it should be.

    Args:
        figures: instead of the figures that are there.
    """
    text = PAGE.read_text()
    for name, content in (("promises", tables()), ("figures", figures or part(text, "figures"))):
        text = text.replace(PART.format(name, part(text, name)), PART.format(name, content))
    return text


def tables() -> str:
    """Return a table for each heading of the guarantees."""
    lines, last = [], ""
    for heading, promise in promises():
        if heading != last:
            lines += [*([""] if last else []), f"### {heading}", ""]
            lines += ["| promise | what shows it |", "| --- | --- |"]
            last = heading
        lines.append(f"| {promise} | {_shown(EVIDENCE[promise])} |")
    return "\n".join(lines)


def _shown(tests: Sequence[str]) -> str:
    return ", ".join(one if one == "simulated" else f"`{one}`" for one in tests)


def main(arguments: Sequence[str]) -> None:
    """Write the page, and measure if a number of seconds is given."""
    figures = None
    if arguments:
        from tests.simulator.figures import measure  # noqa: PLC0415  (it takes long)

        figures = measure(float(arguments[0]))
    PAGE.write_text(page(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
