"""Operations: statistics of the hub for admins."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ..feature import Feature, Host
from ..journal.stats import Meter
from .grants import OPERATIONS_GRANTS
from .service import Operations

__all__ = ["OPERATIONS"]


@asynccontextmanager
async def _metering(hub: Host) -> AsyncGenerator[Meter]:
    yield hub.meter


OPERATIONS = Feature(
    name="operations", service=Operations, runtime=_metering, grants=OPERATIONS_GRANTS
)
