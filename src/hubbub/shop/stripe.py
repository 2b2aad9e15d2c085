"""A place to import ``Stripe`` from."""

from __future__ import annotations

from .payments.stripe import Stripe

__all__ = ["Stripe"]
