"""Permissions of operations: which users can call its methods. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..permissions import ADMIN, Grant

__all__ = ["OPERATIONS_GRANTS"]

# A method -> who can call it.
OPERATIONS_GRANTS: Mapping[str, Grant] = {
    "operations.stats": ADMIN,
}
