"""The tables of limits say what the settings do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hubbub import Settings
from hubbub.quotas import ACCOUNTS, ADDRESS_FACTOR, GUESTS, QUOTAS, Quota

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "limits.md"
COUNTED = {quota.limit: quota for quota in (*QUOTAS.values(), GUESTS, ACCOUNTS)}


@pytest.mark.parametrize("quota", COUNTED.values(), ids=COUNTED)
def test_every_quota_is_in_a_table_with_its_figures(quota: Quota) -> None:
    limit = getattr(Settings(), quota.limit)
    user = f"{limit:,}" if quota.by_user else ""
    address = f"{limit * (ADDRESS_FACTOR if quota.by_user else 1):,}"
    [row] = re.findall(rf"\| `{quota.limit}` \|(.*)\|(.*)\|", PAGE.read_text())

    assert [cell.strip() for cell in row] == [user, address]
