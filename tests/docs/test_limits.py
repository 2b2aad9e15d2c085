"""The tables of limits say what the settings and the constants are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hubbub import Settings
from hubbub.quotas import ADDRESS_FACTOR, GUESTS, Quota
from tests.docs import limits_table
from tests.features import QUOTAS

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "limits.md"
COUNTED = {quota.limit: quota for quota in (*QUOTAS.values(), GUESTS)}


@pytest.mark.parametrize("quota", COUNTED.values(), ids=COUNTED)
def test_every_quota_is_in_a_table_with_its_figures(quota: Quota) -> None:
    limit = getattr(Settings(), quota.limit)
    user = f"{limit:,}" if quota.by_user else ""
    address = f"{limit * (ADDRESS_FACTOR if quota.by_user else 1):,}"
    [row] = re.findall(rf"\| `{quota.limit}` \|(.*)\|(.*)\|", PAGE.read_text())

    assert [cell.strip() for cell in row] == [user, address]


def test_the_limits_are_those_of_the_code() -> None:
    # `python -m tests.docs.limits_table` writes the page anew.
    assert limits_table.PAGE.read_text() == limits_table.page()


def test_every_limit_says_what_it_limits() -> None:
    assert not [limit.name for limit in limits_table.limits() if not limit.what]


def test_a_value_is_shown_as_people_write_it() -> None:
    shown = {limit.name: limit.value for limit in limits_table.limits()}

    assert shown["words.SEARCH_CHARS_MAX"] == "200"
    assert shown["server.websocket.unsent.UNSENT_BYTES_MAX"] == "96 MiB"
    assert shown["money.AMOUNT_MAX"] == "9,007,199,254,740,991"
